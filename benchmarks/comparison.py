"""Part `comparison`: runs side by side and their series over each other, through the gateway."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from localpostgres import Cluster
from seriesstore.compact import TARGET

from benchmarks import native_api, own
from benchmarks.load import Target, measure
from benchmarks.report import Bar, Report

RUNBENCH = "Runbench"
SYSTEMS = [RUNBENCH]
RUNS, METRICS = 20, 10
POINTS = 300
COMPACTION_SECONDS = 240.0
BAR_MS = 500.0
TO_MERGE = """
SELECT series_id FROM metrics.chunks WHERE coarse IS NULL
GROUP BY series_id HAVING sum(count) >= %(target)s LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    seconds: float = 4.0  # of a round
    steps: int = 100_000


QUICK = Sizes(seconds=1.5, steps=10_000)


def tables(sizes: Sizes) -> str:
    """Name of a row."""
    return f"tables of {_runs(sizes)}"


def series(sizes: Sizes) -> str:
    """Name of a row."""
    return f"series of {_runs(sizes)}"


def groups(sizes: Sizes) -> str:
    """Name of a row."""
    return f"{series(sizes)}, in two groups"


def rules(sizes: Sizes) -> str:
    """Name of a row."""
    return f"a rule on the 95th percentile, {RUNS} runs × {sizes.steps:,} steps"


def _runs(sizes: Sizes) -> str:
    return f"{RUNS} runs × {METRICS} metrics × {sizes.steps:,} steps"


def run(cluster: Cluster, sizes: Sizes, report: Report) -> None:
    """One client, who asks for one after the other."""
    with own.runbench(cluster.address) as running:
        asyncio.run(_measure(running, cluster, sizes, report))


async def _measure(running: own.Own, cluster: Cluster, sizes: Sizes, report: Report) -> None:
    target = running.target
    keys = [f"metric-{number}" for number in range(METRICS)]
    run_ids = await _filled(running, keys, sizes)
    await _compacted(cluster)
    body = {"run_ids": run_ids, "baseline_run_id": run_ids[0]}
    drawn = {"run_ids": run_ids, "metrics": keys, "points": POINTS}
    grouped = drawn | {"group_by": ["optimizer"], "band": "minmax"}
    ruled = {"run_ids": run_ids, "rules": [f"p95({keys[0]}) < 3"]}
    for what, path, asked in (
        (tables(sizes), "runs", body),
        (series(sizes), "series", drawn),
        (groups(sizes), "series", grouped),
        (rules(sizes), "evaluate", ruled),
    ):
        request = target.request("POST", f"/api/v1/comparisons/{path}", asked)
        timing = await measure(target, [lambda _, sent=request: sent], seconds=sizes.seconds)
        report.time(what, RUNBENCH, timing)


async def _filled(running: own.Own, keys: list[str], sizes: Sizes) -> list[str]:
    experiment = await native_api.create_experiment(
        running.target, running.project_id, "side by side"
    )
    run_ids: list[str] = []
    for number in range(RUNS):
        run_id = await _run(running.target, experiment, number)
        for key in keys:
            await native_api.fill(running.target, run_id, key, sizes.steps)
        run_ids.append(run_id)
    return run_ids


async def _run(target: Target, experiment_id: str, number: int) -> str:
    params = {
        "optimizer": ("adam", "sgd")[number % 2],
        "seed": number,
        **{f"param-{which}": which / (1 + number % 5) for which in range(30)},
    }
    made = await native_api.ask(
        target, "POST", f"/experiments/{experiment_id}/runs", {"params": params}
    )
    return made["id"]


async def _compacted(cluster: Cluster) -> None:
    """Wait until what was logged stands in large chunks, as it does a minute later."""
    deadline = time.monotonic() + COMPACTION_SECONDS
    with psycopg.connect(f"{cluster.address}/experiment_db", autocommit=True) as connection:
        while time.monotonic() < deadline:
            if connection.execute(TO_MERGE, {"target": TARGET}).fetchone() is None:
                return
            await asyncio.sleep(0.5)


def bars(sizes: Sizes) -> list[Bar]:
    """p95 of tables and of series, in milliseconds."""

    def p95(what: str) -> Callable[[Report], float | None]:
        def found(report: Report) -> float | None:
            figure = report.find(what, RUNBENCH)
            return figure.p95 * 1000 if figure and figure.p95 is not None else None

        return found

    return [
        Bar(what, f"p95 < {BAR_MS:g} ms", p95(what), lambda ms: ms < BAR_MS)
        for what in (tables(sizes), series(sizes), groups(sizes))
    ]

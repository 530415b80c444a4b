"""Part `search`: pages of runs by filters that a planner guesses wrong, through the gateway."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import httpx
import psycopg
from localpostgres import Cluster

from benchmarks import own
from benchmarks.load import Target, Timing, measure
from benchmarks.make_runs import make_runs
from benchmarks.report import Bar, Report

RUNBENCH = "Runbench"
SYSTEMS = [RUNBENCH]
PAGE = 100
ORDINARY = "a param and a metric, by a metric"
ORDINARY_MS, MOST_MS = 25.0, 60.0
NEWEST = ("created_at desc",)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    seconds: float = 2.0  # of a search
    runs: int = 100_000


QUICK = Sizes(seconds=0.5, runs=10_000)


@dataclass(frozen=True, slots=True)
class Asked:
    """A search: its filter, its order, and how many runs are passed before the page."""

    what: str
    filter: str = ""
    order: Sequence[str] = field(default=NEWEST)
    deep: int = 0


TIGHT = " and ".join(f"metrics.metric-{which % 8 + 3} > {which / 50 + 0.3}" for which in range(15))
SEARCHES = (
    Asked(ORDINARY, "params.optimizer = 'adam' and metrics.loss < 0.5", ("metrics.acc desc",)),
    Asked("no filter, newest"),
    Asked("no filter, by a metric", order=("metrics.loss asc",)),
    Asked("no filter, by a param", order=("params.lr asc",)),
    Asked("rare metric value", "metrics.loss < 0.0001"),
    Asked("rare param", "params.seed = 4711"),
    Asked("common param", "params.optimizer = 'adam'"),
    Asked("half of all", "metrics.loss > 0.5", ("metrics.loss desc",)),
    Asked("nothing matches", "params.optimizer = 'none'", ("metrics.loss asc",)),
    Asked("order against a rare filter", "metrics.loss < 0.01", ("metrics.acc asc",)),
    Asked("order against a common filter", "metrics.loss < 0.5", ("metrics.acc asc",)),
    Asked("a param's text LIKE '%x%', common", "params.note LIKE '%ab%'", ("metrics.loss asc",)),
    Asked("a param's text LIKE '%x%', rare", "params.note LIKE '%abcde%'", ("metrics.loss asc",)),
    Asked("name ILIKE '%x%'", "name ILIKE '%N-4711%'"),
    Asked("15 tight comparisons", TIGHT, ("metrics.loss asc",)),
    Asked(
        "not (a or b)",
        "not (params.optimizer = 'adam' or metrics.loss > 0.01)",
        ("metrics.acc asc",),
    ),
    Asked(
        "several orders",
        "metrics.loss < 0.5",
        ("params.optimizer asc", "metrics.acc desc", "created_at asc"),
    ),
    Asked("IN", "params.depth IN (3, 5, 7) and tags.rig IN ('R1', 'R2')", ("metrics.loss asc",)),
    Asked("a tag", "tags.rig = 'R7'", ("metrics.loss asc",)),
    Asked("is null", "metrics.rare IS NULL", ("metrics.loss asc",)),
    Asked("is not null", "metrics.rare IS NOT NULL", ("metrics.loss asc",)),
    Asked("20,000 runs deep, no filter", deep=20_000),
    Asked(
        "20,000 runs deep, filtered, by a metric",
        "params.optimizer != 'adam' and metrics.loss < 0.9",
        ("metrics.loss asc",),
        deep=20_000,
    ),
)


def run(cluster: Cluster, sizes: Sizes, report: Report) -> None:
    """All searches, one client."""
    with own.runbench(cluster.address) as running:
        address = f"{cluster.address}/experiment_db"
        make_runs(
            address,
            project_id=UUID(running.project_id),
            experiment_id=uuid4(),
            creator=UUID(running.owner_id),
            count=sizes.runs,
        )
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        for asked in SEARCHES:
            timing = asyncio.run(_measure(running, asked, sizes))
            report.time(f"{asked.what} ({sizes.runs:,} runs)", RUNBENCH, timing)


async def _measure(running: own.Own, asked: Asked, sizes: Sizes) -> Timing:
    path = f"/api/v1/projects/{running.project_id}/runs/search"
    body: dict[str, object] = {"filter": asked.filter, "order_by": asked.order, "limit": PAGE}
    if deep := min(asked.deep, sizes.runs // 5):
        body["cursor"] = await _passed(running.target, path, body, deep)
    request = running.target.request("POST", path, body)
    return await measure(running.target, [lambda _: request], seconds=sizes.seconds)


async def _passed(target: Target, path: str, body: dict[str, object], count: int) -> str:
    """The cursor behind so many runs, or behind the last page but one."""
    cursor = ""
    async with httpx.AsyncClient(base_url=target.address, headers=target.headers) as client:
        for _ in range(count // 500):
            more = {"cursor": cursor} if cursor else {}
            answer = await client.post(path, json=body | {"limit": 500} | more, timeout=60)
            following = answer.raise_for_status().json()["next_cursor"]
            if following is None:
                break
            cursor = following
    return cursor


def bars(sizes: Sizes) -> list[Bar]:
    """p95 of each search, in milliseconds."""
    found: list[Bar] = []
    for asked in SEARCHES:
        most = ORDINARY_MS if asked.what == ORDINARY else MOST_MS
        what = f"{asked.what} ({sizes.runs:,} runs)"

        def p95(report: Report, what: str = what) -> float | None:
            figure = report.find(what, RUNBENCH)
            return figure.p95 * 1000 if figure and figure.p95 is not None else None

        found.append(Bar(what, f"p95 < {most:g} ms", p95, lambda ms, most=most: ms < most))
    return found

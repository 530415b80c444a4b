"""Part `metrics`: MLflow's server as it comes and as fast as it gets, then Runbench."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
from localpostgres import Cluster
from seriesstore.compact import TARGET

from benchmarks import mlflow_api, native_api, own, own_rows, peer_rows, peers
from benchmarks.database import make_database
from benchmarks.load import Target
from benchmarks.machine import family, memory
from benchmarks.report import Bar, Figure, Report, times_better

MLFLOW, FASTEST = peers.AS_IT_COMES.name, peers.FASTEST.name
RUNBENCH, NATIVE = "Runbench", "Runbench, own API"
SYSTEMS = [MLFLOW, FASTEST, RUNBENCH, NATIVE]
BATCH = mlflow_api.BATCH_KEYS * mlflow_api.BATCH_STEPS

REST_SECONDS = 5.0
COMPACTION_SECONDS = 150.0
# What fills no chunk is left until nothing more comes; a live run looks like that, too.
TO_MERGE = """
SELECT series_id FROM metrics.chunks WHERE coarse IS NULL
GROUP BY series_id HAVING sum(count) >= %(target)s LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    seconds: float = 3.0  # of a round
    runs: int = 100_000
    history: int = 1_000_000
    chart: int = 10_000_000


QUICK = Sizes(seconds=0.7, runs=10_000, history=100_000, chart=1_000_000)


def log_batch(clients: int) -> str:
    """Name of a row."""
    return f"log-batch of {BATCH:,} metrics, {_clients(clients)}"


def log_metric(clients: int) -> str:
    """Name of a row."""
    return f"log-metric, {_clients(clients)}"


def _clients(count: int) -> str:
    return f"{count} client{'s' * (count > 1)}"


START, AT_REST, UNDER_LOAD = "start", "memory at rest", "memory under load"
CREATE_RUN = "create-run"
HISTORY = "history of a long metric"
SEARCH, FIRST_PAGE = "search, filtered and sorted", "search, newest runs"
# What a planner that only knows averages gets wrong, beside the two that MLflow is asked.
SEARCHES = {
    SEARCH: (mlflow_api.FILTER, mlflow_api.ORDER),
    FIRST_PAGE: ("", "attributes.created_at desc"),
    "search, a rare match": ("metrics.loss < 0.0001", "attributes.created_at desc"),
    "search, half of all match": ("metrics.loss > 0.5", "metrics.loss desc"),
    "search, sorted against the filter": ("metrics.loss < 0.01", "metrics.metric-2 desc"),
    "search, nothing matches": ("params.optimizer = 'none'", "metrics.loss asc"),
}
CHART, ZOOM = "chart, full range", "chart, 1 % zoom"


def run(cluster: Cluster, home: Path, sizes: Sizes, report: Report) -> None:
    """All of it, one system after the other on the same PostgreSQL."""
    database = make_database(cluster, "mlflow")
    experiment, long_run = peers.prepare(database, home, "many runs")
    peer_rows.make_runs(database, experiment, sizes.runs)
    peer_rows.make_history(database, long_run, "loss", sizes.history)
    for set_up in (peers.AS_IT_COMES, peers.FASTEST):
        with peers.mlflow_server(set_up, database, home) as peer:
            name = set_up.name
            report.add(Figure(START, name, peer.start_seconds, "s"))
            weigh = weighing(report, name, lambda peer=peer: [peer.pid])
            asyncio.run(log_like_mlflow(peer.target, sizes, report, name, weigh))
            asyncio.run(read_like_mlflow(peer.target, experiment, long_run, sizes, report, name))
    with own.runbench(cluster.address) as running:
        report.add(Figure(START, RUNBENCH, running.start_seconds, "s"))
        weigh = weighing(report, RUNBENCH, lambda: list(running.pids.values()))
        asyncio.run(measure_own(running, cluster, sizes, report, weigh))


def weighing(report: Report, system: str, pids: Callable[[], list[int]]) -> Callable[[str], None]:
    """What takes the memory of a system's processes and notes it."""

    def weigh(what: str) -> None:
        report.add(Figure(what, system, memory(family(pids())), "B"))

    return weigh


async def log_like_mlflow(
    target: Target, sizes: Sizes, report: Report, system: str, weigh: Callable[[str], None]
) -> None:
    """Everything that writes, and the memory before and meanwhile."""
    seconds = sizes.seconds
    await asyncio.sleep(REST_SECONDS)
    weigh(AT_REST)
    experiment = await mlflow_api.create_experiment(target, f"load of {system}")
    runs = await mlflow_api.create_runs(target, experiment, 64)
    for clients in (1, 8):
        timing = await mlflow_api.log_batches(target, runs[:clients], seconds=seconds)
        report.time(log_batch(clients), system, timing, of=BATCH)
    for clients in (1, 64):
        timing = await mlflow_api.log_single(target, runs[:clients], seconds=seconds)
        report.time(log_metric(clients), system, timing)
    weigh(UNDER_LOAD)
    timing = await mlflow_api.make_runs(target, experiment, seconds=seconds)
    report.time(CREATE_RUN, system, timing)


async def read_like_mlflow(
    target: Target, experiment: str, long_run: str, sizes: Sizes, report: Report, system: str
) -> None:
    """Everything that reads what was put there before."""
    for what, filtered in ((SEARCH, True), (FIRST_PAGE, False)):
        timing = await mlflow_api.search(
            target, experiment, filtered=filtered, seconds=sizes.seconds
        )
        report.time(f"{what} ({sizes.runs:,} runs)", system, timing)
    took = await mlflow_api.read_history(target, long_run, "loss", sizes.history)
    report.add(Figure(f"{HISTORY} ({sizes.history:,} points)", system, took, "s"))


async def measure_own(
    running: own.Own, cluster: Cluster, sizes: Sizes, report: Report, weigh: Callable[[str], None]
) -> None:
    """The same for Runbench, then what only its own API has."""
    target, seconds = running.target, sizes.seconds
    await log_like_mlflow(target, sizes, report, RUNBENCH, weigh)
    many = await mlflow_api.create_experiment(target, "many runs")
    own_rows.make_runs(
        f"{cluster.address}/experiment_db",
        project_id=running.project_id,
        experiment_id=many,
        owner_id=running.owner_id,
        count=sizes.runs,
    )
    (long_run,) = await mlflow_api.create_runs(target, many, 1)
    await native_api.fill(target, str(UUID(long_run)), "loss", sizes.history)
    await compacted(cluster)
    await read_like_mlflow(target, many, long_run, sizes, report, RUNBENCH)
    for what, (filters, order) in SEARCHES.items():
        timing = await native_api.search(
            target, running.project_id, filters, order, seconds=seconds / 2
        )
        report.time(f"{what} ({sizes.runs:,} runs)", NATIVE, timing)
    experiment = await native_api.create_experiment(target, running.project_id, "own API")
    runs = await native_api.create_runs(target, experiment, 64)
    for clients in (1, 8):
        timing = await native_api.log_batches(target, runs[:clients], seconds=seconds)
        report.time(log_batch(clients), NATIVE, timing, of=BATCH)
    for clients in (1, 64):
        timing = await native_api.log_single(target, runs[:clients], seconds=seconds)
        report.time(log_metric(clients), NATIVE, timing)
    rate = await native_api.fill(target, runs[0], "long", sizes.chart)
    report.add(Figure("points written in batches of 10,000", NATIVE, 1 / rate, "s", None, rate))
    await compacted(cluster)
    for what, part in ((CHART, 1.0), (ZOOM, 0.01)):
        timing = await native_api.draw(
            target, runs[0], "long", sizes.chart, part=part, seconds=seconds
        )
        report.time(f"{what} ({sizes.chart:,} points)", NATIVE, timing)


async def compacted(cluster: Cluster) -> None:
    """Return when the background work has merged what was written, or after a while."""
    deadline = time.monotonic() + COMPACTION_SECONDS
    with psycopg.connect(f"{cluster.address}/experiment_db", autocommit=True) as connection:
        while time.monotonic() < deadline:
            if connection.execute(TO_MERGE, {"target": TARGET}).fetchone() is None:
                return
            await asyncio.sleep(0.5)


def bars(sizes: Sizes) -> list[Bar]:
    """What the design asks for (docs/benchmarks.md)."""

    def times(what: str, other: str) -> Callable[[Report], float | None]:
        return lambda report: times_better(report.find(what, RUNBENCH), report.find(what, other))

    def p95_ms(what: str, system: str = RUNBENCH) -> Callable[[Report], float | None]:
        def found(report: Report) -> float | None:
            figure = report.find(what, system)
            return figure.p95 * 1000 if figure and figure.p95 is not None else None

        return found

    def median_ms(report: Report) -> float | None:
        value = report.value(log_metric(1), RUNBENCH)
        return None if value is None else value * 1000

    def rate(report: Report) -> float | None:
        figure = report.find(log_metric(64), RUNBENCH)
        return figure.per_second if figure else None

    chart, zoom = f"{CHART} ({sizes.chart:,} points)", f"{ZOOM} ({sizes.chart:,} points)"
    return [
        Bar(log_batch(1), f"≥ 50 × {MLFLOW}", times(log_batch(1), MLFLOW), lambda v: v >= 50),
        Bar(log_batch(8), f"≥ 50 × {MLFLOW}", times(log_batch(8), MLFLOW), lambda v: v >= 50),
        Bar(log_batch(1), f"≥ 30 × {FASTEST}", times(log_batch(1), FASTEST), lambda v: v >= 30),
        Bar(log_batch(8), f"≥ 30 × {FASTEST}", times(log_batch(8), FASTEST), lambda v: v >= 30),
        Bar(log_batch(1), "p95 < 20 ms", p95_ms(log_batch(1)), lambda v: v < 20),
        Bar(log_metric(1), "median < 5 ms", median_ms, lambda v: v < 5),
        Bar(log_metric(64), "≥ 4,000/s", rate, lambda v: v >= 4000),
        Bar(SEARCH, "p95 < 25 ms", p95_ms(f"{SEARCH} ({sizes.runs:,} runs)"), lambda v: v < 25),
        *(
            Bar(
                f"{what}, own API",
                f"p95 < {limit} ms",
                p95_ms(f"{what} ({sizes.runs:,} runs)", NATIVE),
                lambda v, limit=limit: v < limit,
            )
            for what in SEARCHES
            for limit in (25 if what == SEARCH else 60,)
        ),
        Bar(
            FIRST_PAGE,
            "p95 < 60 ms",
            p95_ms(f"{FIRST_PAGE} ({sizes.runs:,} runs)"),
            lambda v: v < 60,
        ),
        Bar(CHART, "p95 < 30 ms", p95_ms(chart, NATIVE), lambda v: v < 30),
        Bar(ZOOM, "p95 < 20 ms", p95_ms(zoom, NATIVE), lambda v: v < 20),
    ]

"""Part `store`: the series store alone, against a table with one row per point."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import numpy as np
import seriesstore
from localpostgres import Cluster
from seriesstore.append import Batch, append
from seriesstore.compact import compact
from seriesstore.points import Points
from seriesstore.read import Window, read_pictures, read_points, snapshot
from seriesstore.summary import find_summaries
from servicekit.migrations import migrate

from benchmarks.database import make_database
from benchmarks.load import Timing
from benchmarks.report import Bar, Figure, Report

type Connection = asyncpg.Connection[asyncpg.Record]

STORE, ROWS = "seriesstore", "rows with a key"
SYSTEMS = [ROWS, STORE]
BATCH = 10_000
PLACES = 2_000
ZOOM = 0.01
FIRST_TIME_US = 1_760_000_000_000_000

WRITE, EVERYTHING, BYTES = "write, committed by 10,000", "read everything", "bytes a point"
PICTURE, ZOOMED = "picture of 2,000 places", "the same, 1 % zoom"

# The least and the greatest of each of so many stretches, as a picture needs them.
PICTURE_OF_ROWS = """
SELECT (step - $2) * $4 / ($3 - $2 + 1) AS place, min(value), max(value)
FROM points
WHERE series_id = $1 AND step BETWEEN $2 AND $3
GROUP BY place
ORDER BY place
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many points, and how often each reading is done."""

    points: int = 10_000_000
    rounds: int = 30


QUICK = Sizes(points=1_000_000, rounds=10)


def run(cluster: Cluster, sizes: Sizes, report: Report) -> None:
    """Both in turn, on the same server."""
    address = make_database(cluster, "store")
    asyncio.run(_measure(address, sizes, report))


BARS = [
    Bar(
        "bytes a stored point",
        "at most 16",
        lambda report: report.value(BYTES, STORE),
        lambda value: value <= 16,
    )
]


async def _measure(address: str, sizes: Sizes, report: Report) -> None:
    connection: Connection = await asyncpg.connect(address)
    try:
        await measure_rows(connection, sizes, report)
    finally:
        await connection.close()
    await migrate(address, Path(seriesstore.__file__).parent / "sql", schema="series")
    connection = await asyncpg.connect(address, server_settings={"search_path": "series"})
    try:
        await measure_store(connection, sizes, report)
    finally:
        await connection.close()


async def measure_rows(connection: Connection, sizes: Sizes, report: Report) -> None:
    """The table that anybody would make, written by COPY, the fastest way there is."""
    await connection.execute(
        """
        CREATE TABLE points (
            series_id  bigint           NOT NULL,
            step       bigint           NOT NULL,
            time       bigint           NOT NULL,
            value      double precision NOT NULL,
            PRIMARY KEY (series_id, step, time)
        )
        """
    )

    async def write(points: Points) -> None:
        columns = (points.x.tolist(), _times(points).tolist(), points.value.tolist())
        rows = [(1, *row) for row in zip(*columns, strict=True)]
        await connection.copy_records_to_table("points", records=rows)

    async def everything() -> int:
        return len(await connection.fetch("SELECT step, time, value FROM points ORDER BY step"))

    async def picture(low: int, high: int) -> int:
        return len(await connection.fetch(PICTURE_OF_ROWS, 1, low, high, PLACES // 2))

    await _written(write, sizes, report, ROWS)
    await connection.execute("VACUUM ANALYZE points")
    size = await connection.fetchval("SELECT pg_total_relation_size('points')")
    report.add(Figure(BYTES, ROWS, size / sizes.points, "B/point"))
    await _read(everything, picture, sizes, report, ROWS)


async def measure_store(connection: Connection, sizes: Sizes, report: Report) -> None:
    """The same points in chunks, read after compaction."""
    owner = uuid4()

    async def write(points: Points) -> None:
        async with connection.transaction():
            await append(connection, [Batch(owner, {"loss": points})])

    await _written(write, sizes, report, STORE)
    began = time.perf_counter()
    while (await compact(connection, idle_sec=0)).chunks_before:
        pass
    took = time.perf_counter() - began
    report.add(Figure("compaction", STORE, took, "s", per_second=sizes.points / took))
    await connection.execute("VACUUM FULL chunks")
    size = await connection.fetchval("SELECT pg_total_relation_size('chunks')")
    report.add(Figure(BYTES, STORE, size / sizes.points, "B/point"))
    series = (await find_summaries(connection, [owner], ["loss"]))[0].id

    async def everything() -> int:
        return len(await read_points(connection, series))

    async def picture(low: int, high: int) -> int:
        async with snapshot(connection):
            window = Window(series, low, high)
            drawn = await read_pictures(connection, [window], at_most=PLACES)
        return len(drawn[series].points)

    await _read(everything, picture, sizes, report, STORE)


async def _written(
    write: Callable[[Points], Awaitable[None]], sizes: Sizes, report: Report, system: str
) -> None:
    latencies: list[float] = []
    for start in range(0, sizes.points, BATCH):
        points = _points(start, BATCH)
        began = time.perf_counter()
        await write(points)
        latencies.append(time.perf_counter() - began)
    report.time(WRITE, system, Timing(latencies, len(latencies) / sum(latencies)), of=BATCH)


async def _read(
    everything: Callable[[], Awaitable[int]],
    picture: Callable[[int, int], Awaitable[int]],
    sizes: Sizes,
    report: Report,
    system: str,
) -> None:
    began = time.perf_counter()
    assert await everything() == sizes.points
    took = time.perf_counter() - began
    report.add(Figure(EVERYTHING, system, took, "s", per_second=sizes.points / took))
    last = sizes.points - 1
    report.time(PICTURE, system, await _timed(lambda _: picture(0, last), sizes.rounds))
    width = int(sizes.points * ZOOM)
    starts = np.random.default_rng(7).integers(0, sizes.points - width, sizes.rounds + 1)
    ranges = [(int(low), int(low) + width - 1) for low in starts]
    report.time(ZOOMED, system, await _timed(lambda turn: picture(*ranges[turn]), sizes.rounds))


async def _timed(work: Callable[[int], Awaitable[int]], rounds: int) -> Timing:
    """Each turn's seconds, after one that is not counted."""
    latencies: list[float] = []
    for turn in range(rounds + 1):
        began = time.perf_counter()
        assert await work(turn)
        latencies.append(time.perf_counter() - began)
    return Timing(latencies[1:], rounds / sum(latencies[1:]))


def _points(start: int, count: int) -> Points:
    """A loss that falls, with noise, logged about every 100 ms."""
    step = np.arange(start, start + count)
    noise = np.random.default_rng(start)
    value = np.exp(-step / 1e6) + noise.normal(0, 0.01, count)
    time_us = FIRST_TIME_US + step * 100_000 + noise.integers(0, 2_000, count)
    return Points.of(step, value, time_us)


def _times(points: Points) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    assert points.time is not None
    return points.time

"""Part `telemetry`: sensors that send, and people who look, against other ways to keep readings."""

import asyncio
import struct
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import batched, count
from pathlib import Path

import asyncpg
import numpy as np
import orjson
import psycopg
from localpostgres import Cluster
from numpy.typing import NDArray
from seriesstore.compact import TARGET

from benchmarks import native_api, own, victoria
from benchmarks.database import make_database
from benchmarks.load import Channel, Make, Target, Timing, measure
from benchmarks.report import Bar, Figure, Report
from benchmarks.sockets import measure_frames
from benchmarks.telemetry_buffer import measure_buffered
from benchmarks.telemetry_watch import SENDERS, measure_export, measure_live

type Rows = asyncpg.Connection[asyncpg.Record]

ROWS, VICTORIA, RUNBENCH = "rows in PostgreSQL", victoria.NAME, "Runbench"
SYSTEMS = [ROWS, VICTORIA, RUNBENCH]

BATCH, SMALL = 1_000, 10
FILL_BATCH, FILL_WRITERS = 10_000, 4
SOCKETS = 64
SOCKET = "/api/v1/telemetry/socket"
PLACES = 2_000
ZOOM = 0.01
FIRST_TIME_US = 1_760_000_000_000_000
INTERVAL_US = 10_000
COMPACTION_SECONDS = 150.0
# What one sensor may send is not what is measured.
UNLIMITED = {"SENSOR_READINGS_PER_SEC": "1000000000"}

TAKES = {"TELEMETRY_BUFFER": "stream", "TELEMETRY_BUFFER_MOVES": "false"}
MOVES = {"TELEMETRY_BUFFER_MOVES": "true"}

JSON, PACKED = "application/json", "application/x-runbench-readings"

COLUMNS, POSTED = f"batches of {BATCH:,}, columns of JSON", f"batches of {BATCH:,}, packed"
FRAMES = f"batches of {BATCH:,}, packed, as frames of WebSockets"
BUFFERED = f"batches of {BATCH:,}, packed, through the buffer"
BUFFERED_LARGE = f"batches of {FILL_BATCH:,}, packed, through the buffer"
FEW = f"batches of {SMALL}"
FEW_FRAMES = f"batches of {SMALL}, packed, as frames of WebSockets"
LIVE = "received → shown live, at 10,000 readings/s"
BYTES = "bytes a reading, compacted"

# What fills no chunk is left until nothing more comes.
TO_MERGE = """
SELECT series_id FROM telemetry.chunks WHERE coarse IS NULL
GROUP BY series_id HAVING sum(count) >= %(target)s LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    seconds: float = 3.0
    sensors: int = 200
    chart: int = 10_000_000
    rounds: int = 30
    # Series of that length in one file.
    exported: int = 5
    live_seconds: float = 10.0


QUICK = Sizes(seconds=1.0, chart=1_000_000, rounds=10, live_seconds=5.0)


def chart(sizes: Sizes, part: float = 1.0) -> str:
    """Name of a row."""
    return f"chart of {sizes.chart:,} readings, {part:.0%}"


def export(sizes: Sizes) -> str:
    """Name of a row."""
    return f"export of {sizes.chart * sizes.exported:,} readings as Parquet"


def grown(sizes: Sizes) -> str:
    """Name of a row."""
    return f"{export(sizes)}, growth of the service"


def grown_mib(report: Report) -> float | None:
    """By how much an export lets the service grow."""
    for sizes in (Sizes(), QUICK):
        if (found := report.value(grown(sizes), RUNBENCH)) is not None:
            return found / 2**20
    return None


def live_ms(report: Report) -> float | None:
    """The 95th percentile of what a viewer waits."""
    figure = report.find(LIVE, RUNBENCH)
    return figure.p95 * 1000 if figure and figure.p95 is not None else None


def rate_of(what: str) -> Callable[[Report], float | None]:
    """Readings a second of ours."""

    def found(report: Report) -> float | None:
        figure = report.find(what, RUNBENCH)
        return figure.per_second if figure else None

    return found


def chart_ms(report: Report, part: float) -> float | None:
    """The 95th percentile of our charts."""
    for sizes in (Sizes(), QUICK):
        figure = report.find(chart(sizes, part), RUNBENCH)
        if figure and figure.p95 is not None:
            return figure.p95 * 1000
    return None


def run(cluster: Cluster, home: Path, sizes: Sizes, report: Report) -> None:
    """Each system after the other, on the same machine; PostgreSQL is the same."""
    asyncio.run(measure_rows(make_database(cluster, "telemetry_rows"), sizes, report))
    with victoria.server(home / "victoria") as peer:
        if peer is None:
            report.say(f"{VICTORIA}: not here (apt install victoria-metrics), so left out")
        else:
            asyncio.run(measure_victoria(peer, sizes, report))
    with own.runbench(cluster.address, UNLIMITED) as running:
        asyncio.run(measure_own(running, cluster, sizes, report))
        asyncio.run(measure_watched(running, home, sizes, report))
    # One process takes what is sent, and another one moves it.
    with (
        own.runbench(cluster.address, UNLIMITED | TAKES) as running,
        own.one_more(running, "telemetry-ingest-service", MOVES),
    ):
        asyncio.run(measure_through_buffer(running, cluster, sizes, report))


BARS = [
    Bar(COLUMNS, "≥ 1,000,000 readings/s", rate_of(COLUMNS), lambda value: value >= 1_000_000),
    Bar(FRAMES, "≥ 2,000,000 readings/s", rate_of(FRAMES), lambda value: value >= 2_000_000),
    Bar(
        BUFFERED_LARGE,
        "≥ 3,000,000 readings/s",
        rate_of(BUFFERED_LARGE),
        lambda value: value >= 3_000_000,
    ),
    Bar(FEW, "≥ 50,000 readings/s", rate_of(FEW), lambda value: value >= 50_000),
    Bar(FEW_FRAMES, "≥ 50,000 readings/s", rate_of(FEW_FRAMES), lambda value: value >= 50_000),
    Bar(LIVE, "p95 < 300 ms", live_ms, lambda value: value < 300),
    Bar("export, growth of the service", "< 100 MiB", grown_mib, lambda value: value < 100),
    Bar(
        BYTES,
        "at most 16",
        lambda report: report.value(BYTES, RUNBENCH),
        lambda value: value <= 16,
    ),
    *(
        Bar(
            f"chart, {part:.0%}",
            f"p95 < {limit} ms",
            lambda report, part=part: chart_ms(report, part),
            lambda value, limit=limit: value < limit,
        )
        for part, limit in ((1.0, 30), (ZOOM, 20))
    ),
]


# One row a reading


async def measure_rows(address: str, sizes: Sizes, report: Report) -> None:
    """The table that anybody would make, by the fastest way in: COPY, one commit a batch."""
    connections: list[Rows] = [await asyncpg.connect(address) for _ in range(FILL_WRITERS)]
    first = connections[0]
    await first.execute(
        """
        CREATE TABLE readings (
            sensor_id integer          NOT NULL,
            time      bigint           NOT NULL,
            value     double precision NOT NULL,
            PRIMARY KEY (sensor_id, time)
        )
        """
    )
    for what, each in ((COLUMNS, BATCH), (FEW, SMALL)):
        report.time(what, ROWS, await _copied(connections, each, sizes), of=each)
    await first.execute("TRUNCATE readings")
    for start in range(0, sizes.chart, FILL_BATCH * 10):
        await first.copy_records_to_table(
            "readings", records=_rows(1, start, min(FILL_BATCH * 10, sizes.chart - start))
        )
    await first.execute("VACUUM ANALYZE readings")
    size = await first.fetchval("SELECT pg_total_relation_size('readings')")
    report.add(Figure(BYTES, ROWS, size / sizes.chart, "B/reading"))
    for part in (1.0, ZOOM):
        latencies: list[float] = []
        for low, high in _windows(sizes, part):
            began = time.perf_counter()
            await first.fetch(
                """
                SELECT (time - $1) * $3 / ($2 - $1 + 1) AS place, min(value), max(value)
                FROM readings
                WHERE sensor_id = 1 AND time BETWEEN $1 AND $2
                GROUP BY place
                ORDER BY place
                """,
                low,
                high,
                PLACES // 2,
            )
            latencies.append(time.perf_counter() - began)
        report.time(chart(sizes, part), ROWS, Timing(latencies, len(latencies) / sum(latencies)))
    for connection in connections:
        await connection.close()


async def _copied(connections: Sequence[Rows], each: int, sizes: Sizes) -> Timing:
    latencies: list[float] = []
    ends = time.perf_counter() + sizes.seconds * 3

    async def write(connection: Rows, sensor: int) -> int:
        batches = 0
        while time.perf_counter() < ends:
            rows = _rows(sensor, batches * each, each)
            began = time.perf_counter()
            await connection.copy_records_to_table("readings", records=rows)
            latencies.append(time.perf_counter() - began)
            batches += 1
        return batches

    began = time.perf_counter()
    # Sensors of their own a size, so that no key comes twice.
    numbered = enumerate(connections, each * 100)
    done = await asyncio.gather(*(write(connection, n) for n, connection in numbered))
    return Timing(latencies, sum(done) / (time.perf_counter() - began))


def _rows(sensor: int, start: int, count: int) -> list[tuple[int, int, float]]:
    times, values = readings(start, count)
    return list(zip([sensor] * count, times.tolist(), values.tolist(), strict=True))


# VictoriaMetrics


async def measure_victoria(peer: victoria.Peer, sizes: Sizes, report: Report) -> None:
    """Its own columnar import, in ms and without a promise that a power cut takes nothing."""
    for what, each in ((COLUMNS, BATCH), (FEW, SMALL)):

        def client(sensor: int, each: int = each) -> Make:
            def made(number: int) -> bytes:
                times, values = readings(number * each, each)
                return peer.write(f"load_{each}_{sensor}", times, values)

            return made

        clients = [client(sensor) for sensor in range(sizes.sensors)]
        timing = await measure(peer.target, clients, seconds=sizes.seconds)
        report.time(what, VICTORIA, timing, of=each)
    await peer.settle()
    before = peer.bytes_on_disk()
    await _fill(
        peer.target, lambda start, count: peer.write("chart", *readings(start, count)), sizes.chart
    )
    await peer.settle()
    report.add(Figure(BYTES, VICTORIA, (peer.bytes_on_disk() - before) / sizes.chart, "B/reading"))
    for part in (1.0, ZOOM):
        windows = _windows(sizes, part)
        asked = [peer.picture("chart", low, high, PLACES) for low, high in windows]
        timing = await measure(
            peer.target, [lambda n, asked=asked: asked[n % len(asked)]], seconds=sizes.seconds
        )
        report.time(chart(sizes, part), VICTORIA, timing)


# Runbench


@dataclass(frozen=True, slots=True)
class Rig:
    """Sensors that may send."""

    ids: list[str]
    targets: list[Target]

    def client(self, sensor: int, kind: str, each: int) -> Make:
        """What a sensor sends: batches numbered by the producer, one after the other."""
        producer = str(uuid.uuid4())

        def made(number: int) -> bytes:
            times, values = readings(number * each, each)
            return batch(self.targets[sensor], kind, producer, number, times, values)

        return made


def batch(
    target: Target,
    kind: str,
    producer: str,
    sequence: int,
    times: NDArray[np.int64],
    values: NDArray[np.float64],
) -> bytes:
    """The request of one batch of the signal `value`."""
    if kind == PACKED:
        content = packed(producer, sequence, times, values)
    else:
        series = [{"signal": "value", "t": times.tolist(), "v": values.tolist()}]
        body = {"producer": producer, "sequence": sequence, "series": series}
        content = orjson.dumps(body)
    return target.request("POST", "/api/v1/telemetry", content, kind=kind)


def packed(
    producer: str, sequence: int, times: NDArray[np.int64], values: NDArray[np.float64]
) -> bytes:
    """The packed form of one batch (docs/telemetry.md)."""
    name, signal = producer.encode(), b"value"
    head = struct.pack("<4sIQHH", b"RBR1", 1, sequence, len(name), 0) + name
    column = struct.pack("<HHI", len(signal), 0, len(times)) + signal
    return head + column + times.tobytes() + values.tobytes()


async def registered(running: own.Own, count: int) -> Rig:
    """Sensors of the benchmark's project with a signal each."""
    ids: list[str] = []
    targets: list[Target] = []
    path = f"/projects/{running.project_id}/sensors"
    for number in range(count):
        body = {"name": f"sensor-{uuid.uuid4().hex[:8]}-{number}", "signals": [{"name": "value"}]}
        made = await native_api.ask(running.target, "POST", path, body)
        ids.append(made["id"])
        headers = {"Authorization": f"Bearer {made['token']}"}
        targets.append(replace(running.target, headers=headers))
    return Rig(ids, targets)


async def measure_own(running: own.Own, cluster: Cluster, sizes: Sizes, report: Report) -> None:
    """Every answer comes after the commit, so that a rate of answers is one of durable readings."""
    rig = await registered(running, sizes.sensors + 1)
    for what, kind, each in ((COLUMNS, JSON, BATCH), (POSTED, PACKED, BATCH), (FEW, JSON, SMALL)):
        clients = [rig.client(sensor, kind, each) for sensor in range(sizes.sensors)]
        before = stored(cluster)
        timing = await measure(running.target, clients, seconds=sizes.seconds)
        report.time(what, RUNBENCH, timing, of=each)
        # The rounds that found the pace are stored too.
        assert stored(cluster) - before >= len(timing.latencies) * each
    for what, each, sensors in ((FRAMES, BATCH, sizes.sensors), (FEW_FRAMES, SMALL, SOCKETS)):
        before = stored(cluster)
        frames = [(target, _frames(each)) for target in rig.targets[:sensors]]
        timing = await measure_frames(SOCKET, frames, seconds=sizes.seconds)
        report.time(what, RUNBENCH, timing, of=each)
        assert stored(cluster) - before >= len(timing.latencies) * each
    await compacted(cluster)
    long, producer = rig.targets[-1], str(uuid.uuid4())
    before = stored(cluster), bytes_on_disk(cluster)
    rate = await _fill(
        long,
        lambda start, count: batch(long, PACKED, producer, start, *readings(start, count)),
        sizes.chart,
    )
    report.add(Figure("one sensor, batches of 10,000", RUNBENCH, 1 / rate, "s", per_second=rate))
    await compacted(cluster)
    assert stored(cluster) - before[0] == sizes.chart
    used = bytes_on_disk(cluster) - before[1]
    report.add(Figure(BYTES, RUNBENCH, used / sizes.chart, "B/reading"))
    for part in (1.0, ZOOM):
        asked = [
            running.target.request(
                "GET",
                f"/api/v1/telemetry/series?sensor_id={rig.ids[-1]}&signal=value"
                f"&points={PLACES}&from={low}&to={high}",
            )
            for low, high in _windows(sizes, part)
        ]
        timing = await measure(
            running.target, [lambda n, asked=asked: asked[n % len(asked)]], seconds=sizes.seconds
        )
        report.time(chart(sizes, part), RUNBENCH, timing)


async def measure_watched(running: own.Own, home: Path, sizes: Sizes, report: Report) -> None:
    """What a viewer waits for, and what a file of everything costs."""
    rig = await registered(running, SENDERS)
    producer = str(uuid.uuid4())
    numbers = count()

    def make(sensor: int, times: NDArray[np.int64], values: NDArray[np.float64]) -> bytes:
        return batch(rig.targets[sensor], JSON, producer, next(numbers), times, values)

    timing = await measure_live(running.target, rig.ids, rig.targets, make, sizes.live_seconds)
    report.time(LIVE, RUNBENCH, timing)
    full = await registered(running, sizes.exported)
    for target in full.targets:
        await _fill(
            target,
            lambda start, count, target=target: batch(
                target, PACKED, producer, start, *readings(start, count)
            ),
            sizes.chart,
        )
    pid = running.pids["telemetry-ingest-service"]
    total = sizes.chart * sizes.exported
    done = await measure_export(running.target, full.ids, pid, total, home)
    rate = total / done.seconds
    report.add(Figure(export(sizes), RUNBENCH, done.seconds, "s", per_second=rate))
    report.add(Figure(grown(sizes), RUNBENCH, done.grown_bytes, "B"))


def _frames(each: int) -> Callable[[int], bytes]:
    producer = str(uuid.uuid4())
    return lambda number: packed(producer, number, *readings(number * each, each))


async def measure_through_buffer(
    running: own.Own, cluster: Cluster, sizes: Sizes, report: Report
) -> None:
    """Answered by Valkey; the clock runs until PostgreSQL has the last reading."""
    rig = await registered(running, sizes.sensors)
    for what, each, sensors in ((BUFFERED, BATCH, sizes.sensors), (BUFFERED_LARGE, FILL_BATCH, 40)):
        clients = [rig.client(sensor, PACKED, each) for sensor in range(sensors)]
        timing = await measure_buffered(
            running.target, clients, cluster, each=each, seconds=3 * sizes.seconds
        )
        report.time(what, RUNBENCH, timing, of=each)


def bytes_on_disk(cluster: Cluster) -> int:
    """Of all readings, with their indexes and without what is free again."""
    with psycopg.connect(f"{cluster.address}/experiment_db", autocommit=True) as connection:
        connection.execute("VACUUM FULL telemetry.chunks")
        found = connection.execute("SELECT pg_total_relation_size('telemetry.chunks')").fetchone()
    return int(found[0]) if found else 0


async def compacted(cluster: Cluster) -> None:
    """Return when the background work has merged what was written, or after a while."""
    deadline = time.monotonic() + COMPACTION_SECONDS
    with psycopg.connect(f"{cluster.address}/experiment_db", autocommit=True) as connection:
        while time.monotonic() < deadline:
            if connection.execute(TO_MERGE, {"target": TARGET}).fetchone() is None:
                return
            await asyncio.sleep(0.5)


def stored(cluster: Cluster) -> int:
    """Readings that stand in PostgreSQL."""
    with psycopg.connect(f"{cluster.address}/experiment_db") as connection:
        found = connection.execute(
            "SELECT coalesce(sum(count), 0) FROM telemetry.chunks"
        ).fetchone()
    return int(found[0]) if found else 0


async def _fill(target: Target, make: Callable[[int, int], bytes], points: int) -> float:
    """Write a long series; readings a second."""
    began = time.perf_counter()
    channels = [Channel(target) for _ in range(FILL_WRITERS)]
    for starts in batched(range(0, points, FILL_BATCH), FILL_WRITERS, strict=False):
        requests = [make(start, min(FILL_BATCH, points - start)) for start in starts]
        await asyncio.gather(
            *(channel.ask(request) for channel, request in zip(channels, requests, strict=False))
        )
    for channel in channels:
        channel.close()
    return points / (time.perf_counter() - began)


def readings(start: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Times and values of a signal at 100 Hz, as a sensor gives them: with a little noise."""
    at = np.arange(start, start + count)
    noise = (at * 2654435761 % 2**32) / 2**32
    return FIRST_TIME_US + at * INTERVAL_US, np.sin(at / 1000) * 10 + noise / 100


def _windows(sizes: Sizes, part: float) -> list[tuple[int, int]]:
    """Parts of the long series, each another one; the whole of it as often."""
    width = int(sizes.chart * part)
    starts = np.random.default_rng(7).integers(0, sizes.chart - width + 1, sizes.rounds)
    return [
        (FIRST_TIME_US + int(low) * INTERVAL_US, FIRST_TIME_US + (int(low) + width) * INTERVAL_US)
        for low in starts
    ]

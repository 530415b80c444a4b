"""Part `viewers`: what live viewers of one sensor cost the server, at rest and while it sends."""

import asyncio
import time
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil
from localpostgres import Cluster

from benchmarks import own
from benchmarks.load import Channel, Target
from benchmarks.machine import family
from benchmarks.report import Bar, Figure, Report
from benchmarks.telemetry import JSON, RUNBENCH, UNLIMITED, batch, readings, registered

SYSTEMS = [RUNBENCH]
VIEWERS = 100
EACH, EVERY_SECONDS = 10, 0.1
SERVICE = "telemetry-ingest-service"

REST = f"{VIEWERS} live viewers at rest, CPU"
BUSY = f"{VIEWERS} live viewers of a sensor at 100 Hz, CPU"
ALONE = "a sensor at 100 Hz without viewers, CPU"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How long is measured."""

    seconds: float = 20.0


QUICK = Sizes(seconds=8.0)

BARS = [
    Bar(
        REST,
        "less than 10 % of a core",
        lambda report: report.value(REST, RUNBENCH),
        lambda value: value < 0.1,
    )
]


def run(cluster: Cluster, sizes: Sizes, report: Report) -> None:
    """All of Runbench, and nobody else."""
    with own.runbench(cluster.address, UNLIMITED) as running:
        asyncio.run(_measure(running, sizes, report))


async def _measure(running: own.Own, sizes: Sizes, report: Report) -> None:
    rig = await registered(running, 1)
    where = urlsplit(running.target.address)
    path = f"/api/v1/telemetry/stream?sensor_id={rig.ids[0]}"
    asked = running.target.request("GET", path)
    sending = asyncio.create_task(_send(rig.targets[0]))
    await asyncio.sleep(2)
    await _cost(running, sizes, report, ALONE)
    sending.cancel()
    seen: list[int] = []
    watching = [
        asyncio.create_task(_watch(where.hostname or "", where.port or 80, asked, seen))
        for _ in range(VIEWERS)
    ]
    await asyncio.sleep(3)
    await _cost(running, sizes, report, REST)
    seen.clear()
    sending = asyncio.create_task(_send(rig.targets[0]))
    await asyncio.sleep(2)
    seen.clear()
    await _cost(running, sizes, report, BUSY)
    # Each viewer is told some nine times a second.
    assert len(seen) > VIEWERS * sizes.seconds * 2, len(seen)
    for task in (sending, *watching):
        task.cancel()
    await asyncio.gather(sending, *watching, return_exceptions=True)


async def _cost(running: own.Own, sizes: Sizes, report: Report, what: str) -> None:
    """The share of a core that the service takes, and what all processes take with PostgreSQL's."""
    service = psutil.Process(running.pids[SERVICE])
    everybody = family([*running.pids.values()])
    before = _seconds([service]), _seconds(everybody)
    began = time.perf_counter()
    await asyncio.sleep(sizes.seconds)
    took = time.perf_counter() - began
    of_service = (_seconds([service]) - before[0]) / took
    of_all = (_seconds(everybody) - before[1]) / took
    report.add(Figure(what, RUNBENCH, of_service, "cores"))
    report.add(Figure(f"{what} of all processes", RUNBENCH, of_all, "cores"))


def _seconds(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes if process.is_running()]
    return sum(one.user + one.system for one in times)


async def _watch(host: str, port: int, request: bytes, seen: list[int]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(request)
    try:
        while line := await reader.readline():
            if line.startswith(b"event: readings"):
                seen.append(1)
    finally:
        writer.close()


async def _send(target: Target) -> None:
    channel, producer = Channel(target), str(uuid.uuid4())
    number = 0
    while True:
        times, values = readings(number * EACH, EACH)
        await channel.ask(batch(target, JSON, producer, number, times, values))
        number += 1
        await asyncio.sleep(EVERY_SECONDS)

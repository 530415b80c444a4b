"""How events come to RabbitMQ: how soon after their commit, and how fast after an outage.

`python -m benchmarks.events`. A PostgreSQL with fsync, a RabbitMQ with a durable queue, and a
process that does nothing but relay, as it runs in each service. Times go from when a commit was
answered to when a consumer has the message.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median, quantiles
from time import perf_counter
from uuid import UUID

import aio_pika
import psutil
import uvloop
from aio_pika.abc import AbstractIncomingMessage
from aiohttp import web
from localpostgres.cluster import free_port
from pydantic import BaseModel
from servicekit.database import Database, database, open_database
from servicekit.events import Event, EventKind
from servicekit.ids import uuid7
from servicekit.logs import configure_logs
from servicekit.migrations import migrate
from servicekit.outbox import Relay, emit
from servicekit.sinks import RabbitMQ
from servicekit.testing.rabbitmq import Broker, keep

from benchmarks.database import database_server, make_database

HERE = "127.0.0.1"
SCHEMA = "told"
QUEUE = "benchmark"
AT_A_TIME = 500
# Events a second that programs and people cause, and for how long.
PACES = {20: 15, 200: 15}
CAUGHT_UP = 100_000
IN_A_ROW = 5_000
RUNS = 1_000
SECOND = 1_000.0


class Step(BaseModel):
    """As much as is told of a run."""

    status: str = "succeeded"
    experiment_id: UUID
    experiment_name: str = "digits"
    duration_seconds: float = 12.5


STEP = EventKind("run.succeeded", "A run ended well.", subject="run", data=Step)


@dataclass(slots=True)
class Heard:
    """When each event came for the first time."""

    at: dict[str, float] = field(default_factory=dict[str, float])

    def take(self, message: AbstractIncomingMessage) -> None:
        """Note one."""
        self.at.setdefault(message.message_id or "", perf_counter())

    async def until(self, count: int) -> None:
        """Wait for so many."""
        while len(self.at) < count:  # noqa: ASYNC110 - looking costs less than a signal a message
            await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(broker: Broker) -> AsyncGenerator[Heard]:
    """A consumer of the queue."""
    heard = Heard()

    async def take(message: AbstractIncomingMessage) -> None:
        heard.take(message)

    async with await aio_pika.connect(broker.url) as connection:
        queue = await (await connection.channel()).get_queue(QUEUE)
        await queue.consume(take, no_ack=True)
        yield heard


def step(run: UUID) -> Event:
    """One event of a run."""
    return STEP.event(
        Step(experiment_id=run), project_id=run, subject_id=run, subject_name="brave-otter-12"
    )


async def cause(pool: Database, run: UUID) -> tuple[str, float]:
    """One change with its event: the event's id, and when the commit was answered."""
    event = step(run)
    async with pool.acquire() as connection, connection.transaction():
        await emit(connection, [event])
    return str(event.id), perf_counter()


async def leave(pool: Database, runs: list[UUID], count: int) -> None:
    """Many events, of runs in no order, on their way."""
    chosen = Random(7).choices(runs, k=count)  # noqa: S311 - decides an order, guards nothing
    for first in range(0, count, AT_A_TIME):
        async with pool.acquire() as connection, connection.transaction():
            await emit(connection, [step(run) for run in chosen[first : first + AT_A_TIME]])


async def measure_delay(pool: Database, broker: Broker, runs: list[UUID], pace: int) -> None:
    """Events at a pace; how long each was on its way."""
    count = pace * PACES[pace]
    async with listening(broker) as heard:
        began = perf_counter()
        causing: list[asyncio.Task[tuple[str, float]]] = []
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / pace - perf_counter()))
            causing.append(asyncio.create_task(cause(pool, runs[number % len(runs)])))
        caused = await asyncio.gather(*causing)
        await heard.until(count)
    times = [(heard.at[event] - at) * SECOND for event, at in caused]
    print(
        f"{pace} events/s: p50 {median(times):.0f} ms, p95 {quantiles(times, n=20)[-1]:.0f} ms,"
        f" worst {max(times):.0f} ms",
        flush=True,
    )


async def measure_outage(
    pool: Database, broker: Broker, relay: psutil.Process, runs: list[UUID], count: int
) -> None:
    """Events that wait while the broker is away, and how they come when it is back."""
    broker.stop()
    try:
        await leave(pool, runs, count)
    finally:
        broker.start()
    back = perf_counter()
    before = sum(relay.cpu_times()[:2])
    async with listening(broker) as heard:
        await heard.until(1)
        first = perf_counter()
        await heard.until(count)
        took = perf_counter() - first
    spent = (sum(relay.cpu_times()[:2]) - before) / count * 1e6
    print(
        f"{count} events of {len(runs)} runs after an outage: the first {first - back:.1f} s after"
        f" the broker was back, all {took:.1f} s later, {count / took:.0f} events/s;"
        f" {spent:.0f} µs of the relay's processor each",
        flush=True,
    )


async def measure(url: str, broker: Broker, relay: psutil.Process) -> None:
    """All of it."""
    runs = [uuid7() for _ in range(RUNS)]
    await keep(broker, "#", queue=QUEUE)
    async with open_database(url, schema=SCHEMA, size=40) as pool:
        for pace in PACES:
            await measure_delay(pool, broker, runs, pace)
        await measure_outage(pool, broker, relay, runs, CAUGHT_UP)
        await measure_outage(pool, broker, relay, runs[:1], IN_A_ROW)


def serve(port: int, url: str, broker: str) -> None:
    """A service that does nothing but relay."""
    configure_logs("benchmark", level="error")
    app = web.Application()
    app.cleanup_ctx.append(database(url, schema=SCHEMA, size=5))
    app.cleanup_ctx.append(Relay([RabbitMQ(broker, service="benchmark")]).context)
    web.run_app(app, host=HERE, port=port, print=None, loop=uvloop.new_event_loop())


@contextmanager
def relaying(url: str, broker: Broker) -> Generator[psutil.Process]:
    """The process that relays, from when it is ready."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.events", str(port), url, broker.url]
    process = subprocess.Popen(command)
    try:
        while not _listens(port):
            process.poll()
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((HERE, port)) == 0


def main() -> None:
    """Start PostgreSQL, RabbitMQ and the relay, and measure."""
    with tempfile.TemporaryDirectory() as folder, database_server(Path(folder) / "pg") as cluster:
        url = make_database(cluster, "events")
        (none := Path(folder) / "migrations").mkdir()
        asyncio.run(migrate(url, none, schema=SCHEMA))
        broker = Broker(Path(folder) / "rabbitmq")
        broker.start()
        try:
            with relaying(url, broker) as relay:
                print(f"load {os.getloadavg()[0]:.1f} on {os.process_cpu_count()} cores")
                uvloop.run(measure(url, broker, relay))
        finally:
            broker.stop()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(int(sys.argv[1]), sys.argv[2], sys.argv[3])
    else:
        main()

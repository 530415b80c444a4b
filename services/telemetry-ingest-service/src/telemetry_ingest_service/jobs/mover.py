"""Moving what the buffer holds into PostgreSQL: one process a shard, and another when it dies."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import structlog
from aiohttp import web
from prometheus_client import Gauge
from servicekit.database import DATABASE, TROUBLE, Connection, Database

from telemetry_ingest_service.jobs.stream import Stream, StreamAway
from telemetry_ingest_service.jobs.writer import WAKEUPS
from telemetry_ingest_service.models.received import Unreadable, read_label
from telemetry_ingest_service.operations.moving import Displaced, Record, move, sensors_of
from telemetry_ingest_service.queries.buffer import (
    Place,
    lock_shard,
    select_shards,
    unlock_shard,
    upsert_place,
)

log = structlog.get_logger()

BYTES = Gauge("telemetry_buffer_bytes", "Bytes that wait in the buffer.", ["shard"])
BATCHES = Gauge("telemetry_buffer_batches", "Batches that wait in the buffer.", ["shard"])
LAG = Gauge("telemetry_buffer_lag_seconds", "Age of the oldest batch that waits.", ["shard"])

MOST_BYTES = 4 << 20
LOOK_SEC = 0.5
STANDBY_SEC = 1.0
MEASURE_SEC = 2.0


def movers(stream: Stream, *, shards: int) -> Callable[[web.Application], AsyncIterator[None]]:
    """Move every shard while the service runs, also those of an earlier setting.

    With no shards, what an earlier setting has left in the buffer is moved all the same.
    """

    async def context(app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(_move_all(app, stream, shards))
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await stream.close()

    return context


async def _move_all(app: web.Application, stream: Stream, shards: int) -> None:
    database, announce = app[DATABASE], app[WAKEUPS].announce
    known = set(range(shards))
    async with asyncio.TaskGroup() as tasks:
        for shard in known:
            tasks.create_task(_move_for_ever(database, stream, shard, announce))
        earlier = set(await _earlier_shards(database)) - known
        for shard in earlier:
            tasks.create_task(_move_for_ever(database, stream, shard, announce))
        if everything := known | earlier:
            tasks.create_task(_measure(stream, everything))


async def _earlier_shards(database: Database) -> list[int]:
    while True:
        try:
            async with database.acquire() as connection:
                return await select_shards(connection)
        except TROUBLE as exc:
            log.warning("buffer.unreadable", error=repr(exc))
        await asyncio.sleep(STANDBY_SEC)


async def _move_for_ever(
    database: Database, stream: Stream, shard: int, announce: Callable[[UUID], None]
) -> None:
    while True:
        try:
            async with database.acquire() as connection:
                if await lock_shard(connection, shard):
                    await _move_while_locked(connection, stream, shard, announce)
        except Displaced:
            log.warning("buffer.displaced", shard=shard)
        except StreamAway as exc:
            log.warning("buffer.away", shard=shard, error=str(exc))
        except TROUBLE as exc:
            log.warning("buffer.not_moved", shard=shard, error=repr(exc))
        except Exception:
            # Whatever it is, what was acknowledged waits for it to be mended.
            log.exception("buffer.not_moved", shard=shard)
        await asyncio.sleep(STANDBY_SEC)


async def _move_while_locked(
    connection: Connection, stream: Stream, shard: int, announce: Callable[[UUID], None]
) -> None:
    try:
        place = await upsert_place(connection, shard=shard)
        await stream.trim(shard, stream=place.stream, upto=place.position)
        while True:
            place = await _move_some(connection, stream, shard, place, announce)
    finally:
        await _unlock(connection, shard)


async def _unlock(connection: Connection, shard: int) -> None:
    given = False
    try:
        await unlock_shard(connection, shard)
        given = True
    except TROUBLE as exc:
        log.warning("buffer.not_unlocked", shard=shard, error=repr(exc))
    finally:
        if not given:
            # The lock ends with the connection, which the pool may have noticed to be gone.
            with contextlib.suppress(asyncpg.InterfaceError):
                connection.terminate()


async def _move_some(
    connection: Connection,
    stream: Stream,
    shard: int,
    place: Place,
    announce: Callable[[UUID], None],
) -> Place:
    """Move what there is behind a place, or wait for it; the place behind it."""
    read = await stream.read(
        shard, stream=place.stream, after=place.position, most_bytes=MOST_BYTES
    )
    if not read.records:
        await stream.wait(shard, after=place.position, seconds=LOOK_SEC)
        return place
    records = [Record.read(position, raw) for position, raw in read.records]
    place = await move(connection, shard, place, read.stream, records)
    for sensor_id in sensors_of(records):
        announce(sensor_id)
    await stream.trim(shard, stream=place.stream, upto=place.position)
    return place


async def _measure(stream: Stream, shards: set[int]) -> None:
    said: dict[int, str | None] = {}
    while True:
        for shard in shards:
            with contextlib.suppress(StreamAway):  # whoever moves says it
                trouble = await stream.trouble(shard)
                if trouble and trouble != said.get(shard):
                    log.error("buffer.not_durable", shard=shard, reason=trouble)
                said[shard] = trouble
                depth = await stream.depth(shard)
                BYTES.labels(str(shard)).set(depth.waiting)
                BATCHES.labels(str(shard)).set(depth.records)
                LAG.labels(str(shard)).set(_age(depth.oldest))
        await asyncio.sleep(MEASURE_SEC)


def _age(record: bytes | None) -> float:
    if record is None:
        return 0
    try:
        received = read_label(record).received_us / 1_000_000
    except Unreadable:
        return 0
    return max(0, datetime.now(UTC).timestamp() - received)

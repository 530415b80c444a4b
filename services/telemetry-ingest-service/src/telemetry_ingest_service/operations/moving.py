"""Moving records of the buffer into the tables, each once, whatever fails in between.

How far a shard was moved changes in the transaction that stores what lies before it, and only from
the place where it was known to be. So of two who move the same records one stores them, and after a
crash whoever goes on begins behind what is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from servicekit.database import Connection

from telemetry_ingest_service.models.received import Received, Unreadable, unpack_record
from telemetry_ingest_service.operations.ingest import count_stored, store
from telemetry_ingest_service.operations.set_aside import is_poison, put_aside, put_record_aside
from telemetry_ingest_service.queries.buffer import Place, update_place

_MINUTE_US = 60_000_000


class Displaced(Exception):
    """Somebody else moves this shard."""


@dataclass(frozen=True, slots=True)
class Record:
    """What lies in the buffer up to a place: a request, or why it cannot be read."""

    position: int
    raw: bytes
    received: Received | Unreadable

    @classmethod
    def read(cls, position: int, raw: bytes) -> "Record":
        """The record as it lies there."""
        try:
            return cls(position, raw, unpack_record(raw))
        except Unreadable as exc:
            return cls(position, raw, exc)


async def move(
    connection: Connection, shard: int, before: Place, stream: str, records: Sequence[Record]
) -> Place:
    """Store records that lie behind a place, and answer the place behind them.

    Raises:
        Displaced: the shard is no longer where `before` says.
    """
    for part in _by_minute(records):
        before = await _move(connection, shard, before, stream, part)
    return before


def sensors_of(records: Sequence[Record]) -> set[UUID]:
    """Who sent them."""
    return {
        record.received.sensor_id for record in records if isinstance(record.received, Received)
    }


def _by_minute(records: Sequence[Record]) -> list[list[Record]]:
    """Parts of one minute each, because heartbeats count by the minute of the receipt."""
    parts: list[list[Record]] = []
    minute = None
    for record in records:
        at = minute
        if isinstance(record.received, Received):
            at = record.received.received_us // _MINUTE_US
        if not parts or at != minute:
            parts.append([])
        parts[-1].append(record)
        minute = at
    return parts


async def _move(
    connection: Connection, shard: int, before: Place, stream: str, records: Sequence[Record]
) -> Place:
    after = Place(stream, records[-1].position)
    try:
        await _store(connection, shard, before, after, records)
    except Exception as exc:
        if not is_poison(exc):
            raise
        if len(records) == 1:
            await _set_aside(connection, shard, before, after, records[0], exc)
        else:
            # One of them is to blame: halves, until it is alone.
            middle = len(records) // 2
            for half in (records[:middle], records[middle:]):
                before = await _move(connection, shard, before, stream, half)
    return after


async def _store(
    connection: Connection, shard: int, before: Place, after: Place, records: Sequence[Record]
) -> None:
    found: list[Received] = []
    for record in records:
        if isinstance(record.received, Unreadable):
            raise record.received
        found.append(record.received)
    latest = max(received.received_us for received in found)
    async with connection.transaction():
        await _go_on(connection, shard, before, after)
        receipts = await store(
            connection, found, at=datetime.fromtimestamp(latest / 1_000_000, UTC)
        )
    count_stored(found, receipts)


async def _set_aside(
    connection: Connection,
    shard: int,
    before: Place,
    after: Place,
    record: Record,
    exc: Exception,
) -> None:
    async with connection.transaction():
        await _go_on(connection, shard, before, after)
        if isinstance(record.received, Received):
            await put_aside(connection, record.received, exc)
        else:
            await put_record_aside(connection, record.raw, exc)


async def _go_on(connection: Connection, shard: int, before: Place, after: Place) -> None:
    if not await update_place(connection, shard=shard, before=before, after=after):
        raise Displaced

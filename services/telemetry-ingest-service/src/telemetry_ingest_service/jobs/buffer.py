"""Taking requests into the buffer: they are answered once Valkey has written them down.

While Valkey is away, requests go straight to PostgreSQL, which keeps them at least as well. One
whose fate in Valkey is not known goes there too, because every batch has a name by then, and is
stored once however often it comes.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from time import monotonic
from typing import cast

import structlog
from aiohttp import web
from seriesstore.group import GroupCommit
from servicekit.ids import uuid7

from telemetry_ingest_service.jobs.stream import Stream, StreamAway, StreamFull
from telemetry_ingest_service.jobs.writer import (
    DIRECT,
    MOST_TOGETHER,
    MOST_WAITING,
    WRITER,
    weigh,
)
from telemetry_ingest_service.models.received import Received, pack_record
from telemetry_ingest_service.operations.ingest import BufferFull, Stored

log = structlog.get_logger()

AGAIN_SEC = 1.0
# Groups on their way to Valkey at the same time.
WRITERS = 2


class Buffered:
    """A `Writer` that answers before PostgreSQL has what it took."""

    def __init__(
        self, stream: Stream, direct: GroupCommit[Received, Stored], *, shards: int
    ) -> None:
        self._stream = stream
        self._direct = direct
        self._shards = shards
        self._away_until: dict[int, float] = {}
        self._group = GroupCommit(
            self._add,
            weigh=weigh,
            most=MOST_TOGETHER,
            most_waiting=MOST_WAITING,
            writers=WRITERS,
        )

    async def submit(self, item: Received) -> Stored:
        """Keep the request; see `Writer.submit`."""
        # Under a name it is stored once, even if it is read again.
        item.sent.id = item.sent.id or uuid7()
        shard = shard_of(item, self._shards)
        if self._away_until.get(shard, 0) <= monotonic():
            try:
                return await self._group.submit(item)
            except StreamAway as exc:
                if self._away_until.get(shard, 0) <= monotonic():
                    log.warning("buffer.away", shard=shard, error=str(exc))
                self._away_until[shard] = monotonic() + AGAIN_SEC
        return await self._direct.submit(item)

    async def drain(self) -> None:
        """Wait until everything that was submitted is kept."""
        await self._group.drain()

    async def _add(self, requests: Sequence[Received]) -> list[Stored | Exception]:
        shards: dict[int, list[int]] = defaultdict(list)
        for number, received in enumerate(requests):
            shards[shard_of(received, self._shards)].append(number)
        answers: list[Stored | Exception | None] = [None] * len(requests)
        await asyncio.gather(
            *(
                self._add_to(shard, [requests[n] for n in numbers], numbers, answers)
                for shard, numbers in shards.items()
            )
        )
        return cast("list[Stored | Exception]", answers)

    async def _add_to(
        self,
        shard: int,
        requests: Sequence[Received],
        numbers: Sequence[int],
        answers: list[Stored | Exception | None],
    ) -> None:
        failed: Exception = BufferFull()
        try:
            taken = await self._stream.add(shard, [pack_record(each) for each in requests])
        except StreamFull:
            taken = 0
        except StreamAway as exc:
            taken, failed = 0, exc
        for place, (number, received) in enumerate(zip(numbers, requests, strict=True)):
            answers[number] = (
                Stored(accepted=received.sent.count, duplicate=False) if place < taken else failed
            )


def shard_of(received: Received, shards: int) -> int:
    """Where the requests of a sensor go, in their order."""
    return received.sensor_id.int % shards


def buffered(stream: Stream, *, shards: int) -> Callable[[web.Application], AsyncIterator[None]]:
    """Take requests into the buffer while the service runs; stands behind `writer`."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        app[WRITER] = buffer = Buffered(stream, app[DIRECT], shards=shards)
        yield
        await buffer.drain()

    return context

"""Taking a body in at constant memory: hashed and written while the next bytes arrive."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from time import monotonic

from servicekit.problems import RequestTimeout

from artifact_service.models.kinds import HEAD_BYTES
from artifact_service.stores.contract import Sink

BLOCK_BYTES = 1 << 20
# A client that sends less than this in a while is sent away; what it sent is forgotten.
LEAST_BYTES = 64 << 10
LEAST_WITHIN_SEC = 15.0


@dataclass(frozen=True, slots=True)
class Received:
    """What a body was; of its bytes the first few."""

    size: int
    sha256: bytes
    head: bytes


async def receive(chunks: AsyncIterator[bytes], sink: Sink) -> Received:
    """Write the chunks to the sink, in blocks, one of them in flight.

    Raises:
        RequestTimeout: they come too slowly, see `at_least`.
        StoreFull, StoreUnavailable: see `Sink.write`.
    """
    digest = hashlib.sha256()

    async def keep(block: bytes) -> None:
        await asyncio.gather(asyncio.to_thread(digest.update, block), sink.write(block))

    size, head = 0, b""
    in_flight: asyncio.Future[None] | None = None
    try:
        async for block in _blocks(chunks):
            head = head or block[:HEAD_BYTES]
            size += len(block)
            if in_flight:
                await in_flight
            in_flight = asyncio.ensure_future(keep(block))
        if in_flight:
            await in_flight
    finally:
        if in_flight and not in_flight.done():
            await asyncio.wait([in_flight])
    return Received(size, digest.digest(), head)


async def at_least(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks, as long as enough of them come: 64 KiB in each 15 s, or the end.

    Raises:
        RequestTimeout: they come slower.
    """
    end, window = monotonic() + LEAST_WITHIN_SEC, 0
    while True:
        try:
            async with asyncio.timeout(max(0.0, end - monotonic())):
                chunk = await anext(chunks, None)
        except TimeoutError as exc:
            msg = f"An upload must bring {LEAST_BYTES} bytes in {LEAST_WITHIN_SEC:g} s."
            raise RequestTimeout(msg) from exc
        if chunk is None:
            return
        window += len(chunk)
        if window >= LEAST_BYTES:
            end, window = monotonic() + LEAST_WITHIN_SEC, 0
        yield chunk


async def _blocks(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    held: list[bytes] = []
    size = 0
    async for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= BLOCK_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)

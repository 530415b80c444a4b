"""A load of WebSocket frames, made before the clock runs and sent so cheaply that little of it is
measured: several frames of each connection are under way at a time.
"""

import asyncio
import gc
import statistics
import struct
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import cast, override
from urllib.parse import urlsplit

from benchmarks.load import HEAD_END, LoadFailed, Target, Timing

PATIENCE_SEC = 60.0
# As many as the service takes of one connection before it stops reading; in all less than what
# it lets wait (`MOST_WAITING` of its writer).
WINDOW, MOST_BYTES = 32, 8 << 20
# A final binary frame. A mask of zeros leaves what it masks as it is.
BINARY, MASKED, NO_MASK = 0x82, 0x80, bytes(4)
SHORT, LONG = 126, 127
ONE_BYTE, TWO_BYTES = 125, 65_535
TEXT, PING = 0x1, 0x9


def frame(content: bytes) -> bytes:
    """What a client sends as one binary message (RFC 6455, section 5.2)."""
    size = len(content)
    if size <= ONE_BYTE:
        head = struct.pack("!BB", BINARY, MASKED | size)
    elif size <= TWO_BYTES:
        head = struct.pack("!BBH", BINARY, MASKED | SHORT, size)
    else:
        head = struct.pack("!BBQ", BINARY, MASKED | LONG, size)
    return head + NO_MASK + content


class Socket(asyncio.Protocol):
    """One WebSocket on which each frame is answered by one."""

    def __init__(self, target: Target, path: str, window: int) -> None:
        self._window = window
        self._target, self._path = target, path
        self._transport: asyncio.WriteTransport | None = None
        self._received = bytearray()
        self._open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._done: asyncio.Future[None] | None = None
        self._to_send: deque[bytes] = deque()
        self._sent: deque[float] = deque()
        self._latencies: list[float] = []

    async def open(self) -> None:
        """Connect."""
        where = urlsplit(self._target.address)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, where.hostname or "127.0.0.1", where.port or 80)
        assert self._transport is not None
        asked = self._target.request("GET", self._path).removesuffix(HEAD_END)
        upgrade = b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
        key = b"\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        self._transport.write(asked + upgrade + key + HEAD_END)
        await asyncio.wait_for(self._open, PATIENCE_SEC)

    async def ask(self, frames: Sequence[bytes]) -> list[float]:
        """Send all of them; how long each took (s), where answers come in the order of frames."""
        self._to_send, self._latencies = deque(frames), []
        self._done = asyncio.get_running_loop().create_future()
        self._send(min(self._window, len(self._to_send)))
        await asyncio.wait_for(self._done, PATIENCE_SEC)
        return self._latencies

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the server closed the socket ({exc})")

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._open.done():
            end = self._received.find(HEAD_END)
            if end < 0:
                return
            if not self._received.startswith(b"HTTP/1.1 101"):
                self._fail(self._received.decode(errors="replace"))
                return
            del self._received[: end + len(HEAD_END)]
            self._open.set_result(None)
        answered = self._read_frames()
        if self._done is None or self._done.done():
            return
        if answered:
            self._send(min(answered, len(self._to_send)))
        if not self._sent:
            self._done.set_result(None)

    def _read_frames(self) -> int:
        """Take whole frames from what has come; how many answers were among them."""
        at, now, answered = 0, time.perf_counter(), 0
        received = self._received
        while len(received) - at >= 2:
            size, begin = received[at + 1], at + 2
            if size == SHORT:
                size, begin = int.from_bytes(received[at + 2 : at + 4]), at + 4
            if size == LONG:
                size, begin = int.from_bytes(received[at + 2 : at + 10]), at + 10
            if len(received) < begin + size:
                break
            kind, content = received[at] & 0xF, received[begin : begin + size]
            at = begin + size
            if kind == TEXT and b'"accepted"' in content:
                answered += 1
                self._latencies.append(now - self._sent.popleft())
            elif kind != PING:
                self._fail(content.decode(errors="replace"))
                break
        del received[:at]
        return answered

    def _send(self, count: int) -> None:
        if not count or self._transport is None:
            return
        now = time.perf_counter()
        frames = [self._to_send.popleft() for _ in range(count)]
        self._sent.extend([now] * count)
        self._transport.write(b"".join(frames))

    def _fail(self, why: str) -> None:
        for waited in (self._open, self._done):
            if waited is not None and not waited.done():
                waited.set_exception(LoadFailed(why))


async def measure_frames(
    path: str,
    clients: Sequence[tuple[Target, Callable[[int], bytes]]],
    *,
    seconds: float,
    rounds: int = 3,
) -> Timing:
    """Rounds of about so many seconds, in which every client sends the frames that it makes.

    A short round before them tells the pace. The rate is the median of the rounds.
    """
    size = max(len(make(0)) for _, make in clients)
    window = max(1, min(WINDOW, MOST_BYTES // size // len(clients)))
    sockets = [Socket(target, path, window) for target, _ in clients]
    await asyncio.gather(*(socket.open() for socket in sockets))
    asked = 0

    async def one_round(each: int) -> tuple[list[float], float]:
        nonlocal asked
        loads = [[frame(make(asked + number)) for number in range(each)] for _, make in clients]
        asked += each
        gc.collect()
        gc.disable()
        try:
            began = time.perf_counter()
            found = await asyncio.gather(
                *(socket.ask(load) for socket, load in zip(sockets, loads, strict=True))
            )
            took = time.perf_counter() - began
        finally:
            gc.enable()
        return [latency for latencies in found for latency in latencies], took

    try:
        await one_round(WINDOW)
        _, took = await one_round(WINDOW)
        each = max(window, round(WINDOW * seconds / took))
        done = [await one_round(each) for _ in range(rounds)]
    finally:
        for socket in sockets:
            socket.close()
    return Timing(
        [latency for latencies, _ in done for latency in latencies],
        statistics.median(len(latencies) / took for latencies, took in done),
    )

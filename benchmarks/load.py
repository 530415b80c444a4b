"""A load of HTTP requests, made before the clock runs and sent so cheaply that it is not measured.

The generator shares the machine with what it measures, so a client is one bare connection.
"""

import asyncio
import gc
import math
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import cast, override
from urllib.parse import urlsplit

import orjson

PATIENCE_SEC = 180.0
MOST_REQUESTS = 4000
HEAD_END = b"\r\n\r\n"
CHUNKS_END = b"0\r\n\r\n"
OK, EMPTY = 200, 204


class LoadFailed(Exception):
    """A server did not answer a request of the load as it should."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server under load: its address and the headers that every request carries."""

    name: str
    address: str
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def request(
        self, method: str, path: str, body: object = None, *, kind: str = "application/json"
    ) -> bytes:
        """The bytes of one request; a body of bytes goes as it is, any other as JSON."""
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(self.address).netloc}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if body is not None:
            lines += [f"Content-Type: {kind}", f"Content-Length: {len(content)}"]
        return "\r\n".join(lines).encode() + HEAD_END + content


@dataclass(frozen=True, slots=True)
class Timing:
    """How long requests took (seconds), over all rounds, and how many a second went through."""

    latencies: list[float]
    per_second: float

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.latencies)

    @property
    def p95(self) -> float:
        """Seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, math.ceil(0.95 * len(ordered)) - 1)]


class Channel(asyncio.Protocol):
    """One connection that is kept; one request is under way at a time."""

    def __init__(self, target: Target) -> None:
        where = urlsplit(target.address)
        self._host, self._port = where.hostname or "127.0.0.1", where.port or 80
        self._transport: asyncio.WriteTransport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._received = bytearray()
        self._length: int | None = None  # of the whole answer; None until its head is here
        self._chunked = self._closing = False

    async def ask(self, request: bytes) -> bytes:
        """Send a request; the body of the answer, which must be 200."""
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            await loop.create_connection(lambda: self, self._host, self._port)
        self._received.clear()
        self._length, self._chunked, self._closing = None, False, False
        self._answer = loop.create_future()
        assert self._transport is not None
        self._transport.write(request)
        answer = await asyncio.wait_for(self._answer, PATIENCE_SEC)
        if self._closing:
            self.close()
        return answer

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._length is None and not self._chunked:
            self._read_head()
        if self._chunked and self._received.endswith(CHUNKS_END):
            self._finish(_unchunked(self._body()))
        elif self._length is not None and len(self._received) >= self._length:
            self._finish(self._body())

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(LoadFailed(f"the server closed the connection ({exc})"))

    def _read_head(self) -> None:
        end = self._received.find(HEAD_END)
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        self._closing = b"\r\nconnection: close" in head
        self._chunked = b"\r\ntransfer-encoding: chunked" in head
        if not self._chunked:
            _, _, rest = head.partition(b"\r\ncontent-length:")
            self._length = end + len(HEAD_END) + int(rest.split(b"\r\n", 1)[0] or 0)

    def _body(self) -> bytes:
        return bytes(self._received[self._received.find(HEAD_END) + len(HEAD_END) :])

    def _finish(self, body: bytes) -> None:
        assert self._answer is not None
        status = int(self._received[9:12])
        if status in (OK, OK + 1, EMPTY):
            self._answer.set_result(body)
        else:
            self._answer.set_exception(LoadFailed(f"{status}: {body[:500].decode()}"))


def _unchunked(data: bytes) -> bytes:
    pieces: list[bytes] = []
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        pieces.append(data[:length])
        data = data[length + 2 :]
    return b"".join(pieces)


type Make = Callable[[int], bytes]
"""The nth request of a client."""


async def measure(
    target: Target,
    clients: Sequence[Make],
    *,
    seconds: float,
    rounds: int = 3,
    least: int = 1,
    beside: Callable[[], Awaitable[object]] | None = None,
) -> Timing:
    """Rounds of about so many seconds, each client sending its requests one after the other.

    A short round before them warms the server up and tells its pace. The rate is the
    median of the rounds. `beside` is awaited in the midst of the last round.
    """
    channels = [Channel(target) for _ in clients]
    asked = 0

    async def one_round(each: int) -> tuple[list[float], float]:
        nonlocal asked
        loads = [[make(asked + number) for number in range(each)] for make in clients]
        asked += each
        gc.collect()
        gc.disable()
        try:
            began = time.perf_counter()
            found = await asyncio.gather(*map(_send, channels, loads))
            took = time.perf_counter() - began
        finally:
            gc.enable()
        return [latency for latencies in found for latency in latencies], took

    try:
        pace = await _pace(one_round, seconds)
        each = min(MOST_REQUESTS, max(least, round(seconds / pace)))
        done: list[tuple[list[float], float]] = []
        for number in range(rounds):
            companion = None
            if beside and number == rounds - 1:
                companion = asyncio.create_task(_halfway(beside, seconds / 2))
            done.append(await one_round(each))
            if companion:
                await companion
    finally:
        for channel in channels:
            channel.close()
    return Timing(
        [latency for latencies, _ in done for latency in latencies],
        statistics.median(len(latencies) / took for latencies, took in done),
    )


async def _pace(
    one_round: Callable[[int], Awaitable[tuple[list[float], float]]], seconds: float
) -> float:
    """Seconds that a client takes for a request, once it is warm."""
    each = 1
    while True:
        _, took = await one_round(each)
        if took >= seconds / 4 or each >= MOST_REQUESTS:
            return took / each
        each *= 4


async def _send(channel: Channel, requests: list[bytes]) -> list[float]:
    latencies: list[float] = []
    for request in requests:
        began = time.perf_counter()
        await channel.ask(request)
        latencies.append(time.perf_counter() - began)
    return latencies


async def _halfway(beside: Callable[[], Awaitable[object]], seconds: float) -> None:
    await asyncio.sleep(seconds)
    await beside()

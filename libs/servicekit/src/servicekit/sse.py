"""Server-sent events (WHATWG HTML, section 9.2): resumable, never buffered, never in the way."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Self

import structlog
from aiohttp import web

log = structlog.get_logger()

HEARTBEAT_SEC = 15.0
STALL_SEC = 20.0
RETRY_MS = 2000


class EventStream:
    """An open event stream; every write is bounded in time, so a stalled viewer is dropped."""

    def __init__(self, response: web.StreamResponse) -> None:
        self._response = response

    async def send(self, event: str, data: str | bytes, *, event_id: str | None = None) -> None:
        """Send one event; `data` is one line of JSON."""
        text = data if isinstance(data, str) else data.decode()
        head = f"id: {event_id}\n" if event_id is not None else ""
        await self._write(f"{head}event: {event}\ndata: {text}\n\n")

    async def heartbeat(self) -> None:
        """Keep the connection open through proxies, and notice a viewer that has left."""
        await self._write(":\n\n")

    async def open(self) -> Self:
        """Say how long to wait before connecting again."""
        await self._write(f"retry: {RETRY_MS}\n\n")
        return self

    async def _write(self, text: str) -> None:
        async with asyncio.timeout(STALL_SEC):
            await self._response.write(text.encode())


def last_event_id(request: web.Request) -> str | None:
    """Where the viewer wants to go on: `Last-Event-ID`, or `?after=` on a first connection."""
    return request.headers.get("Last-Event-ID") or request.query.get("after")


@asynccontextmanager
async def event_stream(
    request: web.Request,
) -> AsyncGenerator[tuple[web.StreamResponse, EventStream]]:
    """Answer with an event stream; leaving the block ends it, and so does the viewer's leaving."""
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-cache, no-transform",
            "X-Accel-Buffering": "no",
        }
    )
    await response.prepare(request)
    stream = EventStream(response)
    try:
        await stream.open()
        yield response, stream
    except (ConnectionError, TimeoutError):
        # The viewer is gone or does not read; it comes back with its Last-Event-ID.
        _abort(request)
    except Exception:
        # The head is out, so no problem document can follow; the viewer comes back here, too.
        log.exception("stream.crashed")
        _abort(request)


def _abort(request: web.Request) -> None:
    if request.transport:
        request.transport.abort()

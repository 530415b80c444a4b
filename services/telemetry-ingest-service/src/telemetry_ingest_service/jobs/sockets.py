"""A WebSocket of a sensor: frames are taken side by side, so that they share commits."""

import asyncio
from collections.abc import Awaitable
from typing import Any, Protocol

import orjson
from aiohttp import WSCloseCode, WSMsgType, web
from servicekit.application import problem_of
from servicekit.problems import Problem, Unauthenticated

from telemetry_ingest_service.models.readings import Accepted, Sent

HEARTBEAT_SEC = 10.0
# What one connection may have waiting; then nothing more is read from it.
FRAMES_WAITING = 32


class Take(Protocol):
    """Stores a frame."""

    def __call__(self, raw: bytes, *, packed: bool) -> Awaitable[tuple[Sent, Accepted]]: ...


class Socket:
    """One connection."""

    def __init__(self, take: Take, *, most_bytes: int, ending: asyncio.Event) -> None:
        self._take = take
        self._ending = ending
        self._response = web.WebSocketResponse(heartbeat=HEARTBEAT_SEC, max_msg_size=most_bytes)
        self._room = asyncio.Semaphore(FRAMES_WAITING)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Take frames until one of the two sides ends the connection."""
        await self._response.prepare(request)
        watch = asyncio.create_task(self._close_at_the_end())
        number = 0
        try:
            async with asyncio.TaskGroup() as frames:
                async for message in self._response:
                    number += 1
                    await self._room.acquire()
                    match message.type:
                        case WSMsgType.TEXT:
                            raw, packed = message.data.encode(errors="surrogatepass"), False
                        case WSMsgType.BINARY:
                            raw, packed = bytes(message.data), True
                        case _:
                            break
                    frames.create_task(self._answer(number, raw, packed=packed))
        finally:
            watch.cancel()
        return self._response

    async def _answer(self, number: int, raw: bytes, *, packed: bool) -> None:
        try:
            try:
                sent, accepted = await self._take(raw, packed=packed)
            except Unauthenticated as exc:
                await self._say({"error": exc.document(), "sequence": number})
                await self._response.close(
                    code=WSCloseCode.POLICY_VIOLATION, message=b"the token has ended"
                )
            except Exception as exc:
                problem = exc if isinstance(exc, Problem) else problem_of(exc)
                wait = problem.headers.get("Retry-After")
                said: dict[str, Any] = {"error": problem.document(), "sequence": number}
                await self._say(said | ({"retry_after": int(wait)} if wait else {}))
            else:
                ack = number if sent.sequence is None else sent.sequence
                await self._say({"ack": ack} | accepted.model_dump(mode="json"))
        finally:
            self._room.release()

    async def _say(self, document: dict[str, Any]) -> None:
        if self._response.closed:
            return
        try:
            await self._response.send_str(orjson.dumps(document).decode())
        except ConnectionError:  # it is gone; whoever hears no answer sends again
            return

    async def _close_at_the_end(self) -> None:
        await self._ending.wait()
        await self._response.close(code=WSCloseCode.GOING_AWAY)

"""Telling every process that something has news, through Valkey's publish and subscribe.

A message is only a hint to look into the database: one that is lost delays a live view until
its reader looks by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast
from uuid import UUID

import structlog
from aiohttp import web
from valkey.asyncio import Valkey

from servicekit.broker import FAILURES, Broker

log = structlog.get_logger()

GATHER_SEC = 0.02
RETRY_SEC = 1.0
CONNECT_SEC = 2.0
# Ids a message: 16 bytes each.
MOST_TOGETHER = 1000


class Wakeups:
    """Sends and receives the hints of one channel; without an address they stay in this process."""

    def __init__(self, url: str, channel: str) -> None:
        self._url = url
        self._channel = channel
        self._wake: Callable[[UUID], None] | None = None
        self._waiting: set[UUID] = set()
        self._any_waiting = asyncio.Event()
        self.connected = False

    def listen(self, wake: Callable[[UUID], None]) -> None:
        """Call `wake` with the id of everything that has news, in whichever process it came."""
        self._wake = wake

    def announce(self, changed: UUID) -> None:
        """Say that it has news; never waits."""
        if self._wake:
            self._wake(changed)
        if self._url:
            self._waiting.add(changed)
            self._any_waiting.set()

    async def context(self, _app: web.Application) -> AsyncIterator[None]:
        """Keep the connections while the service runs."""
        talks = (self._send, self._receive) if self._url else ()
        tasks = [asyncio.create_task(self._keep(talk)) for talk in talks]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, talk: Callable[[Valkey], Awaitable[None]]) -> None:
        while True:
            # What one node of a cluster is told, those who listen at another hear too.
            broker = Broker(self._url, connect_sec=CONNECT_SEC, answer_sec=None)
            try:
                await talk(await broker.any())
            except FAILURES as exc:
                log.warning("wakeups.unreachable", error=repr(exc))
            finally:
                await broker.close()
            await asyncio.sleep(RETRY_SEC)

    async def _send(self, client: Valkey) -> None:
        while True:
            await self._any_waiting.wait()
            self._any_waiting.clear()
            waiting, self._waiting = [changed.bytes for changed in self._waiting], set()
            for start in range(0, len(waiting), MOST_TOGETHER):
                together = b"".join(waiting[start : start + MOST_TOGETHER])
                await client.publish(self._channel, together)  # pyright: ignore[reportUnknownMemberType]
            # However much comes, its hint goes out a few times a second.
            await asyncio.sleep(GATHER_SEC)

    async def _receive(self, client: Valkey) -> None:
        async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(self._channel)  # pyright: ignore[reportUnknownMemberType]
            self.connected = True
            try:
                messages = cast("AsyncIterator[dict[str, bytes]]", pubsub.listen())  # pyright: ignore[reportUnknownMemberType]
                async for message in messages:
                    self._take(message["data"])
            finally:
                self.connected = False

    def _take(self, data: bytes) -> None:
        if len(data) % 16:
            log.warning("wakeups.unreadable", data=repr(data))
            return
        if self._wake:
            for start in range(0, len(data), 16):
                self._wake(UUID(bytes=data[start : start + 16]))

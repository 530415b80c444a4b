"""Telling every process that a run has new points, through Valkey's publish and subscribe.

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
from valkey.exceptions import ValkeyError

log = structlog.get_logger()

CHANNEL = "runbench:metrics"
GATHER_SEC = 0.02
RETRY_SEC = 1.0
CONNECT_SEC = 2.0


class Wakeups:
    """Sends and receives the hints; without an address they stay in this process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._wake: Callable[[UUID], None] | None = None
        self._waiting: set[UUID] = set()
        self._any_waiting = asyncio.Event()
        self.connected = False

    def listen(self, wake: Callable[[UUID], None]) -> None:
        """Call `wake` with every run that has new points, wherever they were logged."""
        self._wake = wake

    def announce(self, run_id: UUID) -> None:
        """Say that the run has new points; never waits."""
        if self._wake:
            self._wake(run_id)
        if self._url:
            self._waiting.add(run_id)
            self._any_waiting.set()

    async def context(self, app: web.Application) -> AsyncIterator[None]:
        """Keep the connections while the service runs."""
        app[WAKEUPS] = self
        talks = (self._send, self._receive) if self._url else ()
        tasks = [asyncio.create_task(self._keep(talk)) for talk in talks]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, talk: Callable[[Valkey], Awaitable[None]]) -> None:
        while True:
            client = Valkey.from_url(
                self._url,
                socket_connect_timeout=CONNECT_SEC,
                socket_timeout=None,
                socket_keepalive=True,
            )
            try:
                await talk(client)
            except (ValkeyError, OSError, TimeoutError) as exc:
                log.warning("wakeups.unreachable", error=repr(exc))
            finally:
                await client.aclose()
            await asyncio.sleep(RETRY_SEC)

    async def _send(self, client: Valkey) -> None:
        while True:
            await self._any_waiting.wait()
            self._any_waiting.clear()
            runs, self._waiting = self._waiting, set()
            async with client.pipeline(transaction=False) as pipeline:
                for run_id in runs:
                    pipeline.publish(CHANNEL, str(run_id))  # pyright: ignore[reportUnknownMemberType]
                await pipeline.execute()
            # However fast a run logs, its hint goes out a few times a second.
            await asyncio.sleep(GATHER_SEC)

    async def _receive(self, client: Valkey) -> None:
        async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(CHANNEL)  # pyright: ignore[reportUnknownMemberType]
            self.connected = True
            try:
                messages = cast("AsyncIterator[dict[str, bytes]]", pubsub.listen())  # pyright: ignore[reportUnknownMemberType]
                async for message in messages:
                    self._take(message["data"])
            finally:
                self.connected = False

    def _take(self, data: bytes) -> None:
        try:
            run_id = UUID(data.decode())
        except ValueError:
            log.warning("wakeups.unreadable", data=repr(data))
            return
        if self._wake:
            self._wake(run_id)


WAKEUPS = web.AppKey("wakeups", Wakeups)

"""What the live views of runs are fed from: one reader a process, however many watch.

The reader keeps the newest events of each project that is watched; a viewer holds no more than
its place. Who is in step takes the events that were read for all, who is behind reads for
itself at its own pace. An idle viewer costs a comment every 15 seconds and its part of one
small statement for all watched projects.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from uuid import UUID

import structlog
from aiohttp import web
from prometheus_client import Gauge
from servicekit.application import LIFECYCLE
from servicekit.database import DATABASE, TROUBLE, Database
from servicekit.problems import Problem, Unavailable
from servicekit.sse import HEARTBEAT_SEC, EventStream
from servicekit.wakeups import Wakeups

from experiment_service.models.changes import Place, RunEvent
from experiment_service.operations.run_changes import (
    Progress,
    read_changes,
    read_last_changes,
    read_metrics_moves,
    read_recent_place,
)

log = structlog.get_logger()

VIEWERS = Gauge("run_stream_viewers", "Open live streams of runs.")

POLL_SEC = 0.5
POLL_WHEN_WOKEN_SEC = 5.0
PAUSE_SEC = 0.05
METRICS_EVERY_SEC = 2.0
ADMIT_EVERY_SEC = 5.0
KEPT_BYTES = 1 << 20

type Admit = Callable[[], Awaitable[None]]


class Feed:
    """The newest events of one project's runs, numbered as they came."""

    def __init__(self, project_id: UUID, place: Place) -> None:
        self.project_id = project_id
        self.place = place
        self.number = 0
        self.viewers = 0
        self.closed = False
        self.changed = asyncio.Event()
        self.progress: Progress | None = None
        self._recent: deque[RunEvent] = deque()
        self._kept = 0

    def add(self, events: list[RunEvent]) -> None:
        """Take events behind the ones before."""
        for event in events:
            self._recent.append(event)
            self._kept += len(event.data)
            self.number += 1
            self.place = event.place or self.place
        while self._kept > KEPT_BYTES and len(self._recent) > 1:
            self._kept -= len(self._recent.popleft().data)
        if events:
            self._tell()

    def after(self, number: int) -> list[RunEvent] | None:
        """The events behind that number; None where some of them are no longer kept."""
        missed = self.number - number
        if missed > len(self._recent):
            return None
        return list(self._recent)[len(self._recent) - missed :]

    def close(self) -> None:
        """Send the viewers away; they come back by themselves."""
        self.closed = True
        self._tell()

    def _tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class Feeds:
    """The projects that are watched in this process."""

    def __init__(self, wakeups: Wakeups) -> None:
        self._wakeups = wakeups
        self._feeds: dict[UUID, Feed] = {}
        self._woken = asyncio.Event()
        self._closing = False
        wakeups.listen(self._wake)

    async def context(self, app: web.Application) -> AsyncIterator[None]:
        """Read for all viewers while the service runs, and send them away when it stops."""
        app[FEEDS] = self
        reader = asyncio.create_task(self._read(app[DATABASE]))
        watch = asyncio.create_task(self._close_when(app[LIFECYCLE].closing))
        yield
        self._close()
        for task in (reader, watch):
            task.cancel()
        await asyncio.gather(reader, watch, return_exceptions=True)

    @asynccontextmanager
    async def watch(self, database: Database, project_id: UUID) -> AsyncGenerator[Feed]:
        """The project's feed, which is read as long as anybody watches.

        Raises:
            Unavailable: the service is stopping.
        """
        feed = self._feeds.get(project_id) or await self._open(database, project_id)
        feed.viewers += 1
        VIEWERS.inc()
        try:
            yield feed
        finally:
            VIEWERS.dec()
            feed.viewers -= 1
            if not feed.viewers and self._feeds.get(project_id) is feed:
                del self._feeds[project_id]

    async def _open(self, database: Database, project_id: UUID) -> Feed:
        last = await read_last_changes(database, {project_id})
        if self._closing:
            msg = "The service is stopping."
            raise Unavailable(msg)
        if existing := self._feeds.get(project_id):
            return existing
        feed = self._feeds[project_id] = Feed(project_id, Place(last.get(project_id, 0)))
        self._woken.set()
        return feed

    async def _read(self, database: Database) -> None:
        looked_at_metrics = monotonic()
        while True:
            await self._wait()
            try:
                await self._read_changes(database)
                if monotonic() - looked_at_metrics >= METRICS_EVERY_SEC:
                    looked_at_metrics = monotonic()
                    await self._read_metrics(database)
            except TROUBLE as exc:
                log.warning("feeds.unreadable", error=repr(exc))
            except Exception:  # the reader must outlive whatever one project's runs are
                log.exception("feeds.crashed")

    async def _wait(self) -> None:
        # A project that changes all the time is read a few times a second.
        await asyncio.sleep(PAUSE_SEC)
        # Who looks into metrics looks often enough to see changes by the way.
        poll = min(METRICS_EVERY_SEC, POLL_WHEN_WOKEN_SEC if self._wakeups.connected else POLL_SEC)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), poll if self._feeds else None)
        self._woken.clear()

    async def _read_changes(self, database: Database) -> None:
        if not self._feeds:
            return
        last = await read_last_changes(database, set(self._feeds))
        for feed in list(self._feeds.values()):
            if feed.place.change < last.get(feed.project_id, 0):
                await _catch_up(database, feed, last[feed.project_id])

    async def _read_metrics(self, database: Database) -> None:
        for feed in list(self._feeds.values()):
            known = feed.progress
            events, feed.progress = await read_metrics_moves(
                database, feed.project_id, known=known or {}
            )
            # The first look only learns where they stand.
            feed.add(events if known is not None else [])

    def _wake(self, project_id: UUID) -> None:
        if project_id in self._feeds:
            self._woken.set()

    async def _close_when(self, closing: asyncio.Event) -> None:
        await closing.wait()
        self._close()

    def _close(self) -> None:
        self._closing = True
        for feed in self._feeds.values():
            feed.close()


FEEDS = web.AppKey("feeds", Feeds)


async def follow(
    database: Database, feed: Feed, stream: EventStream, *, after: Place | None, admit: Admit
) -> None:
    """Send a viewer every run that changed behind `after`, then those that change.

    `admit` raises when the viewer may no longer watch; it is asked every few seconds.
    """
    # An id from before a restored backup lies ahead of everything: it means the end.
    place = min(after or await read_recent_place(database, feed.project_id), feed.place)
    await stream.send("ready", "{}", event_id=str(place))
    number = -1
    admitted = sent = monotonic()
    while not feed.closed:
        changed = feed.changed
        events = feed.after(number) if number >= 0 else None
        if events is None:
            number, border = feed.number, feed.place
            place = await _send_missed(database, feed, stream, place, border)
            sent = monotonic()
        elif events:
            number = feed.number
            for event in events:
                place = event.place or place
                await _send(stream, event)
            sent = monotonic()
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), ADMIT_EVERY_SEC)
        if monotonic() - sent >= HEARTBEAT_SEC:
            await stream.heartbeat()
            sent = monotonic()
        if monotonic() - admitted >= ADMIT_EVERY_SEC:
            if not await _still_admitted(admit):
                return
            admitted = monotonic()


async def _catch_up(database: Database, feed: Feed, last_change: int) -> None:
    while events := await read_changes(database, feed.project_id, after=feed.place):
        feed.add(events)
    # Changes of experiments alone move no run.
    feed.place = max(feed.place, Place(last_change))


async def _send_missed(
    database: Database, feed: Feed, stream: EventStream, place: Place, border: Place
) -> Place:
    """Send what lies between two places, read for this viewer alone; answers the latter."""
    while place < border and not feed.closed:
        events = await read_changes(database, feed.project_id, after=place)
        for event in events:
            if event.place and event.place <= border:
                place = event.place
                await _send(stream, event)
        if not events or (events[-1].place or border) > border:
            return border
    return place


async def _send(stream: EventStream, event: RunEvent) -> None:
    await stream.send("run", event.data, event_id=str(event.place) if event.place else None)


async def _still_admitted(admit: Admit) -> bool:
    try:
        await admit()
    except Unavailable:
        # Nobody can say no at the moment; the next time decides.
        return True
    except Problem:
        return False
    return True

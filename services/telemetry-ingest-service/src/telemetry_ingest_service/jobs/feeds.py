"""One reader for all sensors that are watched in this process, however many watch them.

It keeps the newest readings of each sensor, and the event that is made of them once for every
kind of values, so that whoever is in step costs a write to its connection and nothing more.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from uuid import UUID

import structlog
from aiohttp import web
from prometheus_client import Gauge
from seriesstore.live import News
from servicekit.application import LIFECYCLE
from servicekit.database import DATABASE, TROUBLE, Database
from servicekit.wakeups import Wakeups

from telemetry_ingest_service.models.series import RawOrPhysical
from telemetry_ingest_service.operations.converting import Converters
from telemetry_ingest_service.operations.live import (
    event_of,
    read_arrived,
    read_converters,
    read_ordinals,
    read_projects,
)

log = structlog.get_logger()

VIEWERS = Gauge("telemetry_stream_viewers", "Open live streams.")
WATCHED = Gauge("telemetry_stream_sensors", "Sensors that are watched in this process.")

POLL_SEC = 0.5
POLL_WHEN_WOKEN_SEC = 2.0
# Between two events of a sensor, so that one that sends all the time makes few large ones.
PAUSE_SEC = 0.1
PROFILES_EVERY_SEC = 4.0
PROJECTS_EVERY_SEC = 1.0
KEPT_READINGS = 100_000
KEPT_EVENTS = 50
READ_AT_ONCE = 4


@dataclass(slots=True)
class Arrived:
    """What arrived behind a place, and the events made of it."""

    after: int
    news: News
    known: Converters
    count: int
    _events: dict[RawOrPhysical, bytes] = field(default_factory=dict[RawOrPhysical, bytes])

    def event(self, sensor_id: UUID, values: RawOrPhysical) -> bytes:
        """The event's data; made once for all who look at the same values."""
        if values not in self._events:
            self._events[values] = event_of(sensor_id, self.news, values, self.known)
        return self._events[values]


class SensorFeed:
    """The newest readings of one sensor, by when they arrived."""

    def __init__(self, sensor_id: UUID, ordinal: int) -> None:
        self.sensor_id = sensor_id
        self.ordinal = ordinal
        self.projects: list[UUID] = []
        self.viewers: set[asyncio.Event] = set()
        self._recent: deque[Arrived] = deque()
        self._kept = 0

    def add(self, news: News, known: Converters) -> None:
        """Take what arrived behind what is here."""
        count = sum(len(points) for _, points in news.points)
        self._recent.append(Arrived(self.ordinal, news, known, count))
        self._kept += count
        while len(self._recent) > 1 and (
            self._kept > KEPT_READINGS or len(self._recent) > KEPT_EVENTS
        ):
            self._kept -= self._recent.popleft().count
        self.ordinal = news.ordinal
        self.tell()

    def after(self, place: int) -> Arrived | None:
        """What follows exactly on a place, while it is kept."""
        return next((one for one in self._recent if one.after == place), None)

    def border(self, place: int) -> int:
        """Where a viewer behind has caught up with what is kept."""
        return next(
            (one.news.ordinal for one in self._recent if one.news.ordinal > place), self.ordinal
        )

    def tell(self) -> None:
        """Wake whoever watches."""
        for changed in self.viewers:
            changed.set()


class Feeds:
    """The sensors that are watched in this process."""

    def __init__(self, wakeups: Wakeups) -> None:
        self._wakeups = wakeups
        self._feeds: dict[UUID, SensorFeed] = {}
        self._woken: set[UUID] = set()
        self._wake_up = asyncio.Event()
        self.known = Converters()
        self.closing = False
        wakeups.listen(self._wake)

    async def context(self, app: web.Application) -> AsyncIterator[None]:
        """Read for the viewers; send every one away when the service is about to stop."""
        app[FEEDS] = self
        tasks = [
            asyncio.create_task(self._close_when(app[LIFECYCLE].closing)),
            asyncio.create_task(self._read(app[DATABASE])),
        ]
        yield
        self._close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def projects(self, sensor_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
        """The projects that see each of the sensors, of a second ago at most."""
        feeds = [self._feeds[one] for one in sensor_ids if one in self._feeds]
        return {feed.sensor_id: feed.projects for feed in feeds}

    @asynccontextmanager
    async def watch(
        self, database: Database, sensor_ids: Sequence[UUID]
    ) -> AsyncGenerator[tuple[list[SensorFeed], asyncio.Event]]:
        """The sensors' feeds, and an event that is set whenever one of them has sent."""
        missing = [one for one in sensor_ids if one not in self._feeds]
        if missing:
            await self._open(database, missing)
        feeds, changed = [self._feeds[one] for one in sensor_ids], asyncio.Event()
        for feed in feeds:
            feed.viewers.add(changed)
        VIEWERS.inc()
        WATCHED.set(len(self._feeds))
        try:
            yield feeds, changed
        finally:
            VIEWERS.dec()
            for feed in feeds:
                feed.viewers.discard(changed)
                if not feed.viewers and self._feeds.get(feed.sensor_id) is feed:
                    del self._feeds[feed.sensor_id]
            WATCHED.set(len(self._feeds))

    async def _open(self, database: Database, sensor_ids: Sequence[UUID]) -> None:
        """Begin to keep what arrives of them: it is known how to convert it, and who sees it."""
        known = await read_converters(database, sensor_ids)
        projects = await read_projects(database, sensor_ids)
        ordinals = await read_ordinals(database, sensor_ids)
        self.known = self.known.with_those_of(known)
        for one in sensor_ids:
            feed = self._feeds.setdefault(one, SensorFeed(one, ordinals.get(one, 0)))
            feed.projects = projects.get(one, [])

    async def _look_around(self, database: Database) -> None:
        """The profiles that hold now, and who sees which sensor."""
        watched = list(self._feeds)
        self.known = await read_converters(database, watched)
        await self._look_at_projects(database)

    async def _look_at_projects(self, database: Database) -> None:
        projects = await read_projects(database, list(self._feeds))
        for feed in self._feeds.values():
            feed.projects = projects.get(feed.sensor_id, [])

    async def _read(self, database: Database) -> None:
        looked = profiles = projects = monotonic()
        while True:
            poll = POLL_WHEN_WOKEN_SEC if self._wakeups.connected else POLL_SEC
            wait = min(looked + poll, projects + PROJECTS_EVERY_SEC) - monotonic()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake_up.wait(), max(wait, 0.01))
            self._wake_up.clear()
            woken, self._woken = self._woken, set()
            now = monotonic()
            if now >= looked + poll:
                looked, woken = now, set(self._feeds)
            try:
                if self._feeds and now >= profiles + PROFILES_EVERY_SEC:
                    profiles = projects = now
                    await self._look_around(database)
                elif now >= projects + PROJECTS_EVERY_SEC:
                    projects = now
                    if self._feeds:
                        await self._look_at_projects(database)
                await self._catch_up(database, woken & self._feeds.keys())
            except TROUBLE as exc:
                log.warning("feeds.unreadable", error=repr(exc))
                # Whoever had news still has.
                self._woken |= woken
            await asyncio.sleep(PAUSE_SEC)

    async def _catch_up(self, database: Database, sensor_ids: set[UUID]) -> None:
        if not sensor_ids:
            return
        ends = await read_ordinals(database, list(sensor_ids))
        turn = asyncio.Semaphore(READ_AT_ONCE)

        async def read(feed: SensorFeed, end: int) -> None:
            async with turn:
                while feed.ordinal < end and feed.viewers:
                    news = await read_arrived(database, feed.sensor_id, after=feed.ordinal)
                    if news is None:
                        break
                    feed.add(news, self.known)

        behind = [
            (feed, ends[one])
            for one in sensor_ids
            if (feed := self._feeds.get(one)) and feed.ordinal < ends.get(one, 0)
        ]
        await asyncio.gather(*(read(feed, end) for feed, end in behind))

    def _wake(self, sensor_id: UUID) -> None:
        if sensor_id in self._feeds:
            self._woken.add(sensor_id)
            self._wake_up.set()

    async def _close_when(self, closing: asyncio.Event) -> None:
        await closing.wait()
        self._close()

    def _close(self) -> None:
        self.closing = True
        for feed in self._feeds.values():
            feed.tell()


FEEDS = web.AppKey("feeds", Feeds)

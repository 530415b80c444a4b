"""One reader for each run that is watched, however many watch it.

The reader keeps the newest events; a viewer holds no more than its position. Who is in step
takes the events that were read for all, who is behind reads for itself at its own pace. So a
slow viewer costs nothing but its connection, which is closed when it takes nothing for 20 s;
it comes back with its Last-Event-ID and goes on where it was.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from uuid import UUID

import asyncpg
import structlog
from aiohttp import web
from prometheus_client import Gauge
from servicekit.application import LIFECYCLE
from servicekit.database import Database
from servicekit.problems import Forbidden, NotFound, Problem, Unauthenticated, Unavailable
from servicekit.sse import HEARTBEAT_SEC, EventStream

from metrics_service.jobs.wakeups import Wakeups
from metrics_service.models.live import LiveBatch
from metrics_service.models.series import RunEvent
from metrics_service.operations.live import read_batch, read_state

log = structlog.get_logger()

VIEWERS = Gauge("metrics_stream_viewers", "Open live streams.")

POLL_SEC = 0.5
POLL_WHEN_WOKEN_SEC = 2.0
PAUSE_SEC = 0.05
ADMIT_EVERY_SEC = 5.0
KEPT_BYTES = 1 << 20
OPEN_STATUSES = frozenset({"draft", "running"})

# What a database that is away or overloaded may raise; it comes back.
_TROUBLE = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    Problem,
)

type Admit = Callable[[], Awaitable[None]]


class RunFeed:
    """The newest events of one run."""

    def __init__(self, run_id: UUID, *, ordinal: int, status: str) -> None:
        self.run_id = run_id
        self.ordinal = ordinal
        self.status = status
        self.closed = False
        self.changed = asyncio.Event()
        self.woken = asyncio.Event()
        self.viewers = 0
        self._recent: deque[LiveBatch] = deque()
        self._kept = 0

    def add(self, batch: LiveBatch) -> None:
        """Take the event behind the ones before."""
        self._recent.append(batch)
        self._kept += len(batch.data)
        while self._kept > KEPT_BYTES and len(self._recent) > 1:
            self._kept -= len(self._recent.popleft().data)
        self.ordinal = batch.ordinal
        self._tell()

    def note_status(self, status: str) -> None:
        """Take the run's status."""
        if status != self.status:
            self.status = status
            self._tell()

    def close(self) -> None:
        """Send the viewers away; they come back by themselves."""
        self.closed = True
        self._tell()

    def after(self, ordinal: int) -> LiveBatch | None:
        """The kept event that follows exactly on `ordinal`."""
        return next((batch for batch in self._recent if batch.after == ordinal), None)

    def border(self, ordinal: int) -> int:
        """Where a viewer behind has caught up with the events that are kept."""
        return next(
            (batch.ordinal for batch in self._recent if batch.ordinal > ordinal), self.ordinal
        )

    def _tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class Feeds:
    """The runs that are watched in this process."""

    def __init__(self, wakeups: Wakeups) -> None:
        self._wakeups = wakeups
        self._feeds: dict[UUID, RunFeed] = {}
        self._readers: dict[UUID, asyncio.Task[None]] = {}
        self._draining = False
        wakeups.listen(self._wake)

    async def context(self, app: web.Application) -> AsyncIterator[None]:
        """Send every viewer away when the service is about to stop."""
        app[FEEDS] = self
        watch = asyncio.create_task(self._close_when(app[LIFECYCLE].draining))
        yield
        self._close()
        watch.cancel()
        await asyncio.gather(watch, *self._readers.values(), return_exceptions=True)

    @asynccontextmanager
    async def watch(self, database: Database, run_id: UUID) -> AsyncGenerator[RunFeed]:
        """The run's feed, which is read as long as anybody watches."""
        feed = self._feeds.get(run_id) or await self._open(database, run_id)
        feed.viewers += 1
        VIEWERS.inc()
        try:
            yield feed
        finally:
            VIEWERS.dec()
            feed.viewers -= 1
            if not feed.viewers:
                self._end(feed)

    async def _open(self, database: Database, run_id: UUID) -> RunFeed:
        state = await read_state(database, run_id)
        if existing := self._feeds.get(run_id):
            return existing
        if state is None or self._draining:
            msg = "The service is stopping." if self._draining else "The run is gone."
            raise Unavailable(msg)
        feed = RunFeed(run_id, ordinal=state.ordinal, status=state.status)
        self._feeds[run_id] = feed
        self._readers[run_id] = asyncio.create_task(self._read(database, feed))
        return feed

    def _end(self, feed: RunFeed) -> None:
        if self._feeds.get(feed.run_id) is feed:
            del self._feeds[feed.run_id]
            self._readers.pop(feed.run_id).cancel()

    async def _read(self, database: Database, feed: RunFeed) -> None:
        while True:
            try:
                await _catch_up(database, feed)
            except _TROUBLE as exc:
                log.warning("feed.unreadable", run_id=str(feed.run_id), error=repr(exc))
            # A run that logs all the time is read a few times a second, not once a call.
            await asyncio.sleep(PAUSE_SEC)
            poll = POLL_WHEN_WOKEN_SEC if self._wakeups.connected else POLL_SEC
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(feed.woken.wait(), poll)
            feed.woken.clear()

    def _wake(self, run_id: UUID) -> None:
        if feed := self._feeds.get(run_id):
            feed.woken.set()

    async def _close_when(self, draining: asyncio.Event) -> None:
        await draining.wait()
        self._close()

    def _close(self) -> None:
        self._draining = True
        for feed in list(self._feeds.values()):
            feed.close()


FEEDS = web.AppKey("feeds", Feeds)


async def _catch_up(database: Database, feed: RunFeed) -> None:
    state = await read_state(database, feed.run_id)
    if state is None:
        feed.close()
        return
    while feed.ordinal < state.ordinal:
        batch = await read_batch(database, feed.run_id, after=feed.ordinal, upto=state.ordinal)
        if batch is None:
            break
        feed.add(batch)
    feed.note_status(state.status)


async def follow(
    database: Database, feed: RunFeed, stream: EventStream, *, position: int, admit: Admit
) -> None:
    """Send a viewer everything behind `position`, then what comes, until it or the service leaves.

    `admit` raises when the viewer may no longer watch; it is asked every few seconds.
    """
    told = feed.status if feed.status in OPEN_STATUSES else ""
    admitted = sent = monotonic()
    while not feed.closed:
        changed = feed.changed
        if batch := await _next(database, feed, position):
            await stream.send("metrics", batch.data, event_id=str(batch.ordinal))
            position, sent = batch.ordinal, monotonic()
        elif feed.status != told:
            told = feed.status
            await stream.send("run", RunEvent(status=told).model_dump_json())
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


async def _next(database: Database, feed: RunFeed, position: int) -> LiveBatch | None:
    if position >= feed.ordinal:
        return None
    if kept := feed.after(position):
        return kept
    try:
        upto = feed.border(position)
        return await read_batch(database, feed.run_id, after=position, upto=upto)
    except _TROUBLE as exc:
        log.warning("feed.unreadable", run_id=str(feed.run_id), error=repr(exc))
        await asyncio.sleep(POLL_SEC)
        return None


async def _still_admitted(admit: Admit) -> bool:
    try:
        await admit()
    except (Unauthenticated, Forbidden, NotFound):
        return False
    except _TROUBLE:
        # Nobody can say no at the moment; the next time decides.
        return True
    return True

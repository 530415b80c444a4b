"""One reader for all runs that are watched, however many watch them.

The reader keeps the newest events of each run; a viewer holds no more than its place in each.
Who is in step takes the events that were read for all, who is behind reads for itself at its
own pace, in fewer and larger events. So a slow viewer costs nothing but its connection, which
is closed when it takes nothing for 20 s; it comes back with its Last-Event-ID and goes on where
it was.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Protocol
from uuid import UUID

import structlog
from aiohttp import web
from prometheus_client import Counter, Gauge
from servicekit.application import LIFECYCLE
from servicekit.database import DATABASE, TROUBLE, Database
from servicekit.problems import Forbidden, NotFound, Unauthenticated, Unavailable
from servicekit.sse import HEARTBEAT_SEC
from servicekit.wakeups import Wakeups

from metrics_service.models.live import LiveBatch
from metrics_service.operations.live import read_batch, read_states
from metrics_service.queries.runs import RunState

log = structlog.get_logger()

VIEWERS = Gauge("metrics_stream_viewers", "Open live streams.")
WATCHED = Gauge("metrics_stream_runs", "Runs that are watched in this process.")
BEHIND = Counter("metrics_stream_behind", "Events that a viewer behind the others read by itself.")

POLL_SEC = 0.5
POLL_WHEN_WOKEN_SEC = 2.0
PAUSE_SEC = 0.05
ADMIT_EVERY_SEC = 5.0
KEPT_BYTES = 1 << 20
READ_AT_ONCE = 4
OPEN_STATUSES = frozenset({"draft", "running"})


type Admit = Callable[[], Awaitable[None]]


class RunFeed:
    """The newest events of one run."""

    def __init__(self, state: RunState) -> None:
        self.run_id = state.run_id
        self.ordinal = state.ordinal
        self.status = state.status
        self.closed = False
        self.viewers: set[asyncio.Event] = set()
        self._recent: deque[LiveBatch] = deque()
        self._kept = 0

    def add(self, batch: LiveBatch) -> None:
        """Take the event behind the ones before."""
        self._recent.append(batch)
        self._kept += batch.size
        while self._kept > KEPT_BYTES and len(self._recent) > 1:
            self._kept -= self._recent.popleft().size
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
        for changed in self.viewers:
            changed.set()


class Feeds:
    """The runs that are watched in this process."""

    def __init__(self, wakeups: Wakeups) -> None:
        self._wakeups = wakeups
        self._feeds: dict[UUID, RunFeed] = {}
        self._woken: set[UUID] = set()
        self._wake_up = asyncio.Event()
        self._closing = False
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

    @asynccontextmanager
    async def watch(
        self, database: Database, run_ids: Sequence[UUID]
    ) -> AsyncGenerator["Watching"]:
        """The runs' feeds, which are read as long as anybody watches."""
        watching = Watching(await self._open(database, run_ids))
        for feed in watching.feeds:
            feed.viewers.add(watching.changed)
        VIEWERS.inc()
        try:
            yield watching
        finally:
            VIEWERS.dec()
            for feed in watching.feeds:
                feed.viewers.discard(watching.changed)
                if not feed.viewers and self._feeds.get(feed.run_id) is feed:
                    del self._feeds[feed.run_id]
            WATCHED.set(len(self._feeds))

    async def _open(self, database: Database, run_ids: Sequence[UUID]) -> list[RunFeed]:
        missing = [run_id for run_id in run_ids if run_id not in self._feeds]
        states = await read_states(database, missing) if missing else {}
        if self._closing:
            msg = "The service is stopping."
            raise Unavailable(msg)
        for run_id in missing:
            if run_id not in self._feeds and run_id in states:
                self._feeds[run_id] = RunFeed(states[run_id])
        if gone := [run_id for run_id in run_ids if run_id not in self._feeds]:
            msg = f"The run {gone[0]} is gone."
            raise Unavailable(msg)
        WATCHED.set(len(self._feeds))
        return [self._feeds[run_id] for run_id in run_ids]

    async def _read(self, database: Database) -> None:
        looked = monotonic()
        while True:
            poll = POLL_WHEN_WOKEN_SEC if self._wakeups.connected else POLL_SEC
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake_up.wait(), max(looked + poll - monotonic(), 0.01))
            self._wake_up.clear()
            woken, self._woken = self._woken, set()
            if monotonic() >= looked + poll:
                looked, woken = monotonic(), set(self._feeds)
            try:
                await self._catch_up(database, woken & self._feeds.keys())
            except TROUBLE as exc:
                log.warning("feeds.unreadable", error=repr(exc))
            # Runs that log all the time are read a few times a second, not once a call.
            await asyncio.sleep(PAUSE_SEC)

    async def _catch_up(self, database: Database, run_ids: set[UUID]) -> None:
        if not run_ids:
            return
        states = await read_states(database, run_ids)
        behind: list[tuple[RunFeed, RunState]] = []
        for run_id in run_ids:
            feed, state = self._feeds.get(run_id), states.get(run_id)
            if feed and state is None:
                feed.close()
            elif feed and state:
                behind.append((feed, state))
        turn = asyncio.Semaphore(READ_AT_ONCE)

        async def read(feed: RunFeed, state: RunState) -> None:
            async with turn:
                await _read_on(database, feed, state)

        await asyncio.gather(*(read(feed, state) for feed, state in behind))

    def _wake(self, run_id: UUID) -> None:
        if run_id in self._feeds:
            self._woken.add(run_id)
            self._wake_up.set()

    async def _close_when(self, closing: asyncio.Event) -> None:
        await closing.wait()
        self._close()

    def _close(self) -> None:
        self._closing = True
        for feed in list(self._feeds.values()):
            feed.close()


FEEDS = web.AppKey("feeds", Feeds)


async def _read_on(database: Database, feed: RunFeed, state: RunState) -> None:
    while feed.ordinal < state.ordinal and feed.viewers:
        batch = await read_batch(database, feed.run_id, after=feed.ordinal, upto=state.ordinal)
        if batch is None:
            break
        feed.add(batch)
    feed.note_status(state.status)


class Watching:
    """The feeds that one viewer follows, and the event that tells it of anything new in them."""

    def __init__(self, feeds: Sequence[RunFeed]) -> None:
        self.feeds = feeds
        self.changed = asyncio.Event()


class Viewer(Protocol):
    """How one viewer is told of its runs."""

    def position(self, run_id: UUID) -> int:
        """How far it was sent the run."""
        ...

    async def show(self, run_id: UUID, batch: LiveBatch) -> None:
        """Send what was logged, and note the place."""
        ...

    async def tell(self, run_id: UUID, status: str) -> None:
        """Send the run's status."""
        ...

    async def heartbeat(self) -> None:
        """Keep the connection open."""
        ...


async def follow(database: Database, watching: Watching, viewer: Viewer, admit: Admit) -> None:
    """Send a viewer everything behind its places, then what comes, until it or the service leaves.

    `admit` raises when the viewer may no longer watch; it is asked every few seconds.
    """
    told = {
        feed.run_id: feed.status if feed.status in OPEN_STATUSES else "" for feed in watching.feeds
    }
    admitted = sent = monotonic()
    while not any(feed.closed for feed in watching.feeds):
        watching.changed.clear()
        news = False
        for feed in watching.feeds:
            if batch := await _next(database, feed, viewer.position(feed.run_id)):
                await viewer.show(feed.run_id, batch)
                news = True
            elif feed.status != told[feed.run_id]:
                told[feed.run_id] = feed.status
                await viewer.tell(feed.run_id, feed.status)
                news = True
        if news:
            sent = monotonic()
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(watching.changed.wait(), ADMIT_EVERY_SEC)
        if monotonic() - sent >= HEARTBEAT_SEC:
            await viewer.heartbeat()
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
        BEHIND.inc()
        return await read_batch(database, feed.run_id, after=position, upto=feed.border(position))
    except TROUBLE as exc:
        log.warning("feed.unreadable", run_id=str(feed.run_id), error=repr(exc))
        await asyncio.sleep(POLL_SEC)
        return None


async def _still_admitted(admit: Admit) -> bool:
    try:
        await admit()
    except (Unauthenticated, Forbidden, NotFound):
        return False
    except TROUBLE:
        # Nobody can say no at the moment; the next time decides.
        return True
    return True

"""Live viewers: each waits for its sensors, and reads at its own pace what arrived meanwhile.

A viewer holds no more than its places, so a slow one costs its connection alone: when it comes to
read again it takes larger events, thinned to what a picture shows, and one that takes nothing for
20 s is sent away and comes back where it was.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from time import monotonic
from uuid import UUID

import asyncpg
import structlog
from aiohttp import web
from prometheus_client import Gauge
from servicekit.application import LIFECYCLE
from servicekit.database import Database
from servicekit.places import Places
from servicekit.problems import Forbidden, NotFound, Problem, Unauthenticated
from servicekit.sse import HEARTBEAT_SEC, EventStream
from servicekit.wakeups import Wakeups

from telemetry_ingest_service.models.series import RawOrPhysical
from telemetry_ingest_service.operations.live import read_converters, read_event, read_ordinals

log = structlog.get_logger()

VIEWERS = Gauge("telemetry_stream_viewers", "Open live streams.")

POLL_SEC = 0.5
POLL_WHEN_WOKEN_SEC = 2.0
# Between two events of a viewer, so that a sensor that sends all the time makes few large ones.
PAUSE_SEC = 0.1
ADMIT_EVERY_SEC = 4.0

# What a database that is away or overloaded may raise; it comes back.
_TROUBLE = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    Problem,
)

type Admit = Callable[[], Awaitable[None]]


class Viewers:
    """Who follows which sensors in this process."""

    def __init__(self, wakeups: Wakeups) -> None:
        self._wakeups = wakeups
        self._watching: dict[UUID, set[asyncio.Event]] = {}
        self.closing = False
        wakeups.listen(self._wake)

    async def context(self, app: web.Application) -> AsyncIterator[None]:
        """Send every viewer away when the service is about to stop."""
        app[VIEWERS_KEY] = self
        task = asyncio.create_task(self._close_when(app[LIFECYCLE].draining))
        yield
        self._close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    @property
    def poll_sec(self) -> float:
        """How often a viewer looks by itself."""
        return POLL_WHEN_WOKEN_SEC if self._wakeups.connected else POLL_SEC

    @contextmanager
    def watch(self, sensor_ids: Sequence[UUID]) -> Generator[asyncio.Event]:
        """An event that is set whenever one of the sensors has sent."""
        changed = asyncio.Event()
        for sensor_id in sensor_ids:
            self._watching.setdefault(sensor_id, set()).add(changed)
        VIEWERS.inc()
        try:
            yield changed
        finally:
            VIEWERS.dec()
            for sensor_id in sensor_ids:
                self._watching[sensor_id].discard(changed)
                if not self._watching[sensor_id]:
                    del self._watching[sensor_id]

    def _wake(self, sensor_id: UUID) -> None:
        for changed in self._watching.get(sensor_id, ()):
            changed.set()

    async def _close_when(self, draining: asyncio.Event) -> None:
        await draining.wait()
        self._close()

    def _close(self) -> None:
        self.closing = True
        for sensor_id in self._watching:
            self._wake(sensor_id)


VIEWERS_KEY = web.AppKey("viewers", Viewers)


async def follow(
    database: Database,
    viewers: Viewers,
    stream: EventStream,
    sensor_ids: Sequence[UUID],
    places: Places,
    values: RawOrPhysical,
    admit: Admit,
) -> None:
    """Send a viewer what arrives behind its places, until it or the service leaves.

    `admit` raises when the viewer may no longer watch; it is asked every few seconds.
    """
    with viewers.watch(sensor_ids) as changed:
        known = await read_converters(database, sensor_ids)
        admitted = sent = monotonic()
        while not viewers.closing:
            changed.clear()
            try:
                ends = await read_ordinals(database, sensor_ids)
                for sensor_id in sensor_ids:
                    while places[sensor_id] < ends.get(sensor_id, 0):
                        event = await read_event(
                            database, sensor_id, places[sensor_id], values, known
                        )
                        if event is None:
                            break
                        places.move(sensor_id, event[0])
                        await stream.send("readings", event[1], event_id=str(places))
                        sent = monotonic()
                if monotonic() - admitted >= ADMIT_EVERY_SEC:
                    if not await _still_admitted(admit):
                        return
                    known = await read_converters(database, sensor_ids)
                    admitted = monotonic()
            except (ConnectionError, TimeoutError):
                raise
            except _TROUBLE as exc:
                log.warning("viewer.unreadable", error=repr(exc))
                await asyncio.sleep(POLL_SEC)
            if monotonic() - sent >= HEARTBEAT_SEC:
                await stream.heartbeat()
                sent = monotonic()
            await asyncio.sleep(PAUSE_SEC)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), viewers.poll_sec)


async def _still_admitted(admit: Admit) -> bool:
    try:
        await admit()
    except (Unauthenticated, Forbidden, NotFound):
        return False
    except _TROUBLE:
        # Nobody can say no at the moment; the next time decides.
        return True
    return True

"""Live viewers: each is told what arrived for its sensors, at its own pace.

Who is in step takes the events that were made for all; who is behind reads for itself. A viewer
holds no more than its places, so a slow one costs its connection alone: when it comes to read
again it takes larger events, thinned to what a picture shows, and one that takes nothing for 20 s
is sent away and comes back where it was.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from uuid import UUID

import structlog
from prometheus_client import Counter
from servicekit.database import TROUBLE, Database
from servicekit.places import Places
from servicekit.problems import Forbidden, NotFound, Unauthenticated
from servicekit.sse import HEARTBEAT_SEC, EventStream

from telemetry_ingest_service.jobs.feeds import POLL_SEC, Feeds, SensorFeed
from telemetry_ingest_service.models.series import RawOrPhysical
from telemetry_ingest_service.operations.converting import Converters
from telemetry_ingest_service.operations.live import event_of, read_arrived

log = structlog.get_logger()

BEHIND = Counter(
    "telemetry_stream_behind", "Events that a viewer behind the others read by itself."
)

ADMIT_EVERY_SEC = 4.0

type Admit = Callable[[], Awaitable[None]]


async def follow(
    database: Database,
    feeds: Feeds,
    stream: EventStream,
    sensor_ids: Sequence[UUID],
    places: Places,
    values: RawOrPhysical,
    admit: Admit,
) -> None:
    """Send a viewer what arrives behind its places, until it or the service leaves.

    `admit` raises when the viewer may no longer watch; it is asked every few seconds.
    """
    async with feeds.watch(database, sensor_ids) as (watched, changed):
        admitted = sent = monotonic()
        while not feeds.closing:
            changed.clear()
            news = False
            for feed in watched:
                if feed.ordinal <= places[feed.sensor_id]:
                    continue
                event = await _next(database, feed, places[feed.sensor_id], values, feeds.known)
                if event is not None:
                    places.move(feed.sensor_id, event[0])
                    await stream.send("readings", event[1], event_id=str(places))
                    sent, news = monotonic(), True
            if not news:
                wait = min(admitted + ADMIT_EVERY_SEC, sent + HEARTBEAT_SEC) - monotonic()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), max(wait, 0.01))
            if monotonic() - sent >= HEARTBEAT_SEC:
                await stream.heartbeat()
                sent = monotonic()
            if monotonic() - admitted >= ADMIT_EVERY_SEC:
                if not await _still_admitted(admit):
                    return
                admitted = monotonic()


async def _next(
    database: Database, feed: SensorFeed, place: int, values: RawOrPhysical, known: Converters
) -> tuple[int, bytes] | None:
    """What arrived behind a place, as an event, and the place behind it."""
    if kept := feed.after(place):
        return kept.news.ordinal, kept.event(feed.sensor_id, values)
    try:
        BEHIND.inc()
        news = await read_arrived(database, feed.sensor_id, after=place, upto=feed.border(place))
    except TROUBLE as exc:
        log.warning("viewer.unreadable", error=repr(exc))
        await asyncio.sleep(POLL_SEC)
        return None
    if news is None:
        # Forgotten meanwhile: what is left is what is kept.
        return feed.border(place), event_of(feed.sensor_id, None, values, known)
    return news.ordinal, event_of(feed.sensor_id, news, values, known)


async def _still_admitted(admit: Admit) -> bool:
    try:
        await admit()
    except (Unauthenticated, Forbidden, NotFound):
        return False
    except TROUBLE:
        # Nobody can say no at the moment; the next time decides.
        return True
    return True

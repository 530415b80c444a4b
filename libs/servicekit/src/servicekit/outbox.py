"""The outbox: events written in the transaction of the change, and the relay that tells them.

Each sink has its own rows, so one that is away holds up no other. Of all processes of a service
one at a time relays to a sink, in order, at least once: who takes events knows a repeat by its id.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import timedelta
from typing import Protocol

import structlog
from aiohttp import web
from prometheus_client import Counter, Gauge

from servicekit.database import DATABASE, TROUBLE, Connection, Database
from servicekit.events import Event, Recorded, Result, current_address
from servicekit.jobs import alongside, job
from servicekit.problems import Unavailable

log = structlog.get_logger()

AUDIT = "audit"
"""The sink that is the audit trail."""

BATCH = 500
POLL_SEC = 0.5
MOST_WAIT_SEC = 30.0
TELL_SEC = 30.0
# A sink that was taken out of the settings by mistake has this long to come back.
FORGOTTEN_AFTER = timedelta(days=7)
SEEN_EVERY_SEC = 60.0

TOLD = Counter("events_relayed", "Events that a sink has taken.", ["sink"])
FAILED = Counter("event_relay_failures", "Turns of the relay that a sink did not take.", ["sink"])
AGE = Gauge(
    "outbox_oldest_age_seconds",
    "How long the oldest event waits for the sink; 0 for none.",
    ["sink"],
)


class Sink(Protocol):
    """Somebody who is told of events."""

    name: str

    def open(self) -> AbstractAsyncContextManager[None]:
        """Hold what it needs while the service runs; nothing is connected before it is asked."""
        ...

    async def reach(self) -> None:
        """Connect where it is not.

        Raises:
            Unavailable: it is away.
        """
        ...

    async def tell(self, events: Sequence[Recorded]) -> None:
        """Hand the events over and return when they are safe there.

        Raises:
            Unavailable: at least one is not; all will come again.
        """
        ...


async def emit(connection: Connection, events: Sequence[Event]) -> None:
    """Leave events for every sink, in the transaction of what they tell of.

    Hold the changed rows until it ends: that is what keeps their order.
    """
    await _leave(connection, events, sink=None, result="success")


async def note(connection: Connection, events: Sequence[Event], result: Result = "success") -> None:
    """Leave events for the audit trail alone: who read what is nobody else's to be told.

    Where something is handed out, call it before, so that nothing goes of which there is no row.
    """
    await _leave(connection, events, sink=AUDIT, result=result)


async def _leave(
    connection: Connection, events: Sequence[Event], *, sink: str | None, result: Result
) -> None:
    if not events:
        return
    address = current_address()
    recorded = [Recorded(**dict(event), address=address, result=result) for event in events]
    await connection.execute(
        """
        INSERT INTO outbox (sink, event)
        SELECT s.name, e.event
        FROM unnest($1::jsonb[]) WITH ORDINALITY AS e (event, ordinal)
        CROSS JOIN outbox_sinks AS s
        WHERE $2::text IS NULL OR s.name = $2
        ORDER BY e.ordinal
        """,
        [event.model_dump(mode="json") for event in recorded],
        sink,
    )


class Relay:
    """Tells the sinks of one service's events while the service runs."""

    def __init__(self, sinks: Sequence[Sink], *, poll_sec: float = POLL_SEC) -> None:
        self._sinks = sinks
        self._poll = poll_sec

    async def context(self, app: web.Application) -> AsyncIterator[None]:
        """From before the first request, so that nothing happens without its sinks."""
        # With nobody to tell too: who was told before is forgotten in time, and rows end.
        database = app[DATABASE]
        await note_sinks(database, [sink.name for sink in self._sinks])
        tellings = (self._keep_telling(database, sink) for sink in self._sinks)
        async with alongside(self._keep_seen(database), *tellings):
            yield

    async def _keep_telling(self, database: Database, sink: Sink) -> None:
        last = job(f"relay-{sink.name}", every_sec=self._poll)
        wait = self._poll
        async with sink.open():
            # Who listens finds what to listen to before the first event.
            with suppress(Unavailable):
                await sink.reach()
            while True:
                try:
                    while await relay(database, sink) == BATCH:
                        pass
                    last.set_to_current_time()
                    wait = self._poll
                except Exception as exc:  # the relay must outlive whatever it meets
                    FAILED.labels(sink.name).inc()
                    wait = min(MOST_WAIT_SEC, 2 * wait)
                    _note(sink, exc)
                await asyncio.sleep(wait)

    async def _keep_seen(self, database: Database) -> None:
        while True:
            await asyncio.sleep(SEEN_EVERY_SEC)
            try:
                await note_sinks(database, [sink.name for sink in self._sinks])
            except TROUBLE:
                log.warning("outbox.sinks_not_noted")


async def relay(database: Database, sink: Sink) -> int:
    """Tell the sink of the oldest events that wait for it; how many those were.

    Nothing is told twice by two processes: one of them holds the sink's lock, the others find none.

    Raises:
        Unavailable: the sink did not take them; they wait.
    """
    async with database.acquire() as connection:
        age = await _age(connection, sink.name)
    AGE.labels(sink.name).set(age or 0)
    if age is None:
        return 0
    await sink.reach()
    async with database.acquire() as connection, connection.transaction():
        if not await _lock(connection, sink.name):
            return 0
        rows = await connection.fetch(
            "SELECT position, event FROM outbox WHERE sink = $1 ORDER BY position LIMIT $2",
            sink.name,
            BATCH,
        )
        if not rows:
            return 0
        async with asyncio.timeout(TELL_SEC):
            await sink.tell([Recorded.model_validate(row["event"]) for row in rows])
        await connection.execute(
            "DELETE FROM outbox WHERE sink = $1 AND position = ANY($2)",
            sink.name,
            [row["position"] for row in rows],
        )
    TOLD.labels(sink.name).inc(len(rows))
    return len(rows)


async def _age(connection: Connection, sink: str) -> float | None:
    """Seconds that the oldest event waits; None where none does."""
    return await connection.fetchval(
        """
        SELECT extract(epoch FROM clock_timestamp() - at)::float8
        FROM outbox WHERE sink = $1 ORDER BY position LIMIT 1
        """,
        sink,
    )


async def _lock(connection: Connection, sink: str) -> bool:
    return await connection.fetchval(
        """
        SELECT pg_try_advisory_xact_lock(
            hashtextextended(format('outbox of %s for %s', current_schema(), $1::text), 0)
        )
        """,
        sink,
    )


async def note_sinks(database: Database, names: Sequence[str]) -> None:
    """Say that these are told; forget, with what waits for it, who has not been for long."""
    async with database.acquire() as connection, connection.transaction():
        await connection.execute(
            """
            INSERT INTO outbox_sinks (name) SELECT unnest($1::text[])
            ON CONFLICT (name) DO UPDATE SET seen_at = now()
            """,
            names,
        )
        gone = await connection.fetch(
            "DELETE FROM outbox_sinks WHERE seen_at < now() - $1::interval RETURNING name",
            FORGOTTEN_AFTER,
        )
        for row in gone:
            await connection.execute("DELETE FROM outbox WHERE sink = $1", row["name"])
            log.warning("outbox.sink_forgotten", sink=row["name"])


def _note(sink: Sink, exc: Exception) -> None:
    if isinstance(exc, TROUBLE):
        log.warning("outbox.not_relayed", sink=sink.name, error=repr(exc))
    else:
        log.exception("outbox.crashed", sink=sink.name, exc_info=exc)

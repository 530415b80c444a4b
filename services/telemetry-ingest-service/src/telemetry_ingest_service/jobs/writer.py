"""Where requests that arrive at the same time meet, to share a transaction."""

from collections.abc import AsyncIterator, Callable, Sequence

from aiohttp import web
from seriesstore.group import GroupCommit
from servicekit.database import DATABASE, Database
from servicekit.wakeups import Wakeups

from telemetry_ingest_service.models.readings import MAX_READINGS
from telemetry_ingest_service.models.received import Received
from telemetry_ingest_service.operations.ingest import Stored, Writer, store_together
from telemetry_ingest_service.operations.set_aside import is_poison, put_aside

MOST_TOGETHER = 4 * MAX_READINGS
MOST_WAITING = 40 * MAX_READINGS


def writer(wakeups: Wakeups) -> Callable[[web.Application], AsyncIterator[None]]:
    """Take requests while the service runs, and store all of them before it ends."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        async def store(requests: Sequence[Received]) -> Sequence[Stored | Exception]:
            answers = await _store(app[DATABASE], requests)
            for sensor_id in {received.sensor_id for received in requests}:
                wakeups.announce(sensor_id)
            return answers

        direct = GroupCommit(store, weigh=weigh, most=MOST_TOGETHER, most_waiting=MOST_WAITING)
        app[DIRECT] = app[WRITER] = direct
        app[WAKEUPS] = wakeups
        yield
        await direct.drain()

    return context


async def _store(database: Database, requests: Sequence[Received]) -> Sequence[Stored | Exception]:
    """Store them; one that is alone and can never be stored goes aside, with the reason."""
    try:
        return await store_together(database, requests)
    except Exception as exc:
        if len(requests) > 1 or not is_poison(exc):
            raise
        async with database.acquire() as connection:
            await put_aside(connection, requests[0], exc)
        return [Stored(accepted=0, duplicate=False, set_aside=True)]


def weigh(received: Received) -> int:
    """How much of a group a request takes."""
    return received.weight


WRITER: web.AppKey[Writer] = web.AppKey("writer", Writer)
DIRECT: web.AppKey[GroupCommit[Received, Stored]] = web.AppKey(
    "direct", GroupCommit[Received, Stored]
)
WAKEUPS = web.AppKey("wakeups", Wakeups)

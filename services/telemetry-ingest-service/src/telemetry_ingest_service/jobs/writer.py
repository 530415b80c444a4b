"""Where requests that arrive at the same time meet, to share a transaction."""

from collections.abc import AsyncIterator, Callable, Sequence

from aiohttp import web
from seriesstore.group import GroupCommit
from servicekit.database import DATABASE
from servicekit.wakeups import Wakeups

from telemetry_ingest_service.models.readings import MAX_READINGS
from telemetry_ingest_service.operations.ingest import Received, Stored, Writer, store_together

_MOST_TOGETHER = 4 * MAX_READINGS
_MOST_WAITING = 40 * MAX_READINGS


def writer(wakeups: Wakeups) -> Callable[[web.Application], AsyncIterator[None]]:
    """Take requests while the service runs, and store all of them before it ends."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        async def store(requests: Sequence[Received]) -> Sequence[Stored | Exception]:
            answers = await store_together(app[DATABASE], requests)
            for sensor_id in {received.sensor_id for received in requests}:
                wakeups.announce(sensor_id)
            return answers

        app[WRITER] = GroupCommit(
            store, weigh=_weight, most=_MOST_TOGETHER, most_waiting=_MOST_WAITING
        )
        yield
        await app[WRITER].drain()

    return context


def _weight(received: Received) -> int:
    return received.weight


WRITER: web.AppKey[Writer] = web.AppKey("writer", GroupCommit[Received, Stored])

"""Where calls that log at the same time meet, to share a transaction."""

from collections.abc import AsyncIterator, Callable, Sequence

from aiohttp import web
from seriesstore.group import GroupCommit
from servicekit.database import DATABASE
from servicekit.wakeups import Wakeups

from metrics_service.models.batches import MAX_POINTS, Accepted
from metrics_service.operations.batches import Logged, Writer, store_together

# A call weighs its points and what a call costs beside them.
_WEIGHT_OF_A_CALL = 20
_MOST_TOGETHER = 2 * MAX_POINTS
_MOST_WAITING = 100 * MAX_POINTS


def writer(wakeups: Wakeups) -> Callable[[web.Application], AsyncIterator[None]]:
    """Take calls while the service runs, and store all of them before it ends."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        async def store(calls: Sequence[Logged]) -> Sequence[Accepted | Exception]:
            answers = await store_together(app[DATABASE], calls)
            for run_id in {call.run_id for call in calls}:
                wakeups.announce(run_id)
            return answers

        app[WRITER] = GroupCommit(
            store, weigh=_weight, most=_MOST_TOGETHER, most_waiting=_MOST_WAITING
        )
        yield
        await app[WRITER].drain()

    return context


def _weight(call: Logged) -> int:
    return call.count + _WEIGHT_OF_A_CALL


WRITER: web.AppKey[Writer] = web.AppKey("writer", GroupCommit[Logged, Accepted])

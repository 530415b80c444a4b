"""The collector's turns: one at a time over all processes, now and then."""

from collections.abc import AsyncIterator, Callable

import structlog
from aiohttp import web
from servicekit.database import DATABASE
from servicekit.jobs import alongside, keep

from artifact_service.operations.collecting import collect
from artifact_service.queries.turns import try_turn
from artifact_service.stores.contract import STORE

log = structlog.get_logger()

EVERY_SEC = 60.0


def collector(*, keep_sec: float) -> Callable[[web.Application], AsyncIterator[None]]:
    """A cleanup context in which the collector takes its turns."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        async def turn() -> None:
            if removed := await take_turn(app, keep_sec=keep_sec):
                log.info("collector.removed", objects=removed)

        async with alongside(keep("collect-objects", turn, every_sec=EVERY_SEC, late=True)):
            yield

    return context


async def take_turn(app: web.Application, *, keep_sec: float) -> int:
    """One turn, unless another process has its own; answers how many objects were removed."""
    async with app[DATABASE].acquire() as connection, try_turn(connection) as mine:
        return await collect(app[DATABASE], app[STORE], keep_sec=keep_sec) if mine else 0

"""The collector's turns: one at a time over all processes, now and then."""

import asyncio
from collections.abc import AsyncIterator, Callable
from random import uniform

import asyncpg
import structlog
from aiohttp import web
from servicekit.database import DATABASE
from servicekit.jobs import job
from servicekit.problems import Problem

from artifact_service.operations.collecting import collect
from artifact_service.queries.turns import try_turn
from artifact_service.stores.contract import STORE

log = structlog.get_logger()

EVERY_SEC = 60.0


def collector(*, keep_sec: float) -> Callable[[web.Application], AsyncIterator[None]]:
    """A cleanup context in which the collector takes its turns."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(_turns(app, keep_sec))
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return context


async def take_turn(app: web.Application, *, keep_sec: float) -> int:
    """One turn, unless another process has its own; answers how many objects were removed."""
    async with app[DATABASE].acquire() as connection, try_turn(connection) as mine:
        return await collect(app[DATABASE], app[STORE], keep_sec=keep_sec) if mine else 0


async def _turns(app: web.Application, keep_sec: float) -> None:
    ended = job("collect-objects", every_sec=EVERY_SEC)
    while True:
        await asyncio.sleep(uniform(EVERY_SEC / 2, EVERY_SEC))  # noqa: S311 - only spreads load
        try:
            removed = await take_turn(app, keep_sec=keep_sec)
            ended.set_to_current_time()
            if removed:
                log.info("collector.removed", objects=removed)
        except (
            OSError,
            TimeoutError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
        ) as exc:
            log.warning("collector.failed", error=repr(exc))
        except Problem as exc:
            log.warning("collector.failed", error=exc.code)

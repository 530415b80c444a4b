"""Keeping the audit by month: parts for the months to come, and none that are kept too long."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import structlog
from aiohttp import web
from servicekit.database import DATABASE, Database
from servicekit.jobs import job
from servicekit.problems import Problem

from auth_service.call import SETTINGS
from auth_service.queries.audit import keep_events

log = structlog.get_logger()

EVERY_SEC = 3600


async def context(app: web.Application) -> AsyncIterator[None]:
    """Look after the months while the service runs, first when it starts."""
    days = app[SETTINGS].audit_retention_days
    task = asyncio.create_task(_every_hour(app[DATABASE], days))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def keep_months(database: Database, *, days: int) -> list[str]:
    """Do what is to be done, a month a transaction; what was done."""
    done: list[str] = []
    async with database.acquire() as connection:
        while True:
            async with connection.transaction():
                step = await keep_events(connection, days=days)
            if step is None:
                return done
            log.info("audit.months", step=step)
            done.append(step)


async def _every_hour(database: Database, days: int) -> None:
    ended = job("keep-audit-months", every_sec=EVERY_SEC)
    while True:
        try:
            await keep_months(database, days=days)
            ended.set_to_current_time()
        except (
            OSError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            Problem,
        ) as exc:
            # Somebody reads for long, say: the next turn finds the same to do.
            log.warning("audit.months_failed", error=repr(exc))
        await asyncio.sleep(EVERY_SEC)

"""Keeping the audit by month: parts for the months to come, and none that are kept too long."""

from collections.abc import AsyncIterator
from functools import partial

import structlog
from aiohttp import web
from servicekit.database import DATABASE, Database
from servicekit.jobs import alongside, keep

from auth_service.call import SETTINGS
from auth_service.queries.audit import keep_events

log = structlog.get_logger()

EVERY_SEC = 3600


async def context(app: web.Application) -> AsyncIterator[None]:
    """Look after the months while the service runs, first when it starts."""
    days = app[SETTINGS].audit_retention_days
    # Who reads for long, say, makes a turn fail: the next finds the same to do.
    turn = partial(keep_months, app[DATABASE], days=days)
    async with alongside(keep("keep-audit-months", turn, every_sec=EVERY_SEC)):
        yield


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

"""Forgetting what has no effect any more, once an hour, one process at a time."""

from collections.abc import AsyncIterator
from functools import partial

import structlog
from aiohttp import web
from servicekit.database import DATABASE, Database
from servicekit.jobs import alongside, keep

from auth_service.operations.throttling import FORGET_SEC
from auth_service.queries.resets import delete_expired_resets
from auth_service.queries.sessions import delete_ended_sessions
from auth_service.queries.throttles import delete_forgotten

log = structlog.get_logger()

EVERY_SEC = 3600
# As long as a session makes its device known to the throttle.
SESSIONS_KEPT_DAYS = 90


async def context(app: web.Application) -> AsyncIterator[None]:
    """Sweep while the service runs."""
    turn = partial(sweep, app[DATABASE])
    async with alongside(keep("forget-ended-sessions", turn, every_sec=EVERY_SEC, late=True)):
        yield


async def sweep(database: Database) -> None:
    """Delete ended sessions, expired links and forgotten failures, unless another process does."""
    async with database.acquire() as connection, connection.transaction():
        if not await connection.fetchval(
            "SELECT pg_try_advisory_xact_lock(hashtextextended('auth.sweep', 3))"
        ):
            return
        await delete_expired_resets(connection)
        await delete_forgotten(connection, after_sec=FORGET_SEC)
        sessions = await delete_ended_sessions(connection, after_days=SESSIONS_KEPT_DAYS)
    log.info("sweep.done", sessions=sessions)

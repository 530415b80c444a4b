"""Sends people the mails that they asked for, one after another, and forgets old ones."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from time import monotonic

import asyncpg
import structlog
from aiohttp import web
from servicekit.database import DATABASE, Database
from servicekit.jobs import job
from servicekit.problems import Problem

from experiment_service.operations.mailing import Post, send_due
from experiment_service.queries.notifications import delete_old_notifications

log = structlog.get_logger()

EVERY_SEC = 1.0
CLEAN_EVERY_SEC = 3600.0
CLEAN_AT_ONCE = 1000

POST = web.AppKey("post", Post)


class Mailing:
    """The mails of this process; without a way for them to go nothing is looked at."""

    def __init__(self, post: Post, *, kept_days: int) -> None:
        self._post = post
        self._kept = timedelta(days=kept_days)

    async def context(self, app: web.Application) -> AsyncIterator[None]:
        """Send while the service runs."""
        app[POST] = self._post
        task = asyncio.create_task(self._keep_sending(app[DATABASE]))
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _keep_sending(self, database: Database) -> None:
        ended = job("send-mails", every_sec=EVERY_SEC)
        cleaned = -CLEAN_EVERY_SEC
        while True:
            try:
                while self._post.is_on and await send_due(database, self._post):
                    pass
                if monotonic() - cleaned >= CLEAN_EVERY_SEC:
                    await self._clean(database)
                    cleaned = monotonic()
            except (
                OSError,
                TimeoutError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                asyncpg.InternalClientError,
                Problem,
            ) as exc:  # what was taken is taken again when its lease ends
                log.warning("mailing.failed", error=repr(exc))
            except Exception:  # it must outlive whatever it meets
                log.exception("mailing.crashed")
            else:
                ended.set_to_current_time()
            await asyncio.sleep(EVERY_SEC)

    async def _clean(self, database: Database) -> None:
        before = datetime.now(UTC) - self._kept
        async with database.acquire() as connection:
            while await delete_old_notifications(connection, before=before, limit=CLEAN_AT_ONCE):
                pass

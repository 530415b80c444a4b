"""Sends people the mails that they asked for, one after another, and forgets old ones."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial

from aiohttp import web
from servicekit.database import DATABASE, Database
from servicekit.jobs import alongside, keep

from experiment_service.operations.mailing import Post, send_due
from experiment_service.queries.notifications import delete_old_notifications

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
        database = app[DATABASE]
        async with alongside(
            # What was taken and did not go is taken again when its lease ends.
            keep("send-mails", partial(self._send, database), every_sec=EVERY_SEC),
            keep("forget-mails", partial(self._clean, database), every_sec=CLEAN_EVERY_SEC),
        ):
            yield

    async def _send(self, database: Database) -> None:
        while self._post.is_on and await send_due(database, self._post):
            pass

    async def _clean(self, database: Database) -> None:
        before = datetime.now(UTC) - self._kept
        async with database.acquire() as connection:
            while await delete_old_notifications(connection, before=before, limit=CLEAN_AT_ONCE):
                pass

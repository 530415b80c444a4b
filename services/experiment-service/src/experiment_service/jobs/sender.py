"""Calls webhooks: any number of processes, a few calls at once, no address in another's way."""

import asyncio
import contextlib
from collections import Counter as Tally
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from uuid import UUID

import structlog
from aiohttp import web
from prometheus_client import Counter
from servicekit.database import DATABASE, TROUBLE, Database
from servicekit.jobs import alongside, keep
from servicekit.outgoing import Caller

from experiment_service.models.webhooks import DueDelivery
from experiment_service.operations.deliveries import deliver, take_due
from experiment_service.operations.webhook_secrets import SecretBox
from experiment_service.queries.webhook_deliveries import delete_old_deliveries

log = structlog.get_logger()

CALLS = Counter("webhook_calls", "Calls of webhooks that were made, whatever came of them.")

AT_ONCE = 32
AT_ONCE_EACH = 4
POLL_SEC = 1.0
CLEAN_EVERY_SEC = 3600.0
CLEAN_AT_ONCE = 1000


class Sender:
    """The calls that are under way in this process."""

    def __init__(
        self, caller: Caller, box: SecretBox, *, kept_days: int, poll_sec: float = POLL_SEC
    ) -> None:
        self.caller = caller
        self.box = box
        self._kept = timedelta(days=kept_days)
        self._poll = poll_sec
        self._calls: dict[asyncio.Task[None], UUID] = {}
        self._woken = asyncio.Event()

    async def context(self, app: web.Application) -> AsyncIterator[None]:
        """Send while the service runs; calls under way are finished at the end."""
        app[SENDER] = self
        async with self.caller.open():
            clean = partial(self._clean, app[DATABASE])
            async with alongside(
                self._keep_sending(app[DATABASE]),
                keep("forget-deliveries", clean, every_sec=CLEAN_EVERY_SEC),
            ):
                yield
            await asyncio.gather(*self._calls, return_exceptions=True)

    def wake(self) -> None:
        """Look for what is due at once."""
        self._woken.set()

    async def _keep_sending(self, database: Database) -> None:
        while True:
            try:
                started = await self._start(database)
            except Exception as exc:  # the sender must outlive whatever it meets
                _note("sender", exc)
                started = False
            if not started:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), self._poll)
                self._woken.clear()

    async def _start(self, database: Database) -> bool:
        """Start calls that are due; whether there may be more that can start now."""
        room = AT_ONCE - len(self._calls)
        if room <= 0:
            await asyncio.wait(self._calls, return_when=asyncio.FIRST_COMPLETED)
            return True
        tally = Tally(self._calls.values())
        busy = [webhook_id for webhook_id, calls in tally.items() if calls >= AT_ONCE_EACH]
        limit = min(room, AT_ONCE_EACH)
        found = await take_due(database, busy=busy, limit=limit)
        for due in found:
            task = asyncio.create_task(self._call(database, due))
            self._calls[task] = due.webhook_id
            task.add_done_callback(self._done)
        return len(found) == limit

    def _done(self, task: asyncio.Task[None]) -> None:
        # Who was busy is no longer: what of theirs is due may start.
        del self._calls[task]
        self._woken.set()

    async def _call(self, database: Database, due: DueDelivery) -> None:
        try:
            await deliver(database, self.caller, self.box, due)
            CALLS.inc()
        except Exception as exc:  # the lease ends, and it is tried again
            _note("delivery", exc)

    async def _clean(self, database: Database) -> None:
        before = datetime.now(UTC) - self._kept
        started = monotonic()
        while monotonic() - started < CLEAN_EVERY_SEC:
            async with database.acquire() as connection:
                gone = await delete_old_deliveries(connection, before=before, limit=CLEAN_AT_ONCE)
            if gone < CLEAN_AT_ONCE:
                return


SENDER = web.AppKey("webhook_sender", Sender)


def _note(what: str, exc: Exception) -> None:
    if isinstance(exc, TROUBLE):
        log.warning("webhooks.failed", what=what, error=repr(exc))
    else:
        log.exception("webhooks.crashed", what=what, exc_info=exc)

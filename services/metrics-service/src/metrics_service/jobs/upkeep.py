"""What the store needs beside its callers: small chunks are merged, old names are forgotten.

Any number of processes may do it: each series is merged by one of them at a time, and a round in
which another was quicker finds nothing to do.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Generator
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog
from aiohttp import web
from prometheus_client import Counter
from seriesstore.compact import compact
from seriesstore.retention import forget_batches
from servicekit.database import DATABASE, Database
from servicekit.problems import Problem

log = structlog.get_logger()

MERGED = Counter("metrics_chunks_merged", "Chunks that were merged into larger ones.")
MADE = Counter("metrics_chunks_made", "Chunks that took the place of merged ones.")
FORGOTTEN = Counter("metrics_batches_forgotten", "Names of batches that were forgotten by age.")

EVERY_SEC = 2.0
FORGET_EVERY_SEC = 600.0
# Between two rounds that follow on each other, so that callers always come first.
BREATH_SEC = 0.05
SERIES_A_ROUND = 20
_TROUBLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, Problem)


def upkeep(batch_ids_kept: timedelta) -> Callable[[web.Application], AsyncIterator[None]]:
    """Keep the store in order while the service runs."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(_merge(app[DATABASE])),
            asyncio.create_task(_forget(app[DATABASE], batch_ids_kept)),
        ]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    return context


async def _merge(database: Database) -> None:
    while True:
        merged = 0
        with _patience("upkeep.not_merged"):
            async with database.acquire() as connection:
                done = await compact(connection, most_series=SERIES_A_ROUND)
            MERGED.inc(done.chunks_before)
            MADE.inc(done.chunks_after)
            merged = done.series
        await asyncio.sleep(BREATH_SEC if merged else EVERY_SEC)


async def _forget(database: Database, kept: timedelta) -> None:
    while True:
        with _patience("upkeep.not_forgotten"):
            while forgotten := await _forget_some(database, datetime.now(UTC) - kept):
                FORGOTTEN.inc(forgotten)
                await asyncio.sleep(BREATH_SEC)
        await asyncio.sleep(FORGET_EVERY_SEC)


async def _forget_some(database: Database, before: datetime) -> int:
    async with database.acquire() as connection:
        return await forget_batches(connection, before)


@contextlib.contextmanager
def _patience(event: str) -> Generator[None]:
    try:
        yield
    except _TROUBLE as exc:
        log.warning(event, error=repr(exc))
    except Exception:  # upkeep goes on with what else there is
        log.exception(event)

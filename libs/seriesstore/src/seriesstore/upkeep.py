"""What the store needs beside its callers: small chunks are merged, old names are forgotten.

Any number of processes may do it: each series is merged by one of them at a time, and a round in
which another was quicker finds nothing to do.
"""

import asyncio
import contextlib
from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog
from prometheus_client import Counter, Gauge

from seriesstore.append import Connection
from seriesstore.compact import compact
from seriesstore.retention import forget_batches

log = structlog.get_logger()

MERGED = Counter("series_chunks_merged", "Chunks that were merged into larger ones.")
MADE = Counter("series_chunks_made", "Chunks that took the place of merged ones.")
CAUGHT_UP = Gauge(
    "series_compaction_caught_up_timestamp_seconds",
    "When nothing was left to merge for the last time.",
)
FORGOTTEN = Counter("series_batches_forgotten", "Names of batches that were forgotten by age.")

EVERY_SEC = 2.0
FORGET_EVERY_SEC = 600.0
# Between two rounds that follow on each other, so that callers always come first.
BREATH_SEC = 0.05
SERIES_A_ROUND = 20
_TROUBLE = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


type Acquire = Callable[[], AbstractAsyncContextManager[Connection]]
"""How a connection is borrowed for a while."""


async def keep(
    acquire: Acquire, *, batch_ids_kept: timedelta, trouble: tuple[type[Exception], ...] = ()
) -> None:
    """Keep the store in order until this is cancelled.

    What `acquire` raises while the database is away is `trouble`, and waited for.
    """
    expected = (*_TROUBLE, *trouble)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_merge(acquire, expected))
        tasks.create_task(_forget(acquire, batch_ids_kept, expected))


async def _merge(acquire: Acquire, expected: tuple[type[Exception], ...]) -> None:
    CAUGHT_UP.set_to_current_time()
    while True:
        merged = 0
        with _patience("upkeep.not_merged", expected):
            async with acquire() as connection:
                done = await compact(connection, most_series=SERIES_A_ROUND)
            MERGED.inc(done.chunks_before)
            MADE.inc(done.chunks_after)
            merged = done.series
            if not merged:
                CAUGHT_UP.set_to_current_time()
        await asyncio.sleep(BREATH_SEC if merged else EVERY_SEC)


async def _forget(acquire: Acquire, kept: timedelta, expected: tuple[type[Exception], ...]) -> None:
    while True:
        with _patience("upkeep.not_forgotten", expected):
            while forgotten := await _forget_some(acquire, datetime.now(UTC) - kept):
                FORGOTTEN.inc(forgotten)
                await asyncio.sleep(BREATH_SEC)
        await asyncio.sleep(FORGET_EVERY_SEC)


async def _forget_some(acquire: Acquire, before: datetime) -> int:
    async with acquire() as connection:
        return await forget_batches(connection, before)


@contextlib.contextmanager
def _patience(event: str, expected: tuple[type[Exception], ...]) -> Generator[None]:
    try:
        yield
    except expected as exc:
        log.warning(event, error=repr(exc))
    except Exception:  # upkeep goes on with what else there is
        log.exception(event)

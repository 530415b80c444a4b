"""What the store needs beside its callers, while the service runs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import structlog
from aiohttp import web
from seriesstore.upkeep import keep
from servicekit.database import DATABASE, TROUBLE, Database
from servicekit.problems import Problem

from telemetry_ingest_service.queries.activity import delete_old_heartbeats

log = structlog.get_logger()

HEARTBEATS_KEPT = timedelta(days=90)
FORGET_EVERY_SEC = 600.0
BREATH_SEC = 0.05


def upkeep(batch_ids_kept: timedelta) -> Callable[[web.Application], AsyncIterator[None]]:
    """Merge small chunks, and forget the names of old batches and old heartbeats."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        database = app[DATABASE]
        tasks = [
            asyncio.create_task(
                keep(database.acquire, batch_ids_kept=batch_ids_kept, trouble=(Problem,))
            ),
            asyncio.create_task(_forget_heartbeats(database)),
        ]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    return context


async def _forget_heartbeats(database: Database) -> None:
    while True:
        forgotten = 0
        try:
            async with database.acquire() as connection:
                forgotten = await delete_old_heartbeats(
                    connection, before=datetime.now(UTC) - HEARTBEATS_KEPT
                )
        except TROUBLE as exc:
            log.warning("upkeep.heartbeats_not_forgotten", error=repr(exc))
        await asyncio.sleep(BREATH_SEC if forgotten else FORGET_EVERY_SEC)

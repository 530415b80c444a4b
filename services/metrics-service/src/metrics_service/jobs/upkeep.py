"""What the store needs beside its callers, while the service runs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

from aiohttp import web
from seriesstore.upkeep import keep
from servicekit.database import DATABASE
from servicekit.problems import Problem


def upkeep(batch_ids_kept: timedelta) -> Callable[[web.Application], AsyncIterator[None]]:
    """Merge small chunks, and forget the names of old batches."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        database = app[DATABASE]
        task = asyncio.create_task(
            keep(database.acquire, batch_ids_kept=batch_ids_kept, trouble=(Problem,))
        )
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return context

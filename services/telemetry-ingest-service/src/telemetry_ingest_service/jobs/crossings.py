"""Looks at what arrived for limits that people have set, in one process of all."""

from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web
from servicekit.database import DATABASE
from servicekit.jobs import alongside, keep

from telemetry_ingest_service.operations.limits import look_at_limits

EVERY_SEC = 1.0


async def crossings(app: web.Application) -> AsyncIterator[None]:
    """Look while the service runs; each look goes on where the last that ended well stopped."""
    look = partial(look_at_limits, app[DATABASE])
    async with alongside(keep("look-at-limits", look, every_sec=EVERY_SEC)):
        yield

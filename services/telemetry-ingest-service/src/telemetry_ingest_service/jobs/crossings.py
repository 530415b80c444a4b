"""Looks at what arrived for limits that people have set, in one process of all."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import structlog
from aiohttp import web
from servicekit.database import DATABASE, Database
from servicekit.jobs import job
from servicekit.problems import Problem

from telemetry_ingest_service.operations.limits import look_at_limits

log = structlog.get_logger()

EVERY_SEC = 1.0


async def crossings(app: web.Application) -> AsyncIterator[None]:
    """Look while the service runs."""
    task = asyncio.create_task(_keep_looking(app[DATABASE]))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _keep_looking(database: Database) -> None:
    ended = job("look-at-limits", every_sec=EVERY_SEC)
    while True:
        try:
            await look_at_limits(database)
        except (
            OSError,
            TimeoutError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            Problem,
        ) as exc:  # the next look goes on where this one stopped
            log.warning("limits.failed", error=repr(exc))
        except Exception:  # it must outlive whatever it meets
            log.exception("limits.crashed")
        else:
            ended.set_to_current_time()
        await asyncio.sleep(EVERY_SEC)

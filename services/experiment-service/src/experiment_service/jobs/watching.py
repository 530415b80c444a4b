"""Looks every few seconds for what people want to be told of and nobody does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import asyncpg
import structlog
from aiohttp import web
from servicekit.database import DATABASE, Database
from servicekit.jobs import job
from servicekit.problems import Problem

from experiment_service.jobs.sender import Sender
from experiment_service.operations.metric_watches import tell_of_crossings
from experiment_service.operations.presence import tell_of_presence
from experiment_service.operations.sensor_watches import tell_of_sensor_crossings

log = structlog.get_logger()

EVERY_SEC = 2.0

type Look = Callable[[Database], Awaitable[int]]

LOOKS: Mapping[str, Look] = {
    "watch-metrics": tell_of_crossings,
    "watch-sensors": tell_of_presence,
    "watch-signals": tell_of_sensor_crossings,
}


def watching(sender: Sender) -> Callable[[web.Application], AsyncIterator[None]]:
    """A context that looks while the service runs, and wakes the sender for what was found."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(_keep_looking(app[DATABASE], sender, name, look))
            for name, look in LOOKS.items()
        ]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    return context


async def _keep_looking(database: Database, sender: Sender, name: str, look: Look) -> None:
    ended = job(name, every_sec=EVERY_SEC)
    while True:
        try:
            if await look(database):
                sender.wake()
        except (
            OSError,
            TimeoutError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            Problem,
        ) as exc:  # the next look finds what this one has missed
            log.warning("watching.failed", what=name, error=repr(exc))
        except Exception:  # it must outlive whatever it meets
            log.exception("watching.crashed", what=name)
        else:
            ended.set_to_current_time()
        await asyncio.sleep(EVERY_SEC)

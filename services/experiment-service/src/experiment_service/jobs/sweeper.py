"""Looks for silent and due runs every few seconds, in one process of all."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import structlog
from aiohttp import web
from prometheus_client import Counter
from servicekit.database import DATABASE
from servicekit.jobs import alongside, keep
from servicekit.wakeups import Wakeups

from experiment_service.operations.sweeping import Swept, sweep_runs
from experiment_service.settings import Settings

log = structlog.get_logger()

ENDED = Counter("runs_ended_by_sweep", "Runs ended by the service itself.", ["how"])


def sweeper(
    settings: Settings, wakeups: Wakeups
) -> Callable[[web.Application], AsyncIterator[None]]:
    """A context that sweeps while the service runs."""
    silence = timedelta(seconds=settings.run_heartbeat_timeout_sec)

    async def context(app: web.Application) -> AsyncIterator[None]:
        async def sweep() -> None:
            for project in await sweep_runs(app[DATABASE], silence=silence):
                _note(project)
                wakeups.announce(project.project_id)

        every = settings.run_sweep_every_sec
        async with alongside(keep("sweep-runs", sweep, every_sec=every, late=True)):
            yield

    return context


def _note(swept: Swept) -> None:
    ENDED.labels("completed").inc(len(swept.completed))
    ENDED.labels("interrupted").inc(len(swept.interrupted))
    log.info(
        "sweep.ended_runs",
        project_id=str(swept.project_id),
        completed=len(swept.completed),
        interrupted=len(swept.interrupted),
        captures=len(swept.captures),
    )

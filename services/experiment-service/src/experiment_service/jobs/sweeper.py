"""Looks for silent and due runs every few seconds, in one process of all."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import asyncpg
import structlog
from aiohttp import web
from prometheus_client import Counter
from servicekit.database import DATABASE, Database
from servicekit.jobs import job
from servicekit.problems import Problem
from servicekit.wakeups import Wakeups

from experiment_service.operations.sweeping import sweep_runs
from experiment_service.settings import Settings

log = structlog.get_logger()

ENDED = Counter("runs_ended_by_sweep", "Runs ended by the service itself.", ["how"])


def sweeper(
    settings: Settings, wakeups: Wakeups
) -> Callable[[web.Application], AsyncIterator[None]]:
    """A context that sweeps while the service runs."""
    silence = timedelta(seconds=settings.run_heartbeat_timeout_sec)

    async def context(app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(
            _keep_sweeping(app[DATABASE], wakeups, silence, settings.run_sweep_every_sec)
        )
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return context


async def _keep_sweeping(
    database: Database, wakeups: Wakeups, silence: timedelta, every: float
) -> None:
    ended = job("sweep-runs", every_sec=every)
    while True:
        await asyncio.sleep(every)
        try:
            swept = await sweep_runs(database, silence=silence)
        except (
            OSError,
            TimeoutError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
        ) as exc:
            log.warning("sweep.failed", error=repr(exc))
        except Problem as problem:
            log.warning("sweep.failed", error=problem.detail)
        except Exception:  # the sweeper must outlive whatever it meets
            log.exception("sweep.crashed")
        else:
            ended.set_to_current_time()
            for project in swept:
                ENDED.labels("completed").inc(len(project.completed))
                ENDED.labels("interrupted").inc(len(project.interrupted))
                log.info(
                    "sweep.ended_runs",
                    project_id=str(project.project_id),
                    completed=len(project.completed),
                    interrupted=len(project.interrupted),
                    captures=len(project.captures),
                )
                wakeups.announce(project.project_id)

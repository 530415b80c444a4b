"""What has changed among the runs of a project, as its live views are told."""

from datetime import datetime, timedelta
from itertools import accumulate
from uuid import UUID

from pydantic import TypeAdapter
from servicekit.database import Database

from experiment_service.models.changes import Place, RunEvent
from experiment_service.models.runs import Run
from experiment_service.operations.run_reading import runs_with_metrics
from experiment_service.queries.changes import (
    select_change_before,
    select_changed_runs,
    select_metrics_progress,
)
from experiment_service.queries.metrics import select_metrics_published
from experiment_service.queries.turns import select_last_changes

AT_ONCE = 100
MAX_BYTES_AT_ONCE = 4 << 20
WATCHED_RUNS = 200
RECENTLY = timedelta(seconds=10)

type Progress = dict[UUID, tuple[datetime, int]]

_RUN = TypeAdapter(Run)


async def read_last_changes(database: Database, project_ids: set[UUID]) -> dict[UUID, int]:
    """How far each of the projects has come; those without any change are left out."""
    async with database.acquire() as connection:
        return await select_last_changes(connection, project_ids=project_ids)


async def read_recent_place(database: Database, project_id: UUID) -> Place:
    """Where a new viewer begins: a little back, so that nothing falls between it and a list."""
    async with database.acquire() as connection:
        return Place(await select_change_before(connection, project_id=project_id, ago=RECENTLY))


async def read_changes(database: Database, project_id: UUID, *, after: Place) -> list[RunEvent]:
    """The next runs that changed after a place, each as it is now; at most 100, about 4 MiB."""
    async with database.acquire() as connection:
        changed = await select_changed_runs(
            connection, project_id=project_id, after=after, limit=AT_ONCE
        )
        if not changed:
            return []
        totals = accumulate(weight for _, weight in changed)
        fits = sum(1 for total in totals if total <= MAX_BYTES_AT_ONCE)
        places = [place for place, _ in changed[: max(1, fits)]]
        published = await select_metrics_published(connection)
        runs = await runs_with_metrics(
            connection, [place.run_id for place in places], published=published
        )
    return [RunEvent(place, _RUN.dump_json(run)) for place, run in zip(places, runs, strict=True)]


async def read_metrics_moves(
    database: Database, project_id: UUID, *, known: Progress
) -> tuple[list[RunEvent], Progress]:
    """The running runs whose metrics moved on since `known`, and how far all have come."""
    async with database.acquire() as connection:
        if not await select_metrics_published(connection):
            return [], {}
        progress = await select_metrics_progress(
            connection, project_id=project_id, limit=WATCHED_RUNS
        )
        moved = [run_id for run_id, far in progress.items() if known.get(run_id) != far]
        runs = await runs_with_metrics(connection, moved, published=True) if moved else []
    return [RunEvent(None, _RUN.dump_json(run)) for run in runs], progress

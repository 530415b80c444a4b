"""Ending what ends by itself: silent runs, runs and capture sessions whose time is over."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from servicekit.database import Database, PinnedConnection

from experiment_service.operations.capture_events import tell_of_stopped_captures
from experiment_service.operations.changing import changing
from experiment_service.operations.run_events import tell_of_runs
from experiment_service.queries.captures import update_due_captures
from experiment_service.queries.sweeps import (
    lock_sweep,
    select_projects_to_sweep,
    unlock_sweep,
    update_due_runs,
    update_silent_runs,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep ended in one project."""

    project_id: UUID
    completed: list[UUID]
    interrupted: list[UUID]
    captures: list[UUID]


async def sweep_runs(database: Database, *, silence: timedelta) -> list[Swept]:
    """Stop and complete what is due, then interrupt runs without a sign of life for `silence`.

    Only runs that have ever sent a heartbeat can fall silent. Of many processes one sweeps;
    the others do nothing.
    """
    async with database.acquire() as connection:
        if not await lock_sweep(connection):
            return []
        try:
            projects = await select_projects_to_sweep(connection, silence=silence)
            pinned = PinnedConnection(connection)
            return [await _sweep(pinned, project_id, silence) for project_id in projects]
        finally:
            await unlock_sweep(connection)


async def _sweep(database: Database, project_id: UUID, silence: timedelta) -> Swept:
    async with changing(database, project_id) as now:
        captures = await update_due_captures(
            now.connection, project_id=project_id, at=now.turn.at, change=now.turn.change
        )
        completed = await update_due_runs(
            now.connection, project_id=project_id, at=now.turn.at, change=now.turn.change
        )
        interrupted = await update_silent_runs(
            now.connection,
            project_id=project_id,
            silence=silence,
            at=now.turn.at,
            change=now.turn.change,
        )
        await tell_of_stopped_captures(now.connection, captures)
        await tell_of_runs(now, project_id, [*completed, *interrupted])
    return Swept(
        project_id=project_id, completed=completed, interrupted=interrupted, captures=captures
    )

"""The steps that runs take: by hand, many at once, by archiving, by signs of life."""

from collections.abc import Sequence
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.problems import Conflict, NotFound, Problem

from experiment_service.errors import (
    ExperimentArchived,
    NotArchived,
    StatusConflict,
    TransitionNotAllowed,
)
from experiment_service.models.runs import BulkStatus, BulkStatusChanged, Heartbeat, NotUpdated, Run
from experiment_service.models.statuses import RUN_SOURCES, RunStatus
from experiment_service.operations.changing import Change, changing
from experiment_service.operations.run_events import tell_of_runs
from experiment_service.operations.run_reading import answer_run, stored_run
from experiment_service.queries.experiments import select_experiment_state
from experiment_service.queries.run_states import (
    RunState,
    lock_runs,
    select_run_states,
    update_run_heartbeat,
    update_run_restored,
    update_run_resumed,
    update_run_status,
)


async def step(now: Change, before: Run, status: RunStatus) -> None:
    """Take a step in the states of a run; none where it stood there when the request came.

    Raises:
        StatusConflict: the status changed after the request had arrived.
        TransitionNotAllowed: there is no such step.
    """
    _, failed = await _steps(now, before.project_id, [before.id], status)
    if failed:
        raise failed[before.id]


async def archive_run(database: Database, run_id: UUID, project_id: UUID, *, arrived: float) -> Run:
    """Hide a run.

    Raises:
        StatusConflict, TransitionNotAllowed: see `step`.
    """
    async with changing(database, project_id, arrived=arrived) as now:
        _, failed = await _steps(now, project_id, [run_id], "archived")
        if failed:
            raise failed[run_id]
        return await answer_run(now.connection, run_id)


async def restore_run(database: Database, run_id: UUID, project_id: UUID, *, arrived: float) -> Run:
    """Bring a run back as it was.

    Raises:
        NotArchived: it is not archived.
        ExperimentArchived: its experiment is; that one must be restored.
        StatusConflict: it was restored while this request was on its way.
    """
    async with changing(database, project_id, arrived=arrived) as now:
        run = await stored_run(now.connection, run_id)
        experiment = await select_experiment_state(now.connection, experiment_id=run.experiment_id)
        if experiment and experiment["status"] == "archived":
            raise ExperimentArchived
        restored = await update_run_restored(
            now.connection,
            run_id=run_id,
            arrived_at=now.arrived_at,
            at=now.turn.at,
            change=now.turn.change,
        )
        if not restored:
            state = await _state(now.connection, project_id, run_id)
            raise _lost(now, state) or NotArchived()
        await tell_of_runs(now, project_id, [run_id], restored=True)
        return await answer_run(now.connection, run_id)


async def change_statuses(
    database: Database, project_id: UUID, change: BulkStatus, *, arrived: float
) -> BulkStatusChanged:
    """Take the same step with many runs; those that cannot take it are named and stay."""
    run_ids = list(dict.fromkeys(change.run_ids))
    async with changing(database, project_id, arrived=arrived) as now:
        updated, failed = await _steps(now, project_id, run_ids, change.status)
    return BulkStatusChanged(
        updated=[run_id for run_id in run_ids if run_id in updated],
        failed=[
            NotUpdated(
                run_id=run_id,
                type=f"/problems/{problem.code}",
                detail=problem.detail or problem.title(),
            )
            for run_id, problem in failed.items()
        ],
    )


async def note_heartbeat(database: Database, run_id: UUID, project_id: UUID) -> Heartbeat:
    """Note a sign of life; an interrupted run runs again, any other state stays as it is."""
    async with database.acquire() as connection:
        if await update_run_heartbeat(connection, run_id=run_id):
            return Heartbeat(status="running")
        state = await _state(connection, project_id, run_id)
    if state.status != "interrupted":
        return Heartbeat(status=state.status)
    async with changing(database, project_id) as now:
        resumed = await update_run_resumed(
            now.connection, run_id=run_id, at=now.turn.at, change=now.turn.change
        )
        await tell_of_runs(now, project_id, [run_id] if resumed else [])
        state = await _state(now.connection, project_id, run_id)
    return Heartbeat(status=state.status)


async def _state(connection: Connection, project_id: UUID, run_id: UUID) -> RunState:
    states = await select_run_states(connection, project_id=project_id, run_ids=[run_id])
    if not states:
        raise NotFound
    return states[0]


async def _steps(
    now: Change, project_id: UUID, run_ids: Sequence[UUID], status: RunStatus
) -> tuple[set[UUID], dict[UUID, Problem]]:
    """Which runs stand where they should, and why the others do not.

    The step's time is when the runs are held: whoever asked until then came before it, and lost.
    """
    at = await lock_runs(now.connection, project_id=project_id, run_ids=run_ids)
    updated = await update_run_status(
        now.connection,
        project_id=project_id,
        run_ids=run_ids,
        status=status,
        sources=RUN_SOURCES[status],
        arrived_at=now.arrived_at,
        at=at,
        change=now.turn.change,
    )
    await tell_of_runs(now, project_id, updated)
    if len(updated) == len(run_ids):
        return updated, {}
    rest = [run_id for run_id in run_ids if run_id not in updated]
    found = await select_run_states(now.connection, project_id=project_id, run_ids=rest)
    states = {state.id: state for state in found}
    failed: dict[UUID, Problem] = {}
    for run_id in rest:
        problem = _refused(now, states.get(run_id), status)
        if problem is None:
            updated.add(run_id)
        else:
            failed[run_id] = problem
    return updated, failed


def _refused(now: Change, state: RunState | None, status: RunStatus) -> Problem | None:
    if state is None:
        return NotFound()
    if lost := _lost(now, state):
        return lost
    if state.status == status:
        return None
    return TransitionNotAllowed(f"From {state.status} there is no step to {status}.")


def _lost(now: Change, state: RunState) -> Conflict | None:
    """The conflict of a request that came before the latest step and is served after it."""
    if state.status_changed_at <= now.arrived_at:
        return None
    return StatusConflict(f"The run has become {state.status}.")

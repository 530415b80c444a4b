"""What is told of runs: the step that each has just taken."""

from collections.abc import Iterable
from uuid import UUID

from experiment_service.models.events import RUN_RESTORED, RUN_STEPS, RunData
from experiment_service.models.statuses import RunStatus
from experiment_service.operations.capture_events import tell_of_captures_ended_with_runs
from experiment_service.operations.changing import Change
from experiment_service.operations.telling import is_heard, tell
from experiment_service.queries.run_events import select_told_runs

RECORDS_NO_MORE: frozenset[RunStatus] = frozenset({"succeeded", "failed", "archived"})
"""What ends a run's recording: the trigger `runs_ended` says the same."""


async def tell_of_runs(
    now: Change, project_id: UUID, run_ids: Iterable[UUID], *, restored: bool = False
) -> None:
    """Tell of the status that runs have come to, and of the recordings that ended with them.

    To be called once a change, in its transaction.
    """
    ids = list(run_ids)
    if not ids or not await is_heard(now.connection, project_id):
        return
    runs = await select_told_runs(now.connection, project_id=project_id, run_ids=ids)
    await tell(
        now.connection,
        [
            (RUN_RESTORED if restored else RUN_STEPS[run.status]).event(
                RunData(
                    status=run.status,
                    experiment_id=run.experiment_id,
                    experiment_name=run.experiment_name,
                    duration_seconds=run.duration_seconds,
                ),
                project_id=project_id,
                subject_id=run.id,
                subject_name=run.name,
                at=run.status_changed_at,
            )
            for run in runs
        ],
    )
    if not restored and any(run.status in RECORDS_NO_MORE for run in runs):
        await tell_of_captures_ended_with_runs(now, project_id)

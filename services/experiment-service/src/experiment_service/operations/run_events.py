"""What is told of runs: the step that each has just taken."""

from collections.abc import Iterable
from uuid import UUID

from servicekit.database import Connection

from experiment_service.models.events import RUN_RESTORED, RUN_STEPS, RunData
from experiment_service.operations.telling import is_heard, tell
from experiment_service.queries.run_events import select_told_runs


async def tell_of_runs(
    connection: Connection, project_id: UUID, run_ids: Iterable[UUID], *, restored: bool = False
) -> None:
    """Tell of the status that runs have come to, in the transaction in which they came to it."""
    ids = list(run_ids)
    if not ids or not await is_heard(connection, project_id):
        return
    runs = await select_told_runs(connection, project_id=project_id, run_ids=ids)
    await tell(
        connection,
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

"""What webhooks are told of runs: the step that each has just taken."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from servicekit.database import Connection
from servicekit.ids import uuid7
from servicekit.tracing import current_trace_id

from experiment_service.models.events import Event, EventType, Subject
from experiment_service.models.statuses import RunStatus
from experiment_service.operations.deliveries import receive_events
from experiment_service.queries.run_events import select_told_runs
from experiment_service.queries.webhooks import count_webhooks

_TYPES: Mapping[RunStatus, EventType] = {
    "draft": "run.created",
    "running": "run.started",
    "succeeded": "run.succeeded",
    "failed": "run.failed",
    "interrupted": "run.interrupted",
    "archived": "run.archived",
}


async def tell_of_runs(
    connection: Connection, project_id: UUID, run_ids: Iterable[UUID], *, restored: bool = False
) -> None:
    """Tell of the status that runs have come to, in the transaction in which they came to it."""
    ids = list(run_ids)
    if not ids or not await count_webhooks(connection, project_id=project_id):
        return
    runs = await select_told_runs(connection, project_id=project_id, run_ids=ids)
    await receive_events(
        connection,
        [
            Event(
                id=uuid7(),
                type="run.restored" if restored else _TYPES[run.status],
                project_id=project_id,
                subject=Subject(kind="run", id=run.id, name=run.name),
                occurred_at=run.status_changed_at,
                trace_id=current_trace_id(),
                data={
                    "status": run.status,
                    "experiment_id": str(run.experiment_id),
                    "experiment_name": run.experiment_name,
                    "duration_seconds": run.duration_seconds,
                },
            )
            for run in runs
        ],
    )

"""SQL on what is told of runs: one function, one statement."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from servicekit.database import Connection, fetch_all

from experiment_service.models.statuses import RunStatus


class ToldRun(BaseModel, frozen=True):
    """What is told of a run."""

    id: UUID
    name: str
    status: RunStatus
    status_changed_at: datetime
    experiment_id: UUID
    experiment_name: str
    duration_seconds: float | None


async def select_told_runs(
    connection: Connection, *, project_id: UUID, run_ids: Sequence[UUID]
) -> list[ToldRun]:
    """The project's runs among these, as they stand."""
    return await fetch_all(
        connection,
        ToldRun,
        """
        SELECT r.id, r.name, r.status, r.status_changed_at, r.experiment_id,
               e.name AS experiment_name,
               extract(epoch FROM r.finished_at - r.started_at)::float8 AS duration_seconds
        FROM experiment.runs AS r
        JOIN experiment.experiments AS e ON e.id = r.experiment_id
        WHERE r.project_id = $1 AND r.id = ANY($2)
        ORDER BY r.id
        """,
        project_id,
        run_ids,
    )


async def select_is_heard(connection: Connection, *, project_id: UUID) -> bool:
    """Whether the project has a webhook, somebody wants mails, or the outbox has a reader."""
    return await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM experiment.webhooks WHERE project_id = $1)
            OR EXISTS (SELECT FROM experiment.notification_rules WHERE project_id = $1)
            OR EXISTS (SELECT FROM experiment.outbox_sinks)
        """,
        project_id,
    )

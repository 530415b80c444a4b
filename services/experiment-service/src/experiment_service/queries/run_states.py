"""SQL on the states of runs: every step is one conditional UPDATE."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from servicekit.database import Connection, fetch_all

from experiment_service.models.statuses import RunStatus


class RunState(BaseModel, frozen=True):
    """Where a run stands, and since when."""

    id: UUID
    status: RunStatus
    status_changed_at: datetime


async def select_run_states(
    connection: Connection, *, project_id: UUID, run_ids: Sequence[UUID]
) -> list[RunState]:
    """Where the project's runs among these stand."""
    return await fetch_all(
        connection,
        RunState,
        """
        SELECT id, status, status_changed_at
        FROM experiment.runs
        WHERE project_id = $1 AND id = ANY($2)
        """,
        project_id,
        run_ids,
    )


async def lock_runs(
    connection: Connection, *, project_id: UUID, run_ids: Sequence[UUID]
) -> datetime:
    """Wait for whoever else changes the runs, and hold them; the time when that was done."""
    return await connection.fetchval(
        """
        WITH held AS MATERIALIZED (
            SELECT FROM experiment.runs
            WHERE project_id = $1 AND id = ANY($2)
            ORDER BY id
            FOR UPDATE
        ), counted AS MATERIALIZED (
            SELECT count(*) FROM held
        )
        SELECT clock_timestamp() FROM counted
        """,
        project_id,
        run_ids,
    )


async def update_run_status(
    connection: Connection,
    *,
    project_id: UUID,
    run_ids: Sequence[UUID],
    status: RunStatus,
    sources: Sequence[RunStatus],
    arrived_at: datetime,
    at: datetime,
    change: int,
) -> set[UUID]:
    """Take a step with those runs whose status allows it and was so when the request arrived."""
    rows = await connection.fetch(
        """
        UPDATE experiment.runs
        SET status = $3,
            status_changed_at = $6,
            status_before_archive = CASE WHEN $3 = 'archived' THEN status END,
            archived_at = CASE WHEN $3 = 'archived' THEN $6::timestamptz END,
            started_at = CASE WHEN $3 = 'running' THEN coalesce(started_at, $6)
                              ELSE started_at END,
            finished_at = CASE WHEN $3 = 'running' THEN NULL
                               WHEN $3 = 'archived' THEN finished_at
                               ELSE $6 END,
            -- A run that is resumed has as long as any other to give a sign of life.
            last_heartbeat_at = CASE WHEN $3 = 'running' AND last_heartbeat_at IS NOT NULL
                                     THEN $6 ELSE last_heartbeat_at END,
            version = version + 1,
            updated_at = $6,
            change = $7
        WHERE project_id = $1 AND id = ANY($2)
          AND status = ANY($4) AND status_changed_at <= $5
        RETURNING id
        """,
        project_id,
        run_ids,
        status,
        sources,
        arrived_at,
        at,
        change,
    )
    return {row["id"] for row in rows}


async def update_run_restored(
    connection: Connection, *, run_id: UUID, arrived_at: datetime, at: datetime, change: int
) -> bool:
    """Give an archived run the status back that it had."""
    restored = await connection.fetchval(
        """
        UPDATE experiment.runs
        SET status = status_before_archive,
            status_changed_at = $3,
            status_before_archive = NULL,
            archived_with_experiment = false,
            archived_at = NULL,
            version = version + 1,
            updated_at = $3,
            change = $4
        WHERE id = $1 AND status = 'archived' AND status_changed_at <= $2
        RETURNING id
        """,
        run_id,
        arrived_at,
        at,
        change,
    )
    return restored is not None


async def update_runs_archived_with_experiment(
    connection: Connection, *, experiment_id: UUID, at: datetime, change: int
) -> None:
    """Hide the runs of an experiment that are not hidden and do not run."""
    await connection.execute(
        """
        UPDATE experiment.runs
        SET status = 'archived',
            status_changed_at = $2,
            status_before_archive = status,
            archived_with_experiment = true,
            archived_at = $2,
            version = version + 1,
            updated_at = $2,
            change = $3
        WHERE experiment_id = $1 AND status NOT IN ('archived', 'running')
        """,
        experiment_id,
        at,
        change,
    )


async def update_runs_restored_with_experiment(
    connection: Connection, *, experiment_id: UUID, at: datetime, change: int
) -> None:
    """Bring back the runs that the archiving of their experiment hid, and no others."""
    await connection.execute(
        """
        UPDATE experiment.runs
        SET status = status_before_archive,
            status_changed_at = $2,
            status_before_archive = NULL,
            archived_with_experiment = false,
            archived_at = NULL,
            version = version + 1,
            updated_at = $2,
            change = $3
        WHERE experiment_id = $1 AND archived_with_experiment
        """,
        experiment_id,
        at,
        change,
    )


async def count_running_runs(connection: Connection, *, experiment_id: UUID) -> int:
    """How many runs of the experiment are running."""
    return await connection.fetchval(
        "SELECT count(*) FROM experiment.runs WHERE experiment_id = $1 AND status = 'running'",
        experiment_id,
    )


async def update_run_heartbeat(connection: Connection, *, run_id: UUID) -> bool:
    """Note a sign of life of a running run."""
    noted = await connection.fetchval(
        """
        UPDATE experiment.runs
        SET last_heartbeat_at = clock_timestamp()
        WHERE id = $1 AND status = 'running'
        RETURNING id
        """,
        run_id,
    )
    return noted is not None


async def update_run_resumed(
    connection: Connection, *, run_id: UUID, at: datetime, change: int
) -> bool:
    """Set an interrupted run running again, as if it had never been silent."""
    resumed = await connection.fetchval(
        """
        UPDATE experiment.runs
        SET status = 'running',
            status_changed_at = $2,
            finished_at = NULL,
            last_heartbeat_at = $2,
            version = version + 1,
            updated_at = $2,
            change = $3
        WHERE id = $1 AND status = 'interrupted'
        RETURNING id
        """,
        run_id,
        at,
        change,
    )
    return resumed is not None

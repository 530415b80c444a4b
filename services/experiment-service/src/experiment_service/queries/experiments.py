"""SQL on experiments: one function, one statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_optional

from experiment_service.models.experiments import Experiment, NewExperiment
from experiment_service.models.statuses import ExperimentStatus
from experiment_service.models.values import name_key

_EXPERIMENT = """
    SELECT e.id, e.project_id, e.name, e.description, e.type, e.tags, e.metadata, e.status,
           e.run_count, e.running_count, e.last_run_at, e.version, e.created_by,
           e.created_at, e.updated_at, e.started_at, e.finished_at, e.archived_at
    FROM experiment.experiments e
"""


async def select_project(connection: Connection, experiment_id: UUID) -> UUID | None:
    """The project that the experiment belongs to."""
    return await connection.fetchval(
        "SELECT project_id FROM experiment.experiments WHERE id = $1", experiment_id
    )


async def select_experiments_of_project(
    connection: Connection, *, project_id: UUID, experiment_ids: Sequence[UUID]
) -> list[UUID]:
    """Those of the experiments that are the project's."""
    rows = await connection.fetch(
        "SELECT id FROM experiment.experiments WHERE project_id = $1 AND id = ANY($2::uuid[])",
        project_id,
        experiment_ids,
    )
    return [row["id"] for row in rows]


async def select_experiment(connection: Connection, *, experiment_id: UUID) -> Experiment | None:
    """One experiment as it is answered."""
    return await fetch_optional(
        connection, Experiment, _EXPERIMENT + "WHERE e.id = $1", experiment_id
    )


async def select_experiments(
    connection: Connection, *, experiment_ids: Sequence[UUID]
) -> list[Experiment]:
    """Experiments in the order of their ids as given."""
    return await fetch_all(
        connection,
        Experiment,
        _EXPERIMENT + "WHERE e.id = ANY($1::uuid[]) ORDER BY array_position($1::uuid[], e.id)",
        experiment_ids,
    )


async def select_archived_namesake(
    connection: Connection, *, project_id: UUID, name: str
) -> str | None:
    """The name of the archived experiment that has this name, in any case."""
    return await connection.fetchval(
        """
        SELECT name
        FROM experiment.experiments
        WHERE project_id = $1 AND name_key = $2 AND status = 'archived'
        """,
        project_id,
        name_key(name),
    )


async def insert_experiment(
    connection: Connection,
    new: NewExperiment,
    *,
    experiment_id: UUID,
    project_id: UUID,
    created_by: UUID,
    at: datetime,
) -> None:
    """Create an experiment."""
    await connection.execute(
        """
        INSERT INTO experiment.experiments (
            id, project_id, name, name_key, description, type, tags, metadata,
            created_by, created_at, updated_at, status_changed_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $10)
        """,
        experiment_id,
        project_id,
        new.name,
        name_key(new.name),
        new.description,
        new.type,
        new.tags,
        new.metadata,
        created_by,
        at,
    )


async def update_experiment(
    connection: Connection, experiment: Experiment, *, at: datetime
) -> None:
    """Store what people edit of an experiment, and count the version up."""
    await connection.execute(
        """
        UPDATE experiment.experiments
        SET name = $2, name_key = $3, description = $4, type = $5, tags = $6, metadata = $7,
            version = version + 1, updated_at = $8
        WHERE id = $1
        """,
        experiment.id,
        experiment.name,
        name_key(experiment.name),
        experiment.description,
        experiment.type,
        experiment.tags,
        experiment.metadata,
        at,
    )


async def lock_experiment(connection: Connection, *, experiment_id: UUID) -> datetime:
    """Wait for whoever else changes the experiment, and hold it; the time when that was done."""
    return await connection.fetchval(
        """
        WITH held AS MATERIALIZED (
            SELECT FROM experiment.experiments WHERE id = $1 FOR UPDATE
        ), counted AS MATERIALIZED (
            SELECT count(*) FROM held
        )
        SELECT clock_timestamp() FROM counted
        """,
        experiment_id,
    )


async def update_experiment_status(
    connection: Connection,
    *,
    experiment_id: UUID,
    status: ExperimentStatus,
    sources: Sequence[ExperimentStatus],
    arrived_at: datetime,
    at: datetime,
) -> bool:
    """Take a step, if the status allows it and was so when the request arrived."""
    changed = await connection.fetchval(
        """
        UPDATE experiment.experiments
        SET status = $2,
            status_changed_at = $5,
            status_before_archive = CASE WHEN $2 = 'archived' THEN status END,
            archived_at = CASE WHEN $2 = 'archived' THEN $5::timestamptz END,
            started_at = CASE WHEN $2 = 'running' THEN coalesce(started_at, $5)
                              ELSE started_at END,
            finished_at = CASE WHEN $2 IN ('succeeded', 'failed') THEN $5
                               ELSE finished_at END,
            version = version + 1,
            updated_at = $5
        WHERE id = $1 AND status = ANY($3) AND status_changed_at <= $4
        RETURNING id
        """,
        experiment_id,
        status,
        sources,
        arrived_at,
        at,
    )
    return changed is not None


async def update_experiment_restored(
    connection: Connection, *, experiment_id: UUID, arrived_at: datetime, at: datetime
) -> bool:
    """Give an archived experiment the status back that it had."""
    restored = await connection.fetchval(
        """
        UPDATE experiment.experiments
        SET status = status_before_archive,
            status_changed_at = $3,
            status_before_archive = NULL,
            archived_at = NULL,
            version = version + 1,
            updated_at = $3
        WHERE id = $1 AND status = 'archived' AND status_changed_at <= $2
        RETURNING id
        """,
        experiment_id,
        arrived_at,
        at,
    )
    return restored is not None


async def update_experiment_has_run(
    connection: Connection, *, experiment_id: UUID, at: datetime, running: bool
) -> None:
    """Note a new run; the first one that runs sets a draft running."""
    await connection.execute(
        """
        UPDATE experiment.experiments
        SET last_run_at = $2,
            status = CASE WHEN $3 AND status = 'draft' THEN 'running' ELSE status END,
            status_changed_at = CASE WHEN $3 AND status = 'draft' THEN $2
                                     ELSE status_changed_at END,
            started_at = CASE WHEN $3 THEN coalesce(started_at, $2) ELSE started_at END
        WHERE id = $1
        """,
        experiment_id,
        at,
        running,
    )


async def select_experiment_state(
    connection: Connection, *, experiment_id: UUID
) -> dict[str, Any] | None:
    """Status, and since when."""
    row = await connection.fetchrow(
        "SELECT status, status_changed_at FROM experiment.experiments WHERE id = $1",
        experiment_id,
    )
    return dict(row) if row else None

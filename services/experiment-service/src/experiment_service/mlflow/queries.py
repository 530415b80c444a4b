"""SQL of this room on experiments and runs: one function, one statement."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_optional

from experiment_service.mlflow.entities import LatestMetric, RunModel, StoredExperiment, StoredRun
from experiment_service.models.values import name_key

_EXPERIMENT = """
    SELECT e.id, e.project_id, e.name, e.description, e.tags,
           e.metadata #>> '{mlflow,artifact_location}' AS artifact_location,
           e.created_at, e.updated_at, e.archived_at
    FROM experiment.experiments e
"""

_RUN = """
    SELECT r.id, r.project_id, r.experiment_id, r.name, r.notes, r.source, r.git_commit,
           r.git_branch, r.parent_run_id, r.tags, r.status, r.status_before_archive, r.params,
           r.environment #>> '{mlflow,user_id}' AS user_name,
           e.metadata #>> '{mlflow,artifact_location}' AS artifact_location,
           r.started_at, r.finished_at, r.created_at
    FROM experiment.runs r
    JOIN experiment.experiments e ON e.id = r.experiment_id
"""


async def select_experiment(
    connection: Connection, *, experiment_id: UUID
) -> StoredExperiment | None:
    """One experiment."""
    return await fetch_optional(
        connection, StoredExperiment, _EXPERIMENT + "WHERE e.id = $1", experiment_id
    )


async def select_experiment_by_name(
    connection: Connection, *, project_id: UUID, name: str
) -> StoredExperiment | None:
    """The experiment of that name, in any case."""
    return await fetch_optional(
        connection,
        StoredExperiment,
        _EXPERIMENT + "WHERE e.project_id = $1 AND e.name_key = $2",
        project_id,
        name_key(name),
    )


async def update_experiment_labels(
    connection: Connection, experiment: StoredExperiment, *, at: datetime
) -> None:
    """Store an experiment's description and tags, and count the version up."""
    await connection.execute(
        """
        UPDATE experiment.experiments
        SET description = $2, tags = $3, version = version + 1, updated_at = $4
        WHERE id = $1
        """,
        experiment.id,
        experiment.description,
        experiment.tags,
        at,
    )


async def update_running_runs_archived(
    connection: Connection, *, experiment_id: UUID, at: datetime, change: int
) -> None:
    """Hide the running runs of an experiment that is hidden itself."""
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
        WHERE experiment_id = $1 AND status = 'running'
        """,
        experiment_id,
        at,
        change,
    )


async def select_run(connection: Connection, *, run_id: UUID) -> StoredRun | None:
    """One run."""
    return await fetch_optional(connection, StoredRun, _RUN + "WHERE r.id = $1", run_id)


async def select_runs(connection: Connection, *, run_ids: Sequence[UUID]) -> list[StoredRun]:
    """Runs in the order of their ids as given."""
    return await fetch_all(
        connection,
        StoredRun,
        _RUN + "WHERE r.id = ANY($1::uuid[]) ORDER BY array_position($1::uuid[], r.id)",
        run_ids,
    )


async def update_run_labels(
    connection: Connection, run: StoredRun, *, at: datetime, change: int
) -> None:
    """Store what MLflow keeps in tags, and count the version up."""
    await connection.execute(
        """
        UPDATE experiment.runs
        SET name = $2, name_key = $3, notes = $4, source = $5, git_commit = $6, git_branch = $7,
            parent_run_id = $8, tags = $9, version = version + 1, updated_at = $10, change = $11
        WHERE id = $1
        """,
        run.id,
        run.name,
        name_key(run.name),
        run.notes,
        run.source,
        run.git_commit,
        run.git_branch,
        run.parent_run_id,
        run.tags,
        at,
        change,
    )


async def update_run_end(
    connection: Connection, *, run_id: UUID, finished_at: datetime | None, at: datetime, change: int
) -> None:
    """Set when a run ended, as its client says it; never before it began."""
    await connection.execute(
        """
        UPDATE experiment.runs
        SET finished_at = greatest($2::timestamptz, CASE WHEN $2 IS NOT NULL THEN started_at END),
            version = version + 1, updated_at = $3, change = $4
        WHERE id = $1
        """,
        run_id,
        finished_at,
        at,
        change,
    )


async def select_latest_metrics(
    connection: Connection, *, run_ids: Sequence[UUID]
) -> list[LatestMetric]:
    """The latest value of each metric of the runs, by key."""
    return await fetch_all(
        connection,
        LatestMetric,
        """
        SELECT run_id, key, value, step,
               floor(extract(epoch FROM time) * 1000)::bigint AS time_ms
        FROM metrics.latest
        WHERE run_id = ANY($1::uuid[])
        ORDER BY run_id, key
        """,
        run_ids,
    )


async def select_run_models(connection: Connection, *, run_ids: Sequence[UUID]) -> list[RunModel]:
    """The models that the runs have read or made."""
    return await fetch_all(
        connection,
        RunModel,
        """
        SELECT run_id, direction, model_id, step
        FROM experiment.run_models
        WHERE run_id = ANY($1::uuid[])
        ORDER BY run_id, step, model_id
        """,
        run_ids,
    )


async def insert_run_models(
    connection: Connection, models: Sequence[RunModel], *, run_id: UUID, project_id: UUID
) -> int:
    """Note models that a run has read or made; answers how many of them are the project's."""
    rows = await connection.fetch(
        """
        INSERT INTO experiment.run_models (run_id, project_id, direction, model_id, step)
        SELECT DISTINCT ON (given.direction, given.model_id)
               $1::uuid, $2::uuid, given.direction, given.model_id, given.step
        FROM unnest($3::text[], $4::uuid[], $5::bigint[]) AS given (direction, model_id, step)
        JOIN experiment.logged_models m ON m.id = given.model_id AND m.project_id = $2
        ORDER BY given.direction, given.model_id, given.step DESC
        ON CONFLICT (run_id, direction, model_id) DO UPDATE SET step = excluded.step
        RETURNING model_id
        """,
        run_id,
        project_id,
        [model.direction for model in models],
        [model.model_id for model in models],
        [model.step for model in models],
    )
    return len(rows)

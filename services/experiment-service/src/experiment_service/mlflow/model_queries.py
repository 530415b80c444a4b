"""SQL on logged models: one function, one statement."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_optional

from experiment_service.mlflow.entities import ModelStatus, StoredModel, StoredModelMetric
from experiment_service.mlflow.messages import ModelMetric

_MODEL = """
    SELECT m.id, m.project_id, m.experiment_id, m.source_run_id, m.name, m.model_type, m.status,
           m.params, m.tags, e.metadata #>> '{mlflow,artifact_location}' AS artifact_location,
           m.created_at, m.updated_at, m.deleted_at
    FROM experiment.logged_models m
    JOIN experiment.experiments e ON e.id = m.experiment_id
"""


async def select_project_of_model(connection: Connection, model_id: UUID) -> UUID | None:
    """The project that the model belongs to."""
    return await connection.fetchval(
        "SELECT project_id FROM experiment.logged_models WHERE id = $1", model_id
    )


async def select_model(connection: Connection, *, model_id: UUID) -> StoredModel | None:
    """One model, deleted or not."""
    return await fetch_optional(connection, StoredModel, _MODEL + "WHERE m.id = $1", model_id)


async def select_models(connection: Connection, *, model_ids: Sequence[UUID]) -> list[StoredModel]:
    """Models in the order of their ids as given."""
    return await fetch_all(
        connection,
        StoredModel,
        _MODEL + "WHERE m.id = ANY($1::uuid[]) ORDER BY array_position($1::uuid[], m.id)",
        model_ids,
    )


async def lock_model(connection: Connection, *, model_id: UUID) -> None:
    """Let nobody else change the model until the transaction ends."""
    await connection.execute(
        "SELECT id FROM experiment.logged_models WHERE id = $1 FOR UPDATE", model_id
    )


async def insert_model(
    connection: Connection,
    *,
    model_id: UUID,
    project_id: UUID,
    experiment_id: UUID,
    source_run_id: UUID | None,
    name: str,
    model_type: str,
    params: Mapping[str, str],
    tags: Mapping[str, str],
    created_by: UUID,
) -> None:
    """Record a model whose files are still to come."""
    await connection.execute(
        """
        INSERT INTO experiment.logged_models (
            id, project_id, experiment_id, source_run_id, name, model_type, params, tags,
            created_by, created_at, updated_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now(), now())
        """,
        model_id,
        project_id,
        experiment_id,
        source_run_id,
        name,
        model_type,
        params,
        tags,
        created_by,
    )


async def update_model_status(
    connection: Connection, *, model_id: UUID, status: ModelStatus
) -> None:
    """Say how a model's upload went."""
    await connection.execute(
        "UPDATE experiment.logged_models SET status = $2, updated_at = now() WHERE id = $1",
        model_id,
        status,
    )


async def update_model_values(
    connection: Connection, *, model_id: UUID, params: Mapping[str, str], tags: Mapping[str, str]
) -> None:
    """Store a model's params and tags."""
    await connection.execute(
        "UPDATE experiment.logged_models SET params = $2, tags = $3 WHERE id = $1",
        model_id,
        params,
        tags,
    )


async def update_model_deleted(connection: Connection, *, model_id: UUID) -> None:
    """Hide a model; again, it stays as it was hidden."""
    await connection.execute(
        """
        UPDATE experiment.logged_models
        SET deleted_at = coalesce(deleted_at, now()), updated_at = now()
        WHERE id = $1
        """,
        model_id,
    )


async def insert_model_metrics(
    connection: Connection, metrics: Sequence[ModelMetric], *, run_id: UUID, project_id: UUID
) -> None:
    """Note metrics of models of the project; the same one again changes nothing."""
    await connection.execute(
        """
        INSERT INTO experiment.logged_model_metrics (
            model_id, project_id, run_id, key, step, time_ms, value, dataset_name, dataset_digest
        )
        SELECT given.model_id, $2, $1, given.key, given.step, given.time_ms, given.value,
               given.dataset_name, given.dataset_digest
        FROM unnest(
            $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::float8[], $8::text[], $9::text[]
        ) AS given (model_id, key, step, time_ms, value, dataset_name, dataset_digest)
        JOIN experiment.logged_models m ON m.id = given.model_id AND m.project_id = $2
        ON CONFLICT DO NOTHING
        """,
        run_id,
        project_id,
        [metric.model_id for metric in metrics],
        [metric.key for metric in metrics],
        [metric.step for metric in metrics],
        [metric.timestamp for metric in metrics],
        [metric.value for metric in metrics],
        [metric.dataset_name for metric in metrics],
        [metric.dataset_digest for metric in metrics],
    )


async def select_model_metrics(
    connection: Connection, *, model_ids: Sequence[UUID]
) -> list[StoredModelMetric]:
    """The metrics that runs have logged for the models."""
    return await fetch_all(
        connection,
        StoredModelMetric,
        """
        SELECT model_id, run_id, key, step, time_ms, value, dataset_name, dataset_digest
        FROM experiment.logged_model_metrics
        WHERE model_id = ANY($1::uuid[])
        ORDER BY model_id, key, time_ms, step, run_id
        """,
        model_ids,
    )

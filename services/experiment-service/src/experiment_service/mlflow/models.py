"""What MLflow clients do with logged models."""

from collections.abc import Sequence
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.mlflow import NOBODYS, DoesNotExist, InvalidParameter, our_id
from servicekit.problems import NotFound

from experiment_service.mlflow import answers, limits, model_queries
from experiment_service.mlflow.entities import ModelStatus, StoredExperiment, StoredModel
from experiment_service.mlflow.experiments import check_active
from experiment_service.mlflow.messages import (
    CreateModel,
    LogModelParams,
    ModelStatusName,
    Pair,
    TagModel,
)
from experiment_service.models.values import MAX_PARAMS, MAX_PARAMS_BYTES, MAX_TAGS, json_size
from experiment_service.operations.names import readable_name
from experiment_service.queries.runs import select_runs_of_project

_NAME_LENGTH = 500
_STATUSES: dict[str, ModelStatus] = {
    name: ours for ours, name in answers.MODEL_STATUS_NAMES.items()
}


async def create_model(
    database: Database, principal: Principal, experiment: StoredExperiment, asked: CreateModel
) -> answers.Json:
    """Record a model whose files its client uploads next.

    Raises:
        InvalidParameter: the experiment is deleted, or the name is one that MLflow refuses.
        DoesNotExist: there is no such source run in the project.
    """
    check_active(experiment)
    _check_name(asked.name)
    model_id = uuid7()
    async with database.acquire() as connection:
        await model_queries.insert_model(
            connection,
            model_id=model_id,
            project_id=experiment.project_id,
            experiment_id=experiment.id,
            source_run_id=await _source_run(connection, experiment, asked.source_run_id),
            name=asked.name or readable_name(),
            model_type=asked.model_type,
            params=_checked(_pairs(asked.params)),
            tags=_checked(_pairs(asked.tags), most=MAX_TAGS),
            created_by=principal.user_id,
        )
    return await get_model(database, model_id)


async def get_model(
    database: Database, model_id: UUID, *, allow_deleted: bool = True
) -> answers.Json:
    """A model with its params, tags and metrics.

    Raises:
        DoesNotExist: it is deleted, and such are not asked for.
    """
    async with database.acquire() as connection:
        model = await _model(connection, model_id)
        if model.deleted_at and not allow_deleted:
            raise _no_such(model_id)
        metrics = await model_queries.select_model_metrics(connection, model_ids=[model_id])
    return answers.model(model, metrics)


async def read_models(database: Database, model_ids: Sequence[UUID]) -> list[answers.Json]:
    """Models as they are answered, in the order of their ids."""
    async with database.acquire() as connection:
        models = await model_queries.select_models(connection, model_ids=model_ids)
        metrics = await model_queries.select_model_metrics(connection, model_ids=model_ids)
    return [
        answers.model(model, (metric for metric in metrics if metric.model_id == model.id))
        for model in models
    ]


async def finalize_model(
    database: Database, model_id: UUID, status: ModelStatusName
) -> answers.Json:
    """Say how a model's upload went, and answer it."""
    async with database.acquire() as connection:
        await model_queries.update_model_status(
            connection, model_id=model_id, status=_STATUSES[status]
        )
    return await get_model(database, model_id)


async def delete_model(database: Database, model_id: UUID) -> None:
    """Hide a model."""
    async with database.acquire() as connection:
        await model_queries.update_model_deleted(connection, model_id=model_id)


async def log_model_params(database: Database, asked: LogModelParams) -> None:
    """Add params to a model; one that is there already keeps its value.

    Raises:
        InvalidParameter: a param has another value already, or there are too many.
    """
    added = _pairs(asked.params)
    async with database.acquire() as connection, connection.transaction():
        await model_queries.lock_model(connection, model_id=asked.model_id)
        model = await _model(connection, asked.model_id)
        for key, value in added.items():
            if model.params.get(key, value) != value:
                msg = f"Param {key!r} of the model has another value already."
                raise InvalidParameter(msg)
        await model_queries.update_model_values(
            connection,
            model_id=model.id,
            params=_checked(model.params | added),
            tags=model.tags,
        )


async def tag_model(database: Database, asked: TagModel) -> None:
    """Set tags of a model.

    Raises:
        InvalidParameter: it would have too many.
    """
    async with database.acquire() as connection, connection.transaction():
        await model_queries.lock_model(connection, model_id=asked.model_id)
        model = await _model(connection, asked.model_id)
        tags = _checked(model.tags | _pairs(asked.tags), most=MAX_TAGS)
        await model_queries.update_model_values(
            connection, model_id=model.id, params=model.params, tags=tags
        )


async def untag_model(database: Database, model_id: UUID, key: str) -> None:
    """Take a tag off a model.

    Raises:
        DoesNotExist: it has no such tag.
    """
    async with database.acquire() as connection, connection.transaction():
        await model_queries.lock_model(connection, model_id=model_id)
        model = await _model(connection, model_id)
        if key not in model.tags:
            msg = f"No tag with key {key[:300]!r} found for model {answers.model_id(model_id)!r}."
            raise DoesNotExist(msg)
        tags = {name: value for name, value in model.tags.items() if name != key}
        await model_queries.update_model_values(
            connection, model_id=model.id, params=model.params, tags=tags
        )


async def _model(connection: Connection, model_id: UUID) -> StoredModel:
    model = await model_queries.select_model(connection, model_id=model_id)
    if model is None:
        raise NotFound
    return model


async def _source_run(
    connection: Connection, experiment: StoredExperiment, text: str
) -> UUID | None:
    if not text:
        return None
    try:
        run_id = our_id(text)
    except ValueError:
        run_id = NOBODYS
    found = await select_runs_of_project(
        connection,
        project_id=experiment.project_id,
        run_ids=[run_id] if isinstance(run_id, UUID) else [],
    )
    if not found:
        msg = f"Run with id={text[:300]} not found"
        raise DoesNotExist(msg)
    return found[0]


def _pairs(pairs: Sequence[Pair]) -> dict[str, str]:
    for index, pair in enumerate(pairs):
        if not pair.key:
            msg = f"Missing value for required parameter '[{index}].key'."
            raise InvalidParameter(msg)
        limits.check_length(pair.key, limits.KEY_LENGTH, f"[{index}].key")
    return {pair.key: pair.value for pair in pairs}


def _checked(values: dict[str, str], *, most: int = MAX_PARAMS) -> dict[str, str]:
    if len(values) > most or json_size(values) > MAX_PARAMS_BYTES:
        msg = f"A model may have at most {MAX_PARAMS} params, {MAX_TAGS} tags, and 1 MiB of each."
        raise InvalidParameter(msg)
    return values


def _check_name(name: str) -> None:
    limits.check_length(name, _NAME_LENGTH, "name")
    if any(character in "/:.%\"'" for character in name):
        msg = f"Invalid model name {name[:300]!r}: it must not contain / : . % \" or '."
        raise InvalidParameter(msg)


def _no_such(model_id: UUID) -> DoesNotExist:
    return DoesNotExist(f"Logged model with ID {answers.model_id(model_id)!r} not found.")

"""What MLflow clients write to runs: params, tags, models that they read and made."""

import json
from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from servicekit.database import Database
from servicekit.mlflow import DoesNotExist, InvalidParameter

from experiment_service.mlflow import labels, limits, queries
from experiment_service.mlflow.datasets import insert_run_datasets
from experiment_service.mlflow.entities import RunModel, StoredRun
from experiment_service.mlflow.messages import LogBatch, LogInputs, LogModel, LogOutputs, Pair
from experiment_service.mlflow.model_queries import insert_model_metrics
from experiment_service.mlflow.runs import active_run, change_labels, set_tags
from experiment_service.models.values import MAX_PARAMS, MAX_PARAMS_BYTES, json_size, same_param
from experiment_service.operations.changing import Change, changing
from experiment_service.queries.run_values import insert_run_params
from experiment_service.queries.runs import update_run_params

_MODEL_FIELDS = {"artifact_path", "flavors", "utc_time_created", "run_id"}

_FIELDS_KEPT = {"run_id", "utc_time_created", "artifact_path", "model_uuid"}


async def log_param(database: Database, project_id: UUID, run_id: UUID, param: Pair) -> None:
    """Log a param of a run; the same value again changes nothing.

    Raises:
        InvalidParameter: it has another value already, the run is deleted, or the key is one
            that MLflow refuses.
    """
    limits.check_key(param.key)
    async with changing(database, project_id) as now:
        run = await active_run(now.connection, run_id)
        await _add_params(now, run, {param.key: param.value[: limits.PARAM_LENGTH]})


async def log_batch(database: Database, project_id: UUID, asked: LogBatch) -> None:
    """Log params and tags, and which metrics are those of logged models: all of it or nothing.

    Raises:
        InvalidParameter: the run is deleted, a key is one that MLflow refuses, a param has
            another value already, or it is too much at once.
    """
    limits.check_batch(len(asked.metrics), len(asked.params), len(asked.tags))
    params, tags = limits.params_of(asked.params), limits.tags_of(asked.tags)
    metrics = [metric for metric in asked.metrics if metric.model_id]
    async with changing(database, project_id) as now:
        run = await active_run(now.connection, asked.run_id)
        await _add_params(now, run, params)
        if tags:
            await set_tags(now, run, tags)
        if metrics:
            await insert_model_metrics(
                now.connection, metrics, run_id=run.id, project_id=project_id
            )


async def set_tag(database: Database, project_id: UUID, run_id: UUID, tag: Pair) -> None:
    """Set a tag of a run.

    Raises:
        InvalidParameter: the run is deleted, or the key is one that MLflow refuses.
    """
    limits.check_key(tag.key)
    async with changing(database, project_id) as now:
        run = await active_run(now.connection, run_id)
        await set_tags(now, run, {tag.key: tag.value[: limits.TAG_LENGTH]})


async def delete_tag(database: Database, project_id: UUID, run_id: UUID, key: str) -> None:
    """Take a tag off a run.

    Raises:
        DoesNotExist: it has no such tag.
        InvalidParameter: the run is deleted.
    """
    async with changing(database, project_id) as now:
        run = await active_run(now.connection, run_id)
        if key not in labels.shown_tags(run):
            msg = f"No tag with name: {key[:300]} in run with id {run_id.hex}"
            raise DoesNotExist(msg)
        await change_labels(now, run, labels.without_tag(run, key))


async def log_model(database: Database, project_id: UUID, asked: LogModel) -> None:
    """Add a model's description to the run's tag of all its models, as clients before 3 do.

    Raises:
        InvalidParameter: it is not the JSON of a model, or the run is deleted.
    """
    try:
        model: Any = json.loads(asked.model_json)
    except ValueError as exc:
        msg = "model_json is not JSON."
        raise InvalidParameter(msg) from exc
    missing = _MODEL_FIELDS - model.keys() if isinstance(model, dict) else _MODEL_FIELDS
    if missing:
        msg = f"Model json is missing mandatory fields: {', '.join(sorted(missing))}"
        raise InvalidParameter(msg)
    async with changing(database, project_id) as now:
        run = await active_run(now.connection, asked.run_id)
        value = json.dumps([*_history(run), _short(cast("dict[str, Any]", model))])
        limits.check_length(value, limits.TAG_LENGTH, labels.LOGGED_MODELS)
        await set_tags(now, run, {labels.LOGGED_MODELS: value})


async def log_inputs(database: Database, project_id: UUID, asked: LogInputs) -> None:
    """Note the datasets and models that a run reads.

    Raises:
        InvalidParameter: the run is deleted, or a dataset is one that MLflow refuses.
        DoesNotExist: a model is none of this project.
    """
    limits.check_datasets(asked.datasets)
    links = [
        RunModel(run_id=asked.run_id, direction="input", model_id=model.model_id, step=0)
        for model in asked.models
    ]
    async with changing(database, project_id) as now:
        run = await active_run(now.connection, asked.run_id)
        if asked.datasets:
            await insert_run_datasets(
                now.connection, asked.datasets, run_id=run.id, project_id=project_id
            )
        await _link(now, run, links)


async def log_outputs(database: Database, project_id: UUID, asked: LogOutputs) -> None:
    """Note the models that a run has made.

    Raises:
        InvalidParameter: the run is deleted.
        DoesNotExist: a model is none of this project.
    """
    links = [
        RunModel(run_id=asked.run_id, direction="output", model_id=model.model_id, step=model.step)
        for model in asked.models
    ]
    async with changing(database, project_id) as now:
        run = await active_run(now.connection, asked.run_id)
        await _link(now, run, links)


async def _link(now: Change, run: StoredRun, links: list[RunModel]) -> None:
    if not links:
        return
    known = await queries.insert_run_models(
        now.connection, links, run_id=run.id, project_id=run.project_id
    )
    if known < len({link.model_id for link in links}):
        msg = "There is no logged model of one of these ids in the run's project."
        raise DoesNotExist(msg)


async def _add_params(now: Change, run: StoredRun, params: Mapping[str, str]) -> None:
    for key, value in params.items():
        if key in run.params and not same_param(run.params[key], value):
            old = str(run.params[key])
            if old == value:  # logged as a number elsewhere: to MLflow it is the same
                continue
            msg = (
                f"Changing param values is not allowed. Param {key!r} of run {run.id.hex} is"
                f" {old[:200]!r} already, not {value[:200]!r}."
            )
            raise InvalidParameter(msg)
    added = {key: value for key, value in params.items() if key not in run.params}
    if not added:
        return
    after = run.params | added
    if len(after) > MAX_PARAMS or json_size(after) > MAX_PARAMS_BYTES:
        msg = f"A run may have at most {MAX_PARAMS} params, and 1 MiB of them."
        raise InvalidParameter(msg)
    await update_run_params(
        now.connection,
        run_id=run.id,
        params=after,
        at=now.turn.at,
        change=now.turn.change,
    )
    await insert_run_params(now.connection, run_id=run.id, project_id=run.project_id, params=added)


def _history(run: StoredRun) -> list[Any]:
    try:
        found = json.loads(run.tags.get(labels.LOGGED_MODELS, "[]"))
    except ValueError:  # somebody set the tag by hand
        return []
    return cast("list[Any]", found) if isinstance(found, list) else []


def _short(model: dict[str, Any]) -> dict[str, Any]:
    """As much of the description as MLflow keeps: no signatures, no configurations of flavors."""
    kept = {key: value for key, value in model.items() if key in _FIELDS_KEPT}
    flavors = model["flavors"]
    if not isinstance(flavors, dict):
        return kept
    return kept | {
        "flavors": {
            name: _without_config(flavor)
            for name, flavor in cast("dict[str, Any]", flavors).items()
        }
    }


def _without_config(flavor: Any) -> Any:
    if not isinstance(flavor, dict):
        return flavor
    fields = cast("dict[str, Any]", flavor)
    return {key: value for key, value in fields.items() if key != "config"}

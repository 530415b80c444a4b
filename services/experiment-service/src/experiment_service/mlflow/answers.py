"""What MLflow clients are answered: its messages as JSON, without what is not set."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from servicekit.mlflow import number

from experiment_service.mlflow import labels
from experiment_service.mlflow.datasets import RunDataset
from experiment_service.mlflow.entities import (
    LatestMetric,
    ModelStatus,
    RunModel,
    StoredExperiment,
    StoredModel,
    StoredModelMetric,
    StoredRun,
    milliseconds,
)
from experiment_service.models.statuses import RunStatus
from experiment_service.models.values import ParamValue

type Json = dict[str, object]

STATUS_NAMES: Mapping[RunStatus, str] = {
    "draft": "SCHEDULED",
    "running": "RUNNING",
    "succeeded": "FINISHED",
    "failed": "FAILED",
    "interrupted": "KILLED",
}
"""MLflow's names of the states of runs; archived is not one of them but a stage of life."""

MODEL_STATUS_NAMES: Mapping[ModelStatus, str] = {
    "unspecified": "LOGGED_MODEL_STATUS_UNSPECIFIED",
    "pending": "LOGGED_MODEL_PENDING",
    "ready": "LOGGED_MODEL_READY",
    "upload_failed": "LOGGED_MODEL_UPLOAD_FAILED",
}


@dataclass(frozen=True, slots=True)
class RunParts:
    """What a run's answer is made of beside the run itself."""

    metrics: Sequence[LatestMetric] = ()
    datasets: Sequence[RunDataset] = ()
    models: Sequence[RunModel] = ()


def model_id(id_: UUID) -> str:
    """A logged model's id as MLflow writes it."""
    return f"m-{id_.hex}"


def artifact_root(experiment_id: UUID, location: str | None) -> str:
    """Where the files of an experiment are: with us, unless its maker said otherwise."""
    return location or f"mlflow-artifacts:/{experiment_id.hex}"


def experiment(stored: StoredExperiment, name: str) -> Json:
    """An experiment under the name that the client knows it by."""
    tags = dict(stored.tags)
    if stored.description:
        tags.setdefault(labels.NOTE, stored.description)
    return {
        "experiment_id": stored.id.hex,
        "name": name,
        "artifact_location": artifact_root(stored.id, stored.artifact_location),
        "lifecycle_stage": "deleted" if stored.archived_at else "active",
        "last_update_time": milliseconds(stored.updated_at),
        "creation_time": milliseconds(stored.created_at),
    } | _given(tags=_pairs(tags))


def run_info(run: StoredRun) -> Json:
    """A run without its data."""
    root = artifact_root(run.experiment_id, run.artifact_location)
    status = run.status_before_archive or run.status
    tags = run.tags
    info: Json = {
        "run_id": run.id.hex,
        "run_uuid": run.id.hex,
        "run_name": tags.get(labels.RUN_NAME, run.name),
        "experiment_id": run.experiment_id.hex,
        "user_id": tags.get(labels.USER, "") if run.user_name is None else run.user_name,
        "status": STATUS_NAMES[status],
        "start_time": milliseconds(run.started_at or run.created_at),
        "artifact_uri": f"{root}/{run.id.hex}/artifacts",
        "lifecycle_stage": "deleted" if run.status == "archived" else "active",
    }
    if run.finished_at:
        info["end_time"] = milliseconds(run.finished_at)
    return info


def run(stored: StoredRun, parts: RunParts) -> Json:
    """A run with its params, tags, latest metrics, datasets and models."""
    inputs = [{"model_id": model_id(m.model_id)} for m in parts.models if m.direction == "input"]
    outputs: list[Json] = [
        {"model_id": model_id(m.model_id), "step": m.step}
        for m in parts.models
        if m.direction == "output"
    ]
    return {
        "info": run_info(stored),
        "data": _given(
            metrics=[_metric(metric) for metric in parts.metrics],
            params=_pairs({key: param_text(value) for key, value in stored.params.items()}),
            tags=_pairs(labels.shown_tags(stored)),
        ),
        "inputs": _given(
            dataset_inputs=[dataset_input(dataset) for dataset in parts.datasets],
            model_inputs=inputs,
        ),
        "outputs": _given(model_outputs=outputs),
    }


def param_text(value: ParamValue) -> str:
    """A param as MLflow's clients would have logged it: everything is text there."""
    return str(value)


def dataset_input(stored: RunDataset) -> Json:
    """A dataset that a run reads."""
    dataset: Json = {
        "name": stored.name,
        "digest": stored.digest,
        "source_type": stored.source_type,
        "source": stored.source,
    }
    if stored.schema_text is not None:
        dataset["schema"] = stored.schema_text
    if stored.profile is not None:
        dataset["profile"] = stored.profile
    return {"dataset": dataset} | _given(tags=_pairs(stored.tags))


def model(stored: StoredModel, metrics: Iterable[StoredModelMetric]) -> Json:
    """A logged model."""
    root = artifact_root(stored.experiment_id, stored.artifact_location)
    id_ = model_id(stored.id)
    info: Json = {
        "model_id": id_,
        "experiment_id": stored.experiment_id.hex,
        "name": stored.name,
        "creation_timestamp_ms": milliseconds(stored.created_at),
        "last_updated_timestamp_ms": milliseconds(stored.updated_at),
        "artifact_uri": f"{root}/models/{id_}/artifacts",
        "status": MODEL_STATUS_NAMES[stored.status],
        "model_type": stored.model_type,
        "source_run_id": stored.source_run_id.hex if stored.source_run_id else "",
    }
    data = _given(
        params=_pairs(stored.params),
        metrics=[
            {
                "key": metric.key,
                "value": number(metric.value),
                "timestamp": metric.time_ms,
                "step": metric.step,
                "model_id": id_,
                "run_id": metric.run_id.hex,
            }
            | _given(dataset_name=metric.dataset_name, dataset_digest=metric.dataset_digest)
            for metric in metrics
        ],
    )
    return {"info": info | _given(tags=_pairs(stored.tags)), "data": data}


def _metric(metric: LatestMetric) -> Json:
    return {
        "key": metric.key,
        "value": number(metric.value),
        "timestamp": metric.time_ms,
        "step": metric.step,
    }


def _pairs(values: Mapping[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _given(**fields: object) -> Json:
    """Those of the fields that say something: empty lists and texts are left out."""
    return {name: value for name, value in fields.items() if value}

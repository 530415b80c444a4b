"""Experiments, runs and logged models as this room reads them from their tables."""

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from experiment_service.models.statuses import RunStatus
from experiment_service.models.values import ParamValue

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

type ModelStatus = Literal["unspecified", "pending", "ready", "upload_failed"]


def milliseconds(moment: datetime) -> int:
    """A time as MLflow counts it: since 1970, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def moment(milliseconds: int) -> datetime | None:
    """MLflow's time as ours; None where it is none that a calendar has."""
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


class StoredExperiment(BaseModel, frozen=True):
    """An experiment."""

    id: UUID
    project_id: UUID
    name: str
    description: str
    tags: dict[str, str]
    artifact_location: str | None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None


class Labels(BaseModel, frozen=True):
    """What MLflow keeps in a run's tags, and we partly in columns of their own."""

    name: str | None = None
    notes: str = ""
    source: str | None = None
    git_commit: str | None = None
    git_branch: str | None = None
    parent_run_id: UUID | None = None
    tags: dict[str, str] = {}


class StoredRun(Labels, frozen=True):
    """A run with everything that MLflow shows of it but its metrics."""

    id: UUID
    project_id: UUID
    experiment_id: UUID
    name: str  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleVariableOverride] - stored runs have one
    status: RunStatus
    status_before_archive: RunStatus | None
    params: dict[str, ParamValue]
    user_name: str | None
    artifact_location: str | None
    started_at: datetime | None
    finished_at: datetime | None
    created_at: datetime


class LatestMetric(BaseModel, frozen=True):
    """The latest value of one metric of a run."""

    run_id: UUID
    key: str
    value: float
    step: int
    time_ms: int


class RunModel(BaseModel, frozen=True):
    """A model that a run has read or made."""

    run_id: UUID
    direction: Literal["input", "output"]
    model_id: UUID
    step: int


class StoredModel(BaseModel, frozen=True):
    """A logged model."""

    id: UUID
    project_id: UUID
    experiment_id: UUID
    source_run_id: UUID | None
    name: str
    model_type: str
    status: ModelStatus
    params: dict[str, str]
    tags: dict[str, str]
    artifact_location: str | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class StoredModelMetric(BaseModel, frozen=True):
    """A metric that a run has logged for a model."""

    model_id: UUID
    run_id: UUID
    key: str
    step: int
    time_ms: int
    value: float
    dataset_name: str
    dataset_digest: str

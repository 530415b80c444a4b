"""What MLflow clients say: the requests of its tracking API that this service answers."""

from typing import Annotated, Any, Literal, cast
from uuid import UUID

from pydantic import AliasChoices, BeforeValidator, Field, model_validator
from servicekit.mlflow import Id, Int64, Message, Required, our_id

DEFAULT_EXPERIMENT = UUID(int=1)
"""What `0`, and no id at all, mean: the project's experiment named Default."""

DEFAULT_EXPERIMENT_NAME = "Default"

SEARCH_MOST = 50_000

VIEWS = ("", "ACTIVE_ONLY", "DELETED_ONLY", "ALL")
RUN_STATUSES = ("", "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
MODEL_STATUSES = (
    "LOGGED_MODEL_STATUS_UNSPECIFIED",
    "LOGGED_MODEL_PENDING",
    "LOGGED_MODEL_READY",
    "LOGGED_MODEL_UPLOAD_FAILED",
)


def _experiment_id(text: object) -> object:
    return DEFAULT_EXPERIMENT if text in ("", "0", 0) else our_id(text)


def _model_id(text: object) -> object:
    return our_id(text.removeprefix("m-")) if isinstance(text, str) else text


def _named(names: tuple[str, ...]) -> BeforeValidator:
    """Protobuf's habit: an enumeration by its name or by its number."""

    def name_of(value: object) -> object:
        number = str(value)
        return names[int(number)] if number.isdecimal() and int(number) < len(names) else value

    return BeforeValidator(name_of)


type ExperimentId = Annotated[UUID, BeforeValidator(_experiment_id)]
type ModelId = Annotated[UUID, BeforeValidator(_model_id)]
type View = Annotated[Literal["ACTIVE_ONLY", "DELETED_ONLY", "ALL"], _named(VIEWS)]
type RunStatusName = Annotated[
    Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"], _named(RUN_STATUSES)
]
type ModelStatusName = Annotated[
    Literal[
        "LOGGED_MODEL_STATUS_UNSPECIFIED",
        "LOGGED_MODEL_PENDING",
        "LOGGED_MODEL_READY",
        "LOGGED_MODEL_UPLOAD_FAILED",
    ],
    _named(MODEL_STATUSES),
]


class Asked(Message):
    """A request, in which null counts as not given."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        fields = cast("dict[str, Any]", given)
        return {name: value for name, value in fields.items() if value is not None}


class Pair(Asked):
    """A tag or a param."""

    key: str = ""
    value: str = ""


# Experiments


class OfExperiment(Asked):
    """A request about one experiment."""

    experiment_id: ExperimentId


class CreateExperiment(Asked):
    """A new experiment."""

    name: Required
    artifact_location: str = ""
    tags: list[Pair] = Field(default=[])


class GetExperimentByName(Asked):
    """Which experiment, by its name."""

    experiment_name: Required


class SearchExperiments(Asked):
    """Which experiments, in which order."""

    max_results: Int64 = 0
    page_token: str = ""
    filter: str = Field(default="", max_length=8000)
    order_by: list[str] = Field(default=[], max_length=20)
    view_type: View = "ACTIVE_ONLY"


class RenameExperiment(OfExperiment):
    """An experiment's new name."""

    new_name: Required


class TagExperiment(OfExperiment):
    """A tag to set on an experiment."""

    key: Required
    value: str = ""


class UntagExperiment(OfExperiment):
    """A tag to take off an experiment."""

    key: Required


# Runs


class OfRun(Asked):
    """A request about one run; old clients call its id `run_uuid`."""

    run_id: Id = Field(validation_alias=AliasChoices("run_id", "run_uuid"))


class CreateRun(Asked):
    """A new run; times in milliseconds since 1970."""

    experiment_id: ExperimentId = DEFAULT_EXPERIMENT
    user_id: str = Field(default="", max_length=500)
    run_name: str = ""
    start_time: Int64 = 0
    tags: list[Pair] = Field(default=[])


class UpdateRun(OfRun):
    """What changes of a run."""

    status: RunStatusName | None = None
    end_time: Int64 | None = None
    run_name: str = ""


class SearchRuns(Asked):
    """Which runs of which experiments, in which order."""

    experiment_ids: list[ExperimentId] = Field(default=[], max_length=10_000)
    filter: str = Field(default="", max_length=8000)
    run_view_type: View = "ACTIVE_ONLY"
    max_results: Int64 = 1000
    order_by: list[str] = Field(default=[], max_length=8)
    page_token: str = ""


class LogParam(OfRun):
    """A param of a run."""

    key: Required
    value: str = ""


class TagRun(OfRun):
    """A tag to set on a run."""

    key: Required
    value: str = ""


class UntagRun(OfRun):
    """A tag to take off a run."""

    key: Required


class ModelMetric(Asked):
    """A metric of a batch, as far as it is one of a logged model."""

    key: str = ""
    value: float = 0
    timestamp: Int64 = 0
    step: Int64 = 0
    model_id: ModelId | None = None
    dataset_name: str = ""
    dataset_digest: str = ""


class LogBatch(OfRun):
    """What of a batch is kept here; metrics-service takes its metrics and sends the rest on."""

    params: list[Pair] = Field(default=[])
    tags: list[Pair] = Field(default=[])
    metrics: list[ModelMetric] = Field(default=[])


class LogModel(OfRun):
    """A model's description, as clients before MLflow 3 send it."""

    model_json: Required


class Dataset(Asked):
    """A dataset as MLflow describes it."""

    name: Required
    digest: Required
    source_type: Required
    source: Required
    schema_: str | None = Field(default=None, alias="schema")
    profile: str | None = None


class DatasetInput(Asked):
    """A dataset that a run reads, and what for."""

    tags: list[Pair] = Field(default=[])
    dataset: Dataset


class ModelInput(Asked):
    """A model that a run reads."""

    model_id: ModelId


class ModelOutput(Asked):
    """A model that a run has made."""

    model_id: ModelId
    step: Int64 = 0


class LogInputs(OfRun):
    """Datasets and models that a run reads."""

    datasets: list[DatasetInput] = Field(default=[])
    models: list[ModelInput] = Field(default=[], max_length=1000)


class LogOutputs(OfRun):
    """Models that a run has made."""

    models: list[ModelOutput] = Field(max_length=1000)


# Logged models


class OfModel(Asked):
    """A request about one logged model."""

    model_id: ModelId


class GetModel(OfModel):
    """Which model."""

    allow_deleted: bool = False


class CreateModel(Asked):
    """A new model."""

    experiment_id: ExperimentId
    name: str = ""
    model_type: str = Field(default="", max_length=500)
    source_run_id: str = ""
    params: list[Pair] = Field(default=[])
    tags: list[Pair] = Field(default=[])


class FinalizeModel(OfModel):
    """How a model's upload went."""

    status: ModelStatusName


class LogModelParams(OfModel):
    """Params of a model."""

    params: list[Pair] = Field(default=[])


class TagModel(OfModel):
    """Tags to set on a model."""

    tags: list[Pair] = Field(default=[])


class UntagModel(OfModel):
    """A tag to take off a model."""

    tag_key: Required


class DatasetFilter(Asked):
    """The dataset for which metrics were logged."""

    dataset_name: str = ""
    dataset_digest: str = ""


class ModelOrder(Asked):
    """One part of an order of models."""

    field_name: str = ""
    ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""


class SearchModels(Asked):
    """Which models of which experiments, in which order."""

    experiment_ids: list[ExperimentId] = Field(min_length=1, max_length=10_000)
    filter: str = Field(default="", max_length=8000)
    datasets: list[DatasetFilter] = Field(default=[], max_length=100)
    max_results: Int64 = 0
    order_by: list[ModelOrder] = Field(default=[], max_length=8)
    page_token: str = ""

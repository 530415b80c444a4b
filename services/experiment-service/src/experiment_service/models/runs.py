"""Runs, as asked for, changed, stored and answered."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue, StringConstraints
from servicekit.fields import Answer, Body, Key, Label, Name, NotFinite, Text, Timestamp
from servicekit.pagination import PageQuery

from experiment_service.models.experiments import ArchivedFilter, TagFilter
from experiment_service.models.run_filters import MAX_FILTER, MAX_ORDERS
from experiment_service.models.statuses import RunStatus
from experiment_service.models.values import (
    MAX_TAGS,
    JsonObject,
    Params,
    ParamValue,
    TagChanges,
    Tags,
)

MAX_BULK = 1000
MAX_LOOKED_UP = 101
MAX_METRICS_SHOWN = 100

type AutoCompleteMinutes = Annotated[int, Field(ge=1, le=525_600)]
type RunSort = Annotated[
    str,
    StringConstraints(
        pattern=r"^-?(created_at|started_at|finished_at|updated_at|name|status|duration_seconds"
        r"|host|source|git_commit|git_branch|created_by|(metrics|params|tags)\.[^\x00]{1,250})$"
    ),
]
type Filter = Annotated[str, StringConstraints(max_length=MAX_FILTER)]
type OrderTermText = Annotated[str, StringConstraints(min_length=1, max_length=300)]

_FILTER = """The search language: `metrics.loss < 0.2 and params.optimizer = "adam" and tags.rig
 like "A%" and status = "succeeded"`. A mistake is answered with its position."""
_ORDER_BY = """`metrics.loss asc`, `params.lr desc`, `created_at desc`: the first orders, the others
 break ties. What is missing comes last."""


class NewRun(Body):
    """A run to record."""

    name: Name | None = Field(default=None, description="A readable one is made when missing.")
    status: Literal["draft", "running"] = "running"
    params: Params = Field(default={})
    tags: Tags = Field(default={})
    notes: Text = Field(default="", description="Markdown.")
    git_commit: Label | None = None
    git_branch: Label | None = None
    git_dirty: bool | None = None
    environment: JsonObject = Field(default={})
    source: Label | None = None
    host: Label | None = None
    parent_run_id: UUID | None = None
    auto_complete_minutes: AutoCompleteMinutes | None = Field(
        default=None, description="Succeeds by itself this long after its start."
    )


class RunChange(Body):
    """A merge patch of a run: what is left out stays; null clears."""

    name: Name = ""
    notes: Text | None = None
    tags: TagChanges | None = Field(default=None, description="Merged; null removes a tag.")
    status: RunStatus = "draft"
    auto_complete_minutes: AutoCompleteMinutes | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The fields that the patch names."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class NewParams(Body):
    """Params to add to a run."""

    params: Params


class Run(Answer):
    """One attempt of an experiment: what went in, how it went, and its latest metrics."""

    id: UUID
    project_id: UUID
    experiment_id: UUID
    experiment_name: str
    name: str
    status: RunStatus
    params: dict[str, ParamValue]
    tags: dict[str, str]
    notes: str
    git_commit: str | None
    git_branch: str | None
    git_dirty: bool | None
    environment: dict[str, JsonValue]
    source: str | None
    host: str | None
    parent_run_id: UUID | None
    child_count: int = Field(description="Runs nested in this one that are not archived.")
    active_capture_session_id: UUID | None = Field(description="The one that is recording now.")
    auto_complete_minutes: int | None
    created_by: UUID
    created_at: Timestamp
    updated_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None
    duration_seconds: float | None = Field(description="From start to finish; null before.")
    last_heartbeat_at: Timestamp | None
    archived_at: Timestamp | None
    version: int
    metrics: dict[str, float | NotFinite] = Field(
        description="The latest value of each metric, of at most 100 metrics."
    )


class ExperimentRunsQuery(PageQuery):
    """Which runs of an experiment, in which order."""

    status: list[RunStatus] = Field(default=[], max_length=6, description="Any of these.")
    q: str | None = Field(default=None, max_length=200, description="Part of the name.")
    tag: list[TagFilter] = Field(
        default=[], max_length=10, description="`key` or `key=value`; all must be there."
    )
    parent_run_id: UUID | None = None
    archived: ArchivedFilter = "false"
    sort: RunSort = Field(
        default="-created_at",
        description="created_at, started_at, name, status, duration_seconds, metrics.<key>,"
        " params.<key> or another field, with a minus for the greatest first. Runs without a value"
        " come last, NaN before them. `order_by` takes its place.",
    )
    filter: Filter | None = Field(default=None, description=_FILTER.replace("\n", ""))
    order_by: list[OrderTermText] = Field(
        default=[], max_length=MAX_ORDERS, description=_ORDER_BY.replace("\n", "")
    )


class RunLookup(Body):
    """Runs by their ids, of any projects that the caller sees."""

    run_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_LOOKED_UP)]


class RunList(Answer):
    """Runs in the order asked for, each once."""

    items: list[Run]


class RunsQuery(ExperimentRunsQuery):
    """Which runs of a project, in which order."""

    experiment_id: UUID | None = None


class RunSearch(Body):
    """Which runs of a project, in which order: for filters that are too long for an address."""

    filter: Filter | None = Field(default=None, description=_FILTER.replace("\n", ""))
    order_by: list[OrderTermText] = Field(
        default=[], max_length=MAX_ORDERS, description=_ORDER_BY.replace("\n", "")
    )
    experiment_ids: list[UUID] = Field(
        default=[], max_length=1000, description="Of these experiments; of all without any."
    )
    archived: ArchivedFilter = "false"
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = Field(default=None, max_length=2000)


class Heartbeat(Answer):
    """The state of a run after a sign of life."""

    status: RunStatus


type RunIds = Annotated[list[UUID], Field(min_length=1, max_length=MAX_BULK)]


class BulkTags(Body):
    """Tags to set on and remove from many runs."""

    run_ids: RunIds
    set: Tags = Field(default={})
    remove: list[Key] = Field(default=[], max_length=MAX_TAGS)


class BulkTagged(Answer):
    """How many runs have other tags now."""

    updated: int


class BulkStatus(Body):
    """A status for many runs."""

    run_ids: RunIds
    status: RunStatus


class NotUpdated(Answer):
    """A run that kept its status, and why."""

    run_id: UUID
    type: str
    detail: str


class BulkStatusChanged(Answer):
    """Which runs have the status now, and which have not."""

    updated: list[UUID]
    failed: list[NotUpdated]

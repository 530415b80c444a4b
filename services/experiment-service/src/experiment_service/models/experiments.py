"""Experiments, as asked for, changed, stored and answered."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue
from servicekit.fields import Answer, Body, Label, Name, Text, Timestamp
from servicekit.pagination import PageQuery

from experiment_service.models.statuses import ExperimentStatus
from experiment_service.models.values import JsonObject, TagChanges, Tags

type ArchivedFilter = Literal["false", "true", "all"]
type TagFilter = Annotated[str, Field(min_length=1, max_length=800)]


class NewExperiment(Body):
    """An experiment to create."""

    name: Name
    description: Text = Field(default="", description="Markdown.")
    type: Label | None = None
    tags: Tags = Field(default={})
    metadata: JsonObject = Field(default={})


class ExperimentChange(Body):
    """A merge patch of an experiment: what is left out stays; null clears."""

    name: Name = ""
    description: Text | None = None
    type: Label | None = None
    tags: TagChanges | None = Field(default=None, description="Merged; null removes a tag.")
    metadata: dict[str, JsonValue] | None = Field(
        default=None, description="Merged (RFC 7396), at most 64 KiB afterwards."
    )
    status: ExperimentStatus = "draft"

    @property
    def given(self) -> dict[str, Any]:
        """The fields that the patch names."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Experiment(Answer):
    """A named line of enquiry in a project, with what became of its runs."""

    id: UUID
    project_id: UUID
    name: str
    description: str
    type: str | None
    tags: dict[str, str]
    metadata: dict[str, JsonValue]
    status: ExperimentStatus
    run_count: int = Field(description="Runs that are not archived.")
    running_count: int
    last_run_at: Timestamp | None
    version: int
    created_by: UUID
    created_at: Timestamp
    updated_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None
    archived_at: Timestamp | None


class ExperimentQuery(PageQuery):
    """Which experiments, in which order."""

    name: str | None = Field(default=None, max_length=800, description="Exactly this name.")
    q: str | None = Field(default=None, max_length=200, description="Part of the name.")
    status: list[ExperimentStatus] = Field(default=[], max_length=5)
    tag: list[TagFilter] = Field(
        default=[], max_length=10, description="`key` or `key=value`; all must be there."
    )
    archived: ArchivedFilter = "false"
    sort: Literal["-created_at", "created_at", "name", "-name", "-last_run_at", "last_run_at"] = (
        "-created_at"
    )

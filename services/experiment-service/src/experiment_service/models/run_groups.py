"""Runs in groups: what is asked, and what is known of each group."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue, StringConstraints
from servicekit.fields import Answer, Body, Key

from experiment_service.models.experiments import ArchivedFilter
from experiment_service.models.run_filters import MAX_FILTER

MAX_GROUPED = 100_000
MAX_NAMED = 100


class GroupSearch(Body):
    """Which runs, and what they are put into groups by."""

    by: list[Annotated[str, StringConstraints(min_length=1, max_length=300)]] = Field(
        min_length=1,
        max_length=10,
        description="Fields of the search language: `params.optimizer`, `tags.rig`, `status`.",
    )
    metrics: list[Key] = Field(
        default=[], max_length=50, description="Metrics whose latest values are summed up."
    )
    filter: Annotated[str, StringConstraints(max_length=MAX_FILTER)] | None = None
    experiment_ids: list[UUID] = Field(default=[], max_length=1000)
    archived: ArchivedFilter = "false"
    limit: int = Field(default=100, ge=1, le=1000, description="The largest groups.")


class MetricOfGroup(Answer):
    """The latest finite values of one metric over the runs of a group."""

    count: int = Field(description="Runs that have a finite value.")
    mean: float
    std: float | None = Field(
        description="Of the sample (n - 1); null of one value, or where no 64-bit float holds it."
    )
    min: float
    max: float


class RunGroup(Answer):
    """Runs that have the same values in the fields that were asked for."""

    values: list[JsonValue] = Field(description="One a field, in their order; null for none.")
    count: int
    run_ids: list[UUID] = Field(description="At most 100 of them, the newest first.")
    metrics: dict[str, MetricOfGroup]


class RunGroups(Answer):
    """The groups, the largest first."""

    items: list[RunGroup]
    grouped: int = Field(description="Runs that were put into groups; at most 100,000.")

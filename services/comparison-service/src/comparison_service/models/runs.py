"""Runs side by side: what is asked, and tables with one column a run."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from servicekit.fields import Answer, Body, Key

from comparison_service.models.numbers import Number
from comparison_service.models.selection import (
    ComparedRun,
    ComparedRunIds,
    Direction,
    Missing,
    Scalar,
)

type ComparedPart = Literal["params", "tags", "environment", "metrics", "artifacts"]
type ComparedFigure = Literal["last", "min", "max", "best"]


class RunsComparison(Body):
    """Which runs stand side by side, and what they are measured against."""

    run_ids: ComparedRunIds
    baseline_run_id: UUID | None = Field(
        default=None, description="What the others are compared with; it need not be among them."
    )
    best: Annotated[dict[Key, Direction], Field(max_length=1000)] = Field(
        default={},
        description="Which value of a metric is the better one. Without it, the key tells: loss,"
        " error, mae, mse, rmse, perplexity, latency: the least; accuracy, acc, f1, auc, precision,"
        " recall, score, map, iou, bleu, r2: the greatest; of any other key none is.",
    )
    summary: ComparedFigure = Field(
        default="last",
        description="Which figure of a metric marks the best run and makes the deltas.",
    )
    parts: Annotated[list[ComparedPart], Field(min_length=1, max_length=5)] = Field(
        default=["params", "tags", "environment", "metrics", "artifacts"],
        description="Only these tables are read; the others are empty.",
    )


class ValueRow(Answer):
    """A param, a tag or a part of the environment, in every run."""

    key: str
    values: list[Scalar] = Field(
        description="In the order of the runs. A text is cut at 1,000 characters, then a … ends it."
    )
    missing: list[int] = Field(description="The places of the runs that do not have it at all.")
    differs: bool


class MetricCell(Answer):
    """A metric of one run, summed up."""

    count: int
    first: Number
    last: Number
    last_step: int
    min: Number | None
    min_step: int | None
    max: Number | None
    max_step: int | None
    best: Number | None = Field(description="min or max, as the row's direction says.")
    best_step: int | None


class Delta(Answer):
    """How far a run is from the baseline."""

    absolute: float | None = Field(description="Null where one of both is not finite.")
    relative: float | None = Field(
        description="In parts of the baseline's amount; null where that is 0 or not finite."
    )


class MetricRow(Answer):
    """A metric in every run; what a run never logged is null."""

    key: str
    direction: Direction | None
    cells: list[MetricCell | None]
    best_run_id: UUID | None = Field(description="Of equal ones the first.")
    baseline: float | None = Field(description="The baseline's figure; null without any.")
    deltas: list[Delta | None]
    differs: bool


class ArtifactCell(Answer):
    """A file of one run."""

    id: UUID
    sha256: str
    size: int


class ArtifactRow(Answer):
    """A path in every run; where a run has no such file it is null."""

    path: str
    cells: list[ArtifactCell | None]
    differs: bool


class Omitted(Answer):
    """How many rows were left out of tables that would be too large; those that agree go first."""

    params: int = 0
    tags: int = 0
    environment: int = 0
    metrics: int = 0
    artifacts: int = 0


class ComparedRuns(Answer):
    """Tables with one column a run, in the order asked for; the rows that differ come first."""

    runs: list[ComparedRun]
    params: list[ValueRow]
    tags: list[ValueRow]
    environment: list[ValueRow]
    metrics: list[MetricRow]
    artifacts: list[ArtifactRow]
    baseline_run_id: UUID | None = Field(
        description="As asked for, or else the baseline of the experiment that all runs belong to."
    )
    missing: list[Missing]
    omitted: Omitted

"""Which runs are compared, and what of them could not be read."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field
from servicekit.fields import Answer, Key, NotFinite, Timestamp

MAX_RUNS = 100
MAX_METRICS = 24


def _each_once[T](given: list[T]) -> list[T]:
    return list(dict.fromkeys(given))


type ComparedRunIds = Annotated[
    list[UUID], Field(min_length=1, max_length=MAX_RUNS), AfterValidator(_each_once)
]
"""1 to 100 runs in the order in which they stand; one that is named again counts once."""

type MetricKeys = Annotated[
    list[Key], Field(min_length=1, max_length=MAX_METRICS), AfterValidator(_each_once)
]

type Direction = Literal["min", "max"]
"""Which value of a metric is the better one."""

type Scalar = str | int | float | bool | None


class Missing(Answer):
    """Something that could not be read; the rest of the answer is true without it."""

    part: Literal["metrics", "artifacts", "telemetry", "capture_sessions"]
    run_id: UUID | None = Field(default=None, description="Null where it concerns all runs.")
    reason: str


class ComparedRun(Answer):
    """A run, as far as a comparison names it."""

    id: UUID
    project_id: UUID
    experiment_id: UUID
    experiment_name: str
    name: str
    status: str
    parent_run_id: UUID | None
    created_by: UUID
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None
    duration_seconds: float | None = Field(description="From start to finish; null before.")
    archived_at: Timestamp | None


class FoundRun(ComparedRun):
    """A run as experiment-service answers it, as far as it is compared."""

    params: dict[str, Scalar]
    tags: dict[str, str]
    git_commit: str | None
    git_branch: str | None
    git_dirty: bool | None
    environment: dict[str, object]
    source: str | None
    host: str | None
    metrics: dict[str, float | NotFinite]

    def identity(self) -> ComparedRun:
        """What stands at the head of its column."""
        return ComparedRun.model_validate(self.model_dump(include=set(ComparedRun.model_fields)))

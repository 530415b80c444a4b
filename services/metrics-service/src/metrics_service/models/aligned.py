"""Metrics of several runs on one grid: what is asked, and what is answered."""

from typing import Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from servicekit.fields import Answer, Body, Key

from metrics_service.models.columns import Number
from metrics_service.models.series import MAX_ANSWERED, MAX_SUMMED_UP

MAX_KEYS = 24


class AlignedQuery(Body):
    """Which metrics of which runs, along which axis, at how many places."""

    run_ids: list[UUID] = Field(min_length=1, max_length=MAX_SUMMED_UP)
    keys: list[Key] = Field(min_length=1, max_length=MAX_KEYS)
    x: Literal["step", "time", "relative"] = Field(
        default="step",
        description="By step, by time, or by time since the run's first point of any metric.",
    )
    points: int = Field(default=300, ge=2, le=2000, description="Places of a grid at most.")

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if len(set(self.run_ids)) * len(set(self.keys)) * self.points > MAX_ANSWERED:
            message = "ask for fewer points, runs or metrics: {points} points at a time at most"
            raise PydanticCustomError("too_many", message, {"points": MAX_ANSWERED})
        return self


class AlignedRun(Answer):
    """A run's series on the grid: columns of one length, an entry for each place that it has.

    `last` is what it had at the end of the interval, `min` and `max` are its extremes in it.
    """

    run_id: UUID
    place: list[int] | None = Field(description="Places in `x`; null where it has all of them.")
    last: list[Number]
    min: list[Number]
    max: list[Number]
    count: int = Field(description="Points of the whole series.")
    exact: bool = Field(description="Every one of them was looked at.")


class AlignedMetric(Answer):
    """A metric of several runs on one grid; runs that never logged it are left out."""

    key: str
    x: list[int] = Field(
        description="Where each interval ends, itself included: a step, or microseconds since 1970"
        " or since the run's first point. Intervals without any point are left out."
    )
    runs: list[AlignedRun]


class AlignedMetrics(Answer):
    """Metrics in the order asked for, each on a grid of its own."""

    metrics: list[AlignedMetric]

"""Metrics of runs on one grid, and their statistics over groups of runs."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from servicekit.fields import Answer, Body, Key

from comparison_service.models.numbers import Number
from comparison_service.models.selection import ComparedRunIds, MetricKeys, Missing, Scalar

MAX_POINTS = 1_000_000

type CurveColumn = list[Number | None]
"""Values along `x`; null where the run, or every run of the group, has none."""


class SeriesComparison(Body):
    """Which metrics of which runs, along which axis, and how runs are grouped."""

    run_ids: ComparedRunIds
    metrics: MetricKeys
    x: Literal["step", "time", "relative"] = Field(
        default="step",
        description="By step, by time, or by time since the run's first point of any metric.",
    )
    points: int = Field(
        default=300, ge=2, le=2000, description="Places along the axis at most, for each metric."
    )
    group_by: Annotated[list[Key], Field(max_length=5)] | None = Field(
        default=None,
        description="Runs that have the same values of these params are a group; without any key"
        " all runs are one. Null: no groups.",
    )
    center: Literal["mean", "median"] = Field(
        default="mean", description="What stands for a group at each place."
    )
    band: Literal["std", "minmax", "none"] = Field(
        default="std",
        description="How far a group reaches: one standard deviation (of a sample) to both sides"
        " of the center, from the least to the greatest, or no band.",
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if len(self.run_ids) * len(self.metrics) * self.points > MAX_POINTS:
            message = "ask for fewer points, runs or metrics: {points} points at a time at most"
            raise PydanticCustomError("too_many", message, {"points": MAX_POINTS})
        return self


class RunCurve(Answer):
    """A run along `x`: what it had at the end of each interval, and its extremes in it."""

    run_id: UUID
    last: CurveColumn
    min: CurveColumn
    max: CurveColumn
    count: int = Field(description="Points of the whole series.")
    exact: bool = Field(description="Every one of them was looked at.")


class GroupCurve(Answer):
    """A group of runs along `x`, over what its runs had at the end of each interval.

    What is not finite is left out. The band is where the center is, for a single run, too.
    """

    label: dict[str, Scalar] = Field(description="The params that its runs have in common.")
    run_ids: list[UUID]
    center: CurveColumn
    low: CurveColumn
    high: CurveColumn
    n: list[int] = Field(description="How many runs have a value there.")


class MetricCurves(Answer):
    """A metric of all runs that logged it, on a grid of its own."""

    key: str
    x: list[int] = Field(
        description="Where each interval ends, itself included: a step, or microseconds since 1970"
        " or since the run's first point. No place is without any value."
    )
    runs: list[RunCurve]
    groups: list[GroupCurve]


class ComparedSeries(Answer):
    """Metrics in the order asked for."""

    metrics: list[MetricCurves]
    missing: list[Missing]

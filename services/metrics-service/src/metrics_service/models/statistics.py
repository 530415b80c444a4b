"""Exact figures of metrics over all of their values."""

from typing import Annotated
from uuid import UUID

from pydantic import Field
from servicekit.fields import Answer, Body, Key

from metrics_service.models.series import MAX_SUMMED_UP

MAX_KEYS = 50
MAX_POINTS = 10_000_000

type Percentile = Annotated[float, Field(ge=0, le=100)]


class StatisticsQuery(Body):
    """Which metrics of which runs."""

    run_ids: list[UUID] = Field(min_length=1, max_length=MAX_SUMMED_UP)
    keys: list[Key] = Field(min_length=1, max_length=MAX_KEYS)
    percentiles: list[Percentile] = Field(default=[], max_length=20)


class MetricStatistics(Answer):
    """Figures of the finite values of a metric of one run; null where there is none.

    Percentiles lie between neighbours linearly.
    """

    run_id: UUID
    key: str
    count: int
    finite: int = Field(description="Values that are neither NaN nor infinite.")
    mean: float | None
    deviation: float | None = Field(description="Of a sample; null for a single value.")
    percentiles: list[float | None] = Field(description="In the order asked for.")
    reason: str | None = Field(description="Why there are no figures although there are values.")


class MetricStatisticsList(Answer):
    """Of those metrics that were logged."""

    items: list[MetricStatistics]

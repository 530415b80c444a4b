"""What is read: summaries, series as far as a picture shows them, and live points."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from servicekit.fields import Answer, Key, Query, Timestamp
from servicekit.pagination import PageQuery

from metrics_service.models.columns import MAX_STEP, MIN_STEP, Number

MAX_SERIES = 200
MAX_ANSWERED = 1_000_000

type Step = Annotated[int, Field(ge=MIN_STEP, le=MAX_STEP)]


class MetricQuery(PageQuery):
    """Which metrics of a run."""

    q: str | None = Field(
        default=None, max_length=250, description="A part of the key, in any case."
    )


class Metric(Answer):
    """One metric of a run, summed up.

    First and last are by step; of equal steps the first is the one logged first and the last
    the one logged last. Min and max leave NaN out and are null where every value is NaN.
    """

    key: str
    count: int
    first_step: int
    first_value: Number
    first_time: Timestamp
    last_step: int
    last_value: Number
    last_time: Timestamp
    min: Number | None
    max: Number | None


class SeriesQuery(Query):
    """How much of a series, and how finely."""

    key: list[Key] = Field(min_length=1, max_length=MAX_SERIES)
    points: int = Field(
        default=2000, ge=4, le=10_000, description="Points of a series at most, as a picture shows."
    )
    from_step: Step | None = Field(default=None, description="The first step wanted.")
    to_step: Step | None = Field(default=None, description="The last step wanted.")

    @property
    def wanted(self) -> int:
        """How many series are asked for."""
        return len(dict.fromkeys(self.key))

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        values = {"series": MAX_SERIES, "points": MAX_ANSWERED}
        if self.wanted > MAX_SERIES:
            raise PydanticCustomError("too_many", "at most {series} series at a time", values)
        if self.wanted * self.points > MAX_ANSWERED:
            message = "ask for fewer points or series: {points} points at a time at most"
            raise PydanticCustomError("too_many", message, values)
        return self


class RunSeriesQuery(SeriesQuery):
    """Which metrics of which runs, and how finely."""

    run_id: list[UUID] = Field(min_length=1, max_length=MAX_SERIES)

    @property
    def wanted(self) -> int:
        """How many series are asked for."""
        return len(dict.fromkeys(self.key)) * len(set(self.run_id))


class Series(Answer):
    """A series as far as it was asked for: ordered by step, equal steps as they were logged.

    Where it has more points than asked for, the extremes of each stretch are kept, so that no
    spike vanishes, and NaN wherever the line has a gap.
    """

    key: str
    step: list[int]
    value: list[Number]
    time: list[int] = Field(description="Microseconds since 1970, UTC.")
    count: int = Field(description="Points in the steps asked for.")
    exact: bool = Field(description="Every one of them is here.")
    ordinal: int = Field(
        description="What the points include of the run's live stream; go on there with `after`."
    )


class SeriesList(Answer):
    """Series of one run, in the order asked for."""

    series: list[Series]


class RunSeries(Series):
    """A series and the run that it belongs to."""

    run_id: UUID


class RunSeriesList(Answer):
    """Series of several runs, in the order asked for: run by run, key by key."""

    series: list[RunSeries]


class StreamQuery(Query):
    """Where a live stream begins."""

    after: str | None = Field(
        default=None,
        max_length=20,
        description="An event's id, or a series' `ordinal`; what was logged later follows."
        " Without it, and without Last-Event-ID, everything from the beginning.",
    )


class LivePoints(Answer):
    """Points of one metric that were logged since the event before, in that order."""

    key: str
    step: list[int]
    value: list[Number]
    time: list[int]


class LiveEvent(Answer):
    """The data of a `metrics` event."""

    series: list[LivePoints]


class RunEvent(Answer):
    """The data of a `run` event."""

    status: str

"""What is read: summaries, series as far as a picture shows them, and live points."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from seriesstore.summary import Summary
from servicekit.fields import Answer, Body, Key, Query, Timestamp
from servicekit.pagination import PageQuery

from metrics_service.models.columns import MAX_STEP, MIN_STEP, Number

MAX_SERIES = 200
MAX_ANSWERED = 1_000_000
MAX_BUCKETS = 200_000
MAX_FOLLOWED = 100
MAX_SUMMED_UP = 101

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

type Step = Annotated[int, Field(ge=MIN_STEP, le=MAX_STEP)]
type Microseconds = Annotated[int, Field(ge=-(2**62), le=2**62)]


class MetricQuery(PageQuery):
    """Which metrics of a run."""

    q: str | None = Field(
        default=None, max_length=250, description="A part of the key, in any case."
    )


class Metric(Answer):
    """One metric of a run, summed up.

    First and last are by step; of equal steps the first is the one logged first and the last
    the one logged last. Min and max leave NaN out and are null where every value is NaN; their
    steps are where they were reached first.
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
    min_step: int | None
    max: Number | None
    max_step: int | None

    @classmethod
    def of(cls, summary: Summary, **more: Any) -> Self:
        """From what the store knows."""
        return cls(
            key=summary.key,
            count=summary.count,
            first_step=summary.first_x,
            first_value=summary.first_value,
            first_time=_moment(summary.first_time),
            last_step=summary.last_x,
            last_value=summary.last_value,
            last_time=_moment(summary.last_time),
            min=summary.min_value,
            min_step=summary.min_x,
            max=summary.max_value,
            max_step=summary.max_x,
            **more,
        )


def _moment(microseconds: int | None) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds or 0)


class SummaryQuery(Body):
    """Which runs' metrics."""

    run_ids: list[UUID] = Field(min_length=1, max_length=MAX_SUMMED_UP)
    keys: list[Key] | None = Field(
        default=None, max_length=MAX_SERIES, description="Only these metrics; all if left out."
    )
    limit: int = Field(default=20_000, ge=1, le=20_000, description="Metrics of runs at most.")


class RunMetric(Metric):
    """A metric and the run that it belongs to."""

    run_id: UUID


class RunMetricList(Answer):
    """Metrics by key, those of one key beside each other; `complete` when that is all."""

    items: list[RunMetric]
    complete: bool


class Span(Query):
    """A part of the chosen axis; both ends are included."""

    x: Literal["step", "time", "relative"] = Field(
        default="step",
        description="What the points are ordered by and cut along: their step, their time, or"
        " their time since the run's first point.",
    )
    from_step: Step | None = Field(default=None, description="The first step wanted.")
    to_step: Step | None = Field(default=None, description="The last step wanted.")
    from_time: Microseconds | None = Field(
        default=None, description="The first time wanted, in microseconds since 1970."
    )
    to_time: Microseconds | None = Field(default=None, description="The last time wanted.")
    from_relative: Microseconds | None = Field(
        default=None,
        description="The first time wanted, in microseconds since the run's first point.",
    )
    to_relative: Microseconds | None = Field(
        default=None, description="The last time wanted, in the same way."
    )

    @model_validator(mode="after")
    def _of_one_axis(self) -> Self:
        for axis in ("step", "time", "relative"):
            for name in (f"from_{axis}", f"to_{axis}"):
                if axis != self.x and getattr(self, name) is not None:
                    values = {"name": name, "axis": axis, "chosen": self.x}
                    message = "{name} needs x={axis}; this asks for x={chosen}"
                    raise PydanticCustomError("other_axis", message, values)
        return self

    def ends(self, origin: int) -> tuple[int | None, int | None]:
        """Both ends as steps or times; `origin` is when the run's first point was."""
        match self.x:
            case "step":
                return self.from_step, self.to_step
            case "time":
                return self.from_time, self.to_time
            case "relative":
                low, high = self.from_relative, self.to_relative
                return (
                    None if low is None else low + origin,
                    None if high is None else high + origin,
                )


class SeriesQuery(Span):
    """How much of a series, and how finely."""

    key: list[Key] = Field(min_length=1, max_length=MAX_SERIES)
    points: int = Field(
        default=2000, ge=4, le=10_000, description="Points of a series at most, as a picture shows."
    )

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
    """A series as far as it was asked for, along the chosen axis; equal steps as they were logged.

    Where it has more points than asked for, the extremes of each stretch are kept, so that no
    spike vanishes, and NaN wherever the line has a gap.
    """

    key: str
    step: list[int]
    value: list[Number]
    time: list[int] = Field(description="Microseconds since 1970, UTC.")
    count: int = Field(description="Points in the part asked for.")
    exact: bool = Field(description="Every one of them is here.")
    ordinal: int = Field(
        description="What the points include of the run's live stream; go on there with `after`."
    )
    origin: int | None = Field(
        default=None,
        description="When the run's first point was, of whatever metric: relative time counts from"
        " here. Microseconds since 1970; null where nothing was logged.",
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


class BucketQuery(Span):
    """Which metrics of which runs, in how many intervals."""

    run_id: list[UUID] = Field(min_length=1, max_length=MAX_SERIES)
    key: list[Key] = Field(min_length=1, max_length=MAX_SERIES)
    intervals: int = Field(
        default=500, ge=1, le=2000, description="Into how many equal parts the range is cut."
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        wanted = len(dict.fromkeys(self.key)) * len(set(self.run_id))
        values = {"series": MAX_SERIES, "intervals": MAX_BUCKETS}
        if wanted > MAX_SERIES:
            raise PydanticCustomError("too_many", "at most {series} series at a time", values)
        if wanted * self.intervals > MAX_BUCKETS:
            message = "ask for fewer intervals or series: {intervals} intervals at a time at most"
            raise PydanticCustomError("too_many", message, values)
        return self


class Buckets(Answer):
    """The figures of a series by interval, for those intervals that hold a point.

    All series of an answer have the same intervals, so that bands over runs can be drawn.
    """

    run_id: UUID
    key: str
    x: list[int] = Field(
        description="Where each interval begins: a step, or microseconds since 1970 or since the"
        " run's first point."
    )
    count: list[int] = Field(description="Points in it, NaN and infinite ones included.")
    min: list[Number] = Field(description="Least value but for NaN; NaN where there is none.")
    max: list[Number] = Field(description="Greatest value but for NaN; NaN where there is none.")
    mean: list[Number] = Field(description="Mean of the finite values; NaN where there is none.")


class BucketsList(Answer):
    """Buckets of several runs, in the order asked for, and the range that all of them share."""

    low: int | None = Field(description="Where the first interval begins; null without any point.")
    high: int | None = Field(description="Where the last interval ends, itself included.")
    series: list[Buckets]


class ExportQuery(Query):
    """What is exported, and in which form."""

    format: Literal["parquet", "arrow", "csv"] = Field(
        default="parquet", description="Apache Parquet, an Arrow IPC stream, or CSV."
    )
    key: list[Key] | None = Field(
        default=None,
        max_length=MAX_SERIES,
        description="Only these metrics; all of them if left out.",
    )


class StreamQuery(Query):
    """Where a live stream begins."""

    after: str | None = Field(
        default=None,
        max_length=20,
        description="An event's id, or a series' `ordinal`; what was logged later follows."
        " Without it, and without Last-Event-ID, everything from the beginning.",
    )


class RunsStreamQuery(Query):
    """Which runs are followed, and where each begins."""

    run_id: list[UUID] = Field(min_length=1, max_length=MAX_FOLLOWED)
    key: list[Key] | None = Field(
        default=None, max_length=MAX_SERIES, description="Only these metrics; all if left out."
    )
    after: str | None = Field(
        default=None,
        max_length=8000,
        description="An event's id, or how far each run is known: `run:ordinal,run:ordinal` with"
        " the `ordinal` of its series. What was logged later follows; of a run that is not named,"
        " and without Last-Event-ID, everything from the beginning.",
    )

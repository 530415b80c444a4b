"""What is read of readings: pictures, latest values, what a capture session holds."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError
from servicekit.fields import Answer, Query

MAX_SENSORS = 200
MAX_SERIES = 200
MAX_ANSWERED = 1_000_000

type SignalName = Annotated[str, Field(min_length=1, max_length=200)]
type Microseconds = Annotated[int, Field(ge=-(2**62), le=2**62)]
type RawOrPhysical = Literal["raw", "physical", "both"]
type Column = Annotated[
    list[float],
    WithJsonSchema({"type": "array", "items": {"type": ["number", "null"]}}),
]
"""RawOrPhysical of readings; null is a gap, or what cannot be converted."""


class Gaps(Answer):
    """An answer in which what is no number is null."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")


class Span(Query):
    """From when to when readings were taken; both ends are included."""

    low: Microseconds | None = Field(
        default=None, alias="from", description="The first time wanted, in µs since 1970."
    )
    high: Microseconds | None = Field(
        default=None, alias="to", description="The last time wanted, in the same way."
    )


class PictureQuery(Span):
    """How finely, and which values."""

    signal: list[SignalName] = Field(
        default=[], max_length=MAX_SERIES, description="Only these signals; all if left out."
    )
    points: int = Field(
        default=2000,
        ge=4,
        le=10_000,
        description="Readings of a signal at most, as a picture shows.",
    )
    values: RawOrPhysical = Field(default="raw", description="As they came, converted, or both.")


class SeriesQuery(PictureQuery):
    """Signals of which sensors, and how finely."""

    sensor_id: list[UUID] = Field(min_length=1, max_length=MAX_SENSORS)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        wanted = len(set(self.sensor_id)) * len(set(self.signal))
        if wanted > MAX_SERIES:
            values = {"series": MAX_SERIES}
            raise PydanticCustomError("too_many", "at most {series} series at a time", values)
        return self


class SessionQuery(PictureQuery):
    """Signals of which sensors of a capture session, and how finely."""

    sensor_id: list[UUID] = Field(
        default=[], max_length=MAX_SENSORS, description="Only these of its sensors."
    )


class Late(Answer):
    """Readings of a capture session's time that were received after it had stopped.

    `first`, `last` and `readings` are columns of stretches: so many late ones lie from the first
    to the last of it, others may lie between them. A closer look makes stretches shorter.
    """

    count: int = Field(description="In the part asked for.")
    first: list[int] = Field(description="µs since 1970.")
    last: list[int]
    readings: list[int] = Field(description="How many late ones a stretch has.")
    shown: list[int] = Field(description="Places among `t` of those that are shown.")


class SignalSeries(Gaps):
    """Readings of a signal, along the time at which they were taken.

    Where there are more than asked for, the extremes of each stretch are kept, so that no spike
    vanishes, and the beginnings of gaps.
    """

    sensor_id: UUID
    signal: str
    t: list[int] = Field(description="µs since 1970.")
    raw: Column | None
    physical: Column | None
    unit: str = Field(description="Of the physical values, or else of the raw ones.")
    count: int = Field(description="Readings in the part asked for.")
    exact: bool = Field(description="Every one of them is here.")
    unconverted: dict[str, int] = Field(
        description="Why physical values that are shown are null, and how many."
    )
    unconverted_at: dict[str, list[int]] = Field(
        description="The places among `t` of these values, by reason."
    )
    profile_ids: list[UUID] = Field(
        description="The conversion profiles of the physical values, by when they begin to hold."
    )
    late: Late | None = Field(description="Of a capture session that has stopped.")
    ordinal: int = Field(description="What is included of the sensor's stream; go on with `after`.")


class SignalSeriesList(Answer):
    """Series in the order asked for: sensor by sensor, signal by signal."""

    series: list[SignalSeries]


class LatestQuery(Query):
    """Of which sensors."""

    sensor_id: list[UUID] = Field(min_length=1, max_length=MAX_SENSORS)


class Latest(Gaps):
    """A signal's newest reading, by the time at which it was taken."""

    sensor_id: UUID
    signal: str
    t: int = Field(description="µs since 1970.")
    received_at: int = Field(description="When it arrived, in the same way.")
    raw: float | None
    physical: float | None
    unit: str
    reason: str | None = Field(description="Why there is no physical value.")


class LatestList(Answer):
    """The newest reading of every signal that has any."""

    items: list[Latest]


class Contents(Gaps):
    """What a capture session holds of a signal.

    Late are the readings of its time that were received after it had stopped.
    """

    sensor_id: UUID
    signal: str
    count: int
    late_count: int
    first: int | None = Field(description="The time of the first, in µs since 1970.")
    last: int | None
    min: float | None = Field(description="The least raw value.")
    max: float | None
    unit: str = Field(description="Of the raw values.")
    physical_min: float | None = Field(description="The least value of those that convert.")
    physical_max: float | None
    physical_unit: str


class ContentsList(Answer):
    """What a capture session holds, sensor by sensor."""

    items: list[Contents]


class FileQuery(Span):
    """Which part of which signals, as which file."""

    signal: list[SignalName] = Field(default=[], max_length=MAX_SERIES)
    format: Literal["parquet", "arrow", "csv"] = "parquet"
    values: RawOrPhysical = "both"


class ExportQuery(FileQuery):
    """Of which sensors."""

    sensor_id: list[UUID] = Field(min_length=1, max_length=MAX_SENSORS)


class SessionExportQuery(FileQuery):
    """Of which sensors of a capture session."""

    sensor_id: list[UUID] = Field(default=[], max_length=MAX_SENSORS)


class StreamQuery(Query):
    """Which sensors are followed, and from where on."""

    sensor_id: list[UUID] = Field(min_length=1, max_length=MAX_SENSORS)
    values: RawOrPhysical = "raw"
    after: str | None = Field(
        default=None,
        max_length=16_000,
        description="An event's id, or `sensor:ordinal,…` with the `ordinal` of series."
        " Without it, and without Last-Event-ID, what arrives from now on.",
    )

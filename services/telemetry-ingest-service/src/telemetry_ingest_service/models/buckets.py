"""Figures of readings by interval: what is asked, and what is answered."""

from typing import Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from servicekit.fields import Answer

from telemetry_ingest_service.models.series import (
    MAX_SENSORS,
    MAX_SERIES,
    Column,
    Gaps,
    SignalName,
    Span,
)

MAX_BUCKETS = 200_000


class BucketQuery(Span):
    """Which signals of which sensors, in how many intervals."""

    sensor_id: list[UUID] = Field(min_length=1, max_length=MAX_SENSORS)
    signal: list[SignalName] = Field(min_length=1, max_length=MAX_SERIES)
    intervals: int = Field(
        default=500, ge=1, le=2000, description="Into how many equal parts the range is cut."
    )
    values: Literal["raw", "physical"] = Field(
        default="raw", description="Figures of the values as they came, or converted."
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        wanted = len(set(self.sensor_id)) * len(set(self.signal))
        values = {"series": MAX_SERIES, "intervals": MAX_BUCKETS}
        if wanted > MAX_SERIES:
            raise PydanticCustomError("too_many", "at most {series} series at a time", values)
        if wanted * self.intervals > MAX_BUCKETS:
            message = "ask for fewer intervals or series: {intervals} intervals at a time at most"
            raise PydanticCustomError("too_many", message, values)
        return self


class SignalBuckets(Gaps):
    """The figures of a signal by interval, for those intervals that hold a reading."""

    sensor_id: UUID
    signal: str
    t: list[int] = Field(description="Where each interval begins, in µs since 1970.")
    count: list[int] = Field(description="Readings in it, gaps and unconverted ones included.")
    min: Column = Field(description="Least value; null where there is none.")
    max: Column = Field(description="Greatest value; null where there is none.")
    mean: Column = Field(description="Mean of the values; null where there is none.")
    unit: str


class SignalBucketsList(Answer):
    """Buckets in the order asked for, and the range that all of them share."""

    low: int | None = Field(
        description="Where the first interval begins; null without any reading."
    )
    high: int | None = Field(description="Where the last interval ends, itself included.")
    series: list[SignalBuckets]

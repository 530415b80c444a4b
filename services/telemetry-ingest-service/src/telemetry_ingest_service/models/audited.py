"""What this service tells the audit trail of."""

from typing import Literal
from uuid import UUID

from pydantic import Field
from servicekit.events import EventKind
from servicekit.fields import Answer

from telemetry_ingest_service.models.series import FileQuery


class ExportData(Answer):
    """Which part of the readings, as which file."""

    format: Literal["parquet", "arrow", "csv"]
    values: Literal["raw", "physical", "both"]
    signals: list[str] = Field(description="Empty for all of them.")
    low: int | None = Field(description="From this time on, in µs since 1970.")
    high: int | None = Field(description="Up to this time.")


class SessionExportData(ExportData):
    """Which sensors of a capture session."""

    sensor_ids: list[UUID] = Field(description="Empty for all of them.")


class DiscardData(Answer):
    """What went."""

    bytes: int


SENSOR_EXPORTED = EventKind(
    "sensor.exported",
    "Readings of a sensor were taken as a file; one event for each sensor in it.",
    subject="sensor",
    data=ExportData,
)
CAPTURE_EXPORTED = EventKind(
    "capture.exported",
    "What a capture session holds was taken as a file.",
    subject="capture_session",
    data=SessionExportData,
)
SET_ASIDE_DISCARDED = EventKind(
    "set_aside.discarded",
    "A batch that could not be stored was thrown away.",
    subject="set_aside",
    data=DiscardData,
)


def part_of(query: FileQuery) -> ExportData:
    """What of the readings is asked for."""
    return ExportData(
        format=query.format,
        values=query.values,
        signals=query.signal,
        low=query.low,
        high=query.high,
    )

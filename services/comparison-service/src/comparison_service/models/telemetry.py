"""Readings of several capture sessions, laid over each other."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from servicekit.fields import Answer, Body

from comparison_service.models.selection import Missing

MAX_TRACKS = 24
MAX_OFFSET_US = 366 * 86_400_000_000


class Track(Body):
    """A signal of a sensor in a capture session, and where its time begins."""

    capture_session_id: UUID
    sensor_id: UUID
    signal: Annotated[str, Field(min_length=1, max_length=200)]
    align: Literal["start"] | UUID = Field(
        default="start",
        union_mode="left_to_right",
        description="Where its time is 0: the start of the session, or one of its events.",
    )
    offset_us: int = Field(
        default=0,
        ge=-MAX_OFFSET_US,
        le=MAX_OFFSET_US,
        description="Microseconds by which it is moved on, to the right.",
    )


class TelemetryComparison(Body):
    """Which signals are laid over each other, and how finely."""

    tracks: Annotated[list[Track], Field(min_length=1, max_length=MAX_TRACKS)]
    points: int = Field(default=1000, ge=4, le=10_000, description="Points of a track at most.")
    values: Literal["raw", "physical"] = "physical"


class AlignedTrack(Answer):
    """Readings of a track along its own time; a null is a gap or does not convert."""

    capture_session_id: UUID
    run_id: UUID
    session_name: str
    ordinal: int
    sensor_id: UUID
    sensor_name: str
    signal: str
    origin: int = Field(description="Where its time is 0, in µs since 1970.")
    t: list[int] = Field(description="µs since the origin, moved on by the offset.")
    values: list[float | None]
    kind: Literal["raw", "physical"] = Field(
        description="raw also where physical was asked for and the signal has no profile."
    )
    unit: str
    count: int = Field(description="Readings of the session.")
    exact: bool = Field(description="Every one of them is here.")


class ComparedTelemetry(Answer):
    """Tracks in the order asked for, without those that could not be read."""

    tracks: list[AlignedTrack]
    missing: list[Missing]

"""Capture sessions and their events, as asked for, changed, stored and answered."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints
from servicekit.fields import Answer, Body, Name, Text, Timestamp
from servicekit.pagination import PageQuery

from experiment_service.models.sensors import MAX_SIGNALS, Signal, SignalName

MAX_SENSORS_RECORDED = 200
MAX_EVENTS = 10_000
MAX_SESSIONS = 10_000
MAX_LOOKED_UP = 101

type CaptureStatus = Literal["running", "stopped"]
type Pins = dict[UUID, Annotated[dict[SignalName, UUID], Field(max_length=MAX_SIGNALS)]]
type EventText = Annotated[Text, StringConstraints(max_length=2000)]


class NewCaptureSession(Body):
    """A recording to start."""

    name: Name | None = None
    note: Text = Field(default="", description="Markdown.")
    sensor_ids: (
        Annotated[list[UUID], Field(min_length=1, max_length=MAX_SENSORS_RECORDED)] | None
    ) = Field(default=None, description="Those of the run when missing.")
    profiles: Annotated[Pins, Field(max_length=MAX_SENSORS_RECORDED)] = Field(
        default={},
        description="Conversion profiles to keep to, by sensor and signal; published ones.",
    )
    pin_profiles: bool = Field(
        default=False, description="Keep to the profiles that are active now, for other signals."
    )
    stop_after_seconds: Annotated[float, Field(gt=0, le=31_536_000)] | None = Field(
        default=None, description="Stops by itself this long after its start."
    )


class CaptureSessionChange(Body):
    """A merge patch of a capture session: what is left out stays; null clears."""

    name: Name | None = None
    note: Text | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The fields that the patch names, as they are stored."""
        return {name: getattr(self, name) or "" for name in self.model_fields_set}


class RecordedSensor(Answer):
    """A sensor of a capture session."""

    sensor_id: UUID
    name: str
    signals: list[Signal]


class CaptureSession(Answer):
    """A span of a run's time in which sensors are recorded.

    What it holds is whatever they measured in that span, however late that arrives.
    """

    id: UUID
    run_id: UUID
    project_id: UUID
    ordinal: int
    name: str
    note: str
    status: CaptureStatus
    started_at: Timestamp
    started_by: UUID
    stop_at: Timestamp | None = Field(description="When it stops, or would have, by itself.")
    stopped_at: Timestamp | None
    stopped_by: UUID | None = Field(description="Null unless a person stopped it.")
    stop_reason: Literal["person", "time", "run"] | None
    sensors: list[RecordedSensor]
    profiles: dict[UUID, dict[str, UUID]] = Field(
        description="The conversion profiles that it keeps to, by sensor and signal."
    )
    version: int


class CaptureLookup(Body):
    """Capture sessions of runs, or by their ids, of any projects that the caller sees."""

    run_ids: Annotated[list[UUID], Field(max_length=MAX_LOOKED_UP)] = Field(default=[])
    capture_session_ids: Annotated[list[UUID], Field(max_length=MAX_LOOKED_UP)] = Field(default=[])
    limit: int = Field(default=1000, ge=1, le=1000, description="Sessions of the runs at most.")


class CaptureSessionList(Answer):
    """Capture sessions: those that were named first, then those of the runs, newest first."""

    items: list[CaptureSession]


class CaptureSessionQuery(PageQuery):
    """Which capture sessions, in which order."""

    status: CaptureStatus | None = None
    sort: Literal["ordinal", "-ordinal"] = "-ordinal"


type EventKind = Literal["mark", "note", "warning", "error"]


class NewCaptureEvent(Body):
    """Something worth remembering."""

    time: AwareDatetime | None = Field(default=None, description="Now when missing.")
    kind: EventKind = "mark"
    text: EventText = ""


class CaptureEvent(Answer):
    """Something that happened at a moment of a capture session."""

    id: UUID
    capture_session_id: UUID
    time: Timestamp
    kind: EventKind | Literal["sensor_added", "sensor_removed"]
    text: str = Field(description="What was said; the sensor's name where one came or went.")
    created_by: UUID
    created_at: Timestamp

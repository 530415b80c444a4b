"""Sensors and their signals, as asked for, changed, stored and answered."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints
from servicekit.fields import Answer, Body, Label, Name, Text, Timestamp
from servicekit.pagination import PageQuery

from experiment_service.models.values import TagChanges, Tags, name_key

MAX_SENSORS = 5000
MAX_SIGNALS = 200

type SensorStatus = Literal["active", "decommissioned"]
type Health = Literal["online", "delayed", "offline", "never"]
type SignalName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$", max_length=100)
]
"""Stands in addresses and in files: letters, digits, `_`, `.` and `-`; a title says more."""

type Unit = Annotated[Label, Field(max_length=50)]
type Rate = Annotated[float, Field(gt=0, le=10_000_000)]


class NewSignal(Body):
    """A signal of a sensor."""

    name: SignalName
    title: Label | None = None
    input_unit: Unit | None = Field(default=None, description="What raw values are in.")
    display_unit: Unit | None = Field(default=None, description="What people read them in.")
    expected_rate_hz: Rate | None = None


def _told_apart(signals: list[NewSignal]) -> list[NewSignal]:
    if len({name_key(signal.name) for signal in signals}) != len(signals):
        msg = "two signals have the same name; upper and lower case make no difference"
        raise ValueError(msg)
    return signals


class SignalChange(Body):
    """A merge patch of a signal: what is left out stays; null clears."""

    title: Label | None = None
    input_unit: Unit | None = None
    display_unit: Unit | None = None
    expected_rate_hz: Rate | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The fields that the patch names, as they are stored."""
        return {
            name: getattr(self, name) or (None if name == "expected_rate_hz" else "")
            for name in self.model_fields_set
        }


class NewSensor(Body):
    """A sensor to register."""

    name: Name
    type: Label | None = None
    description: Text = Field(default="", description="Markdown.")
    tags: Tags = Field(default={})
    signals: Annotated[
        list[NewSignal], Field(max_length=MAX_SIGNALS), AfterValidator(_told_apart)
    ] = Field(default=[])


class SensorChange(Body):
    """A merge patch of a sensor: what is left out stays; null clears."""

    name: Name = ""
    type: Label | None = None
    description: Text | None = None
    tags: TagChanges | None = Field(default=None, description="Merged; null removes a tag.")

    @property
    def given(self) -> dict[str, Any]:
        """The fields that the patch names."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Signal(Answer):
    """What a sensor measures: one series of readings in one unit."""

    name: str
    title: str
    input_unit: str
    display_unit: str
    expected_rate_hz: float | None


class Sensor(Answer):
    """Something at a rig that sends readings, and how it does at the moment."""

    id: UUID
    project_id: UUID
    name: str
    type: str | None
    description: str
    tags: dict[str, str]
    status: SensorStatus
    signals: list[Signal]
    health: Health = Field(
        description="By when the server last received a reading: online under 30 s,"
        " delayed under 5 minutes, offline after, never before the first."
    )
    last_received_at: Timestamp | None
    readings: int = Field(description="Readings received so far.")
    shared_with: list[UUID] = Field(description="Other projects that may use it.")
    created_by: UUID
    created_at: Timestamp
    updated_at: Timestamp
    decommissioned_at: Timestamp | None
    version: int


class RegisteredSensor(Sensor):
    """A new sensor with its token."""

    token: str | None = Field(
        description="Shown this once. Null where the answer is repeated for an Idempotency-Key."
    )


type SensorSort = Literal[
    "name", "-name", "created_at", "-created_at", "last_received_at", "-last_received_at"
]


class SensorQuery(PageQuery):
    """Which sensors, in which order."""

    q: str | None = Field(default=None, max_length=200, description="Part of the name.")
    status: Literal["active", "decommissioned", "all"] = "active"
    health: list[Health] = Field(default=[], max_length=4, description="Any of these.")
    sort: SensorSort = "name"

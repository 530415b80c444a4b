"""Conversion profiles, as asked for, changed, stored and answered."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, JsonValue
from servicekit.fields import Answer, Body, Text, Timestamp
from servicekit.pagination import PageQuery

from experiment_service.models.sensors import SignalName, Unit

MAX_PROFILES = 1000
MAX_VALUES = 10_000

type ProfileKind = Literal["linear", "polynomial", "lookup_table"]
type ProfileState = Literal["draft", "scheduled", "active", "retired"]
type ProfileParameters = Annotated[
    dict[str, JsonValue],
    Field(
        description="linear: `{a, b}` for a·raw + b; polynomial: `{coefficients}`, of the lowest"
        " power first; lookup_table: `{table: [[raw, physical], …], clamped}`, straight between."
    ),
]


class NewConversionProfile(Body):
    """A draft of how a signal's raw values become physical ones."""

    signal: SignalName
    kind: ProfileKind
    parameters: ProfileParameters
    unit: Unit | None = Field(default=None, description="Of the physical values.")
    note: Text = Field(default="", description="Markdown.")


class ConversionProfileChange(Body):
    """A merge patch of a draft; `parameters` are replaced as a whole."""

    signal: SignalName = Field(default="", description="Stays what it is.")
    kind: ProfileKind = "linear"
    parameters: ProfileParameters = Field(default={})
    unit: Unit | None = None
    note: Text | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The fields that the patch names, as they are stored."""
        return {
            name: getattr(self, name) or "" if name in {"unit", "note"} else getattr(self, name)
            for name in self.model_fields_set
        }


class Publication(Body):
    """From when on a profile is to be valid."""

    valid_from: AwareDatetime | None = Field(
        default=None, description="Now when missing; in the future it is scheduled."
    )


class ConversionProfile(Answer):
    """A version of how a signal's raw values become physical ones."""

    id: UUID
    sensor_id: UUID
    signal: str
    version: int = Field(description="Counts the profiles of the signal.")
    kind: ProfileKind
    parameters: dict[str, JsonValue]
    unit: str
    note: str
    state: ProfileState
    valid_from: Timestamp | None
    valid_to: Timestamp | None = Field(description="The first moment at which it is not valid.")
    created_by: UUID
    created_at: Timestamp
    published_by: UUID | None
    published_at: Timestamp | None
    edition: int = Field(description="Counts its changes; what If-Match names.")


class ProfileQuery(PageQuery):
    """Which profiles of a sensor."""

    signal: SignalName | None = None
    state: list[ProfileState] = Field(default=[], max_length=4, description="Any of these.")


class Calculation(Body):
    """Raw values to convert by a profile that need not be stored."""

    kind: ProfileKind
    parameters: ProfileParameters
    values: Annotated[list[float], Field(min_length=1, max_length=MAX_VALUES)]


class ConvertedValue(Answer):
    """A raw value and what the profile makes of it."""

    raw: float
    physical: float | None
    reason: Literal["out_of_table", "overflow"] | None = Field(
        description="Why there is no physical value."
    )


class Converted(Answer):
    """The values in the order in which they were given."""

    items: list[ConvertedValue]

"""Conversion profiles, as asked for, changed, stored and answered."""

from itertools import pairwise
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, JsonValue
from servicekit.fields import Answer, Body, Text, Timestamp
from servicekit.pagination import PageQuery

from experiment_service.models.sensors import SignalName, Unit

MAX_PROFILES = 1000
MAX_VALUES = 10_000
MAX_COEFFICIENTS = 20
MAX_PAIRS = 10_000

type Kind = Literal["linear", "polynomial", "lookup_table"]
type State = Literal["draft", "scheduled", "active", "retired"]
type Parameters = Annotated[
    dict[str, JsonValue],
    Field(
        description="linear: `{a, b}` for a·raw + b; polynomial: `{coefficients}`, of the lowest"
        " power first; lookup_table: `{table: [[raw, physical], …], clamped}`, raw values rising."
    ),
]


type Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class LinearParameters(Body):
    """a·raw + b."""

    a: Number
    b: Number


class PolynomialParameters(Body):
    """The sum of coefficients·raw^place, of the lowest power first."""

    coefficients: Annotated[list[Number], Field(min_length=1, max_length=MAX_COEFFICIENTS)]


type Pair = Annotated[list[Number], Field(min_length=2, max_length=2)]


def _rising(table: list[Pair]) -> list[Pair]:
    for place, (one, other) in enumerate(pairwise(table), start=1):
        if one[0] >= other[0]:
            msg = f"raw values must rise; that of row {place} is not above the one before"
            raise ValueError(msg)
    return table


class LookupParameters(Body):
    """Straight lines between pairs of a raw and a physical value."""

    table: Annotated[list[Pair], Field(min_length=2, max_length=MAX_PAIRS), AfterValidator(_rising)]
    clamped: bool = Field(
        default=False, description="Beyond the table its ends count, in place of nothing."
    )


class NewProfile(Body):
    """A draft of how a signal's raw values become physical ones."""

    signal: SignalName
    kind: Kind
    parameters: Parameters
    unit: Unit | None = Field(default=None, description="Of the physical values.")
    note: Text = Field(default="", description="Markdown.")


class ProfileChange(Body):
    """A merge patch of a draft; `parameters` are replaced as a whole."""

    signal: SignalName = Field(default="", description="Stays what it is.")
    kind: Kind = "linear"
    parameters: Parameters = Field(default={})
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


class Profile(Answer):
    """A version of how a signal's raw values become physical ones."""

    id: UUID
    sensor_id: UUID
    signal: str
    version: int = Field(description="Counts the profiles of the signal.")
    kind: Kind
    parameters: dict[str, JsonValue]
    unit: str
    note: str
    state: State
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
    state: list[State] = Field(default=[], max_length=4, description="Any of these.")

"""Field types that every service means the same by: names, texts, times, numbers."""

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
)


class Body(BaseModel):
    """What a request carries: unknown fields are mistakes, numbers are finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Query(BaseModel):
    """What stands behind the `?`: unknown parameters are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(BaseModel):
    """What is answered; non-finite numbers are written as "NaN", "Infinity" and "-Infinity"."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")


def _tidy(text: object) -> object:
    return unicodedata.normalize("NFC", text).strip() if isinstance(text, str) else text


def _without_controls(text: str) -> str:
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        msg = "must not contain control characters"
        raise ValueError(msg)
    return text


def _without_nul(text: str) -> str:
    if "\0" in text:
        msg = "must not contain the NUL character"
        raise ValueError(msg)
    return text


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the first and last hours of the calendar, in another zone
        msg = "must be within the years 1 to 9999 in UTC"
        raise ValueError(msg) from None


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


type Name = Annotated[
    str,
    BeforeValidator(_tidy),
    Field(min_length=1, max_length=200),
    AfterValidator(_without_controls),
]
"""What people call a thing: NFC, trimmed, 1-200 characters, no control characters."""

type Label = Annotated[
    str,
    BeforeValidator(_tidy),
    Field(max_length=500),
    AfterValidator(_without_controls),
]
"""One line that may be empty: a tag's value, a host, a source."""

type Key = Annotated[
    str,
    BeforeValidator(_tidy),
    Field(min_length=1, max_length=250),
    AfterValidator(_without_controls),
]
"""The key of a param, a tag or a metric."""

type Text = Annotated[str, Field(max_length=100_000), AfterValidator(_without_nul)]
"""Several lines, Markdown where it is shown."""

type Timestamp = Annotated[
    AwareDatetime,
    AfterValidator(_in_utc),
    PlainSerializer(_written, return_type=str, when_used="json"),
]
"""UTC, RFC 3339 with microseconds: `2026-11-23T06:16:12.000000Z`."""

type NotFinite = Literal["NaN", "Infinity", "-Infinity"]
"""The three floats that JSON has no number for."""

"""Saved comparisons and baselines, as asked for, changed, stored and answered."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import AfterValidator, Field, JsonValue
from servicekit.fields import Answer, Body, Name, Text, Timestamp
from servicekit.pagination import PageQuery

MAX_VIEW_BYTES = 64 << 10
MAX_SAVED = 5000


def _storable(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        fits = len(orjson.dumps(value)) <= MAX_VIEW_BYTES
    except TypeError:
        fits = False
    if not fits:
        msg = "may hold at most 64 KiB of JSON, and no whole number beyond 64 bits"
        raise ValueError(msg)
    return value


type Screen = Annotated[dict[str, JsonValue], AfterValidator(_storable)]


class NewComparison(Body):
    """A comparison to save."""

    title: Name
    notes: Text = Field(default="", description="Markdown.")
    view: Screen = Field(description="Whatever makes the screen, at most 64 KiB.")


class ComparisonChange(Body):
    """A merge patch of a comparison: what is left out stays; `view` is replaced as a whole."""

    title: Name = ""
    notes: Text | None = None
    view: Screen = Field(default={})

    @property
    def given(self) -> dict[str, Any]:
        """The fields that the patch names, as they are stored."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return given | ({"notes": given["notes"] or ""} if "notes" in given else {})


class Comparison(Answer):
    """A saved comparison: a screen that can be opened again."""

    id: UUID
    project_id: UUID
    title: str
    notes: str
    view: dict[str, JsonValue]
    created_by: UUID
    created_at: Timestamp
    updated_by: UUID
    updated_at: Timestamp
    version: int


class ComparisonQuery(PageQuery):
    """Which saved comparisons, the newest first."""

    q: str | None = Field(default=None, max_length=200, description="Part of the title.")


class NewBaseline(Body):
    """The run to compare others of its experiment with."""

    run_id: UUID


class Baseline(Answer):
    """The run that the others of an experiment are compared with; null where none is set."""

    experiment_id: UUID
    run_id: UUID | None
    set_by: UUID | None
    set_at: Timestamp | None

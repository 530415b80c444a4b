"""Saved views, as asked for, changed, stored and answered."""

from typing import Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue
from servicekit.fields import Answer, Body, Name, Timestamp
from servicekit.pagination import PageQuery

from experiment_service.models.values import JsonObject

MAX_PERSONAL = 200
MAX_SHARED = 500

type ViewKind = Literal["runs"]
type Visibility = Literal["personal", "shared"]


class NewView(Body):
    """A view to save."""

    name: Name
    kind: ViewKind = "runs"
    visibility: Visibility = "personal"
    state: JsonObject = Field(description="Whatever makes the view, at most 64 KiB.")
    is_default: bool = Field(default=False, description="In place of the default there was.")


class ViewChange(Body):
    """A merge patch of a view: what is left out stays; `state` is replaced as a whole."""

    name: Name = ""
    visibility: Visibility = "personal"
    state: JsonObject = Field(default={})
    is_default: bool = False

    @property
    def given(self) -> dict[str, Any]:
        """The fields that the patch names."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class View(Answer):
    """How somebody looks at a list: columns, filter, order, groups, charts."""

    id: UUID
    project_id: UUID
    name: str
    kind: ViewKind
    visibility: Visibility
    state: dict[str, JsonValue]
    is_default: bool = Field(description="Opens by itself: for its author, or for the project.")
    created_by: UUID
    created_at: Timestamp
    updated_at: Timestamp
    version: int


class ViewQuery(PageQuery):
    """Which views."""

    kind: ViewKind = "runs"

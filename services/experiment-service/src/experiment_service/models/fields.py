"""What runs of a project can be searched by: names, and values that there are."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue, StringConstraints
from servicekit.fields import Answer, Query

from experiment_service.models.run_filters import FieldKind

type Part = Annotated[str, StringConstraints(max_length=250)]


class FieldsQuery(Query):
    """Which names."""

    kind: FieldKind | None = Field(default=None, description="Of one kind; of all without.")
    q: Part | None = Field(default=None, description="A part of the name, in any case.")
    experiment_id: UUID | None = Field(
        default=None, description="Of this experiment's runs; of all without."
    )
    limit: int = Field(default=100, ge=1, le=1000, description="Names of each kind at most.")


class RunField(Answer):
    """A name that runs can be searched and sorted by."""

    kind: FieldKind
    key: str
    type: str = Field(description="text, number, boolean, time, id or status.")


class RunFields(Answer):
    """Names by kind: attributes, params, metrics, tags, datasets."""

    items: list[RunField]


class ValuesQuery(Query):
    """Of which field, and which values."""

    field: Annotated[str, StringConstraints(min_length=1, max_length=300)] = Field(
        description="As the search language writes it: `params.optimizer`, `tags.rig`, `host`."
    )
    q: Part | None = Field(default=None, description="A part of the value, in any case.")
    experiment_id: UUID | None = Field(
        default=None, description="Of this experiment's runs; of all without."
    )
    limit: int = Field(default=50, ge=1, le=200)


class FieldValue(Answer):
    """A value that runs have, and how many of those that were looked at have it."""

    value: JsonValue
    count: int


class FieldValues(Answer):
    """Values, the most frequent first, of a sample of at most 20,000 runs."""

    items: list[FieldValue]

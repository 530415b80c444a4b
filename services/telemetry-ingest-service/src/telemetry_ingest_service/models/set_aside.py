"""Batches that were taken but cannot be stored."""

from datetime import datetime
from uuid import UUID

from pydantic import Field
from servicekit.fields import Answer
from servicekit.pagination import PageQuery


class SetAsideQuery(PageQuery):
    """Of which sensor."""

    sensor_id: UUID | None = Field(default=None, description="Only what this sensor sent.")


class SetAside(Answer):
    """A batch that could not be stored, and why."""

    id: UUID
    sensor_id: UUID
    project_id: UUID
    batch_id: UUID | None = Field(description="By which a repeat of it is known.")
    received_at: datetime
    set_aside_at: datetime
    reason: str
    readings: int
    signals: list[str]
    bytes: int = Field(description="What it takes as it is kept.")


class StoredAfterAll(Answer):
    """What became of a batch that was set aside."""

    stored: int = Field(description="Readings that are stored now.")
    duplicate: bool = Field(description="They were stored by a repeat of it meanwhile.")

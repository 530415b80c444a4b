"""The audit trail."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue
from servicekit.events import Recorded
from servicekit.fields import Answer, Body, Timestamp
from servicekit.pagination import PageQuery

type Result = Literal["success", "failure", "denied"]


MOST_TOLD = 500


class NewEvent(BaseModel, frozen=True):
    """Something that is happening: the rest of its row is known where it is written."""

    action: str
    actor_id: UUID | None = None
    project_id: UUID | None = None
    target_type: str | None = None
    target_id: UUID | None = None
    result: Result = "success"
    details: dict[str, JsonValue] = {}


class ToldEvents(Body):
    """What another service tells of, in its order."""

    events: list[Recorded] = Field(min_length=1, max_length=MOST_TOLD)


class AuditQuery(PageQuery):
    """Which events."""

    action: str | None = Field(default=None, max_length=60, description="Exactly this one.")
    actor_id: UUID | None = None


class AuditEvent(Answer):
    """Who did what to what, when, from where, and how it ended."""

    id: UUID
    at: Timestamp
    action: str
    actor_id: UUID | None
    actor_name: str | None
    project_id: UUID | None
    target_type: str | None
    target_id: str | None
    address: str | None
    result: Result
    details: dict[str, JsonValue]
    trace_id: str | None

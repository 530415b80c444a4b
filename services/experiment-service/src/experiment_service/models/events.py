"""What happened, as others are told of it."""

from typing import Literal
from uuid import UUID

from pydantic import Field, JsonValue
from servicekit.fields import Answer, Timestamp

type EventType = Literal[
    "run.created",
    "run.started",
    "run.succeeded",
    "run.failed",
    "run.interrupted",
    "run.archived",
    "run.restored",
    "metric.threshold_crossed",
]
"""What a webhook can be told of."""

TEST_EVENT = "webhook.test"


class Subject(Answer):
    """What an event is about."""

    kind: str
    id: UUID
    name: str | None = None


class Actor(Answer):
    """Who caused it; the service itself is `system`."""

    kind: Literal["user", "token", "sensor", "system"]
    id: UUID | None = None
    name: str | None = None


class Event(Answer):
    """Something that happened, once; `id` stays the same however often it is told."""

    id: UUID
    type: str
    version: int = 1
    project_id: UUID | None
    subject: Subject
    actor: Actor | None = None
    occurred_at: Timestamp
    trace_id: str | None = None
    data: dict[str, JsonValue] = Field(default={})

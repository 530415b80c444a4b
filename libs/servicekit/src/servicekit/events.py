"""What happened, as others are told of it: one envelope, and kinds that say what is in it."""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from servicekit.fields import Answer, Timestamp
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.tracing import current_trace_id


class Subject(Answer):
    """What an event is about."""

    kind: str
    id: UUID
    name: str | None = None


class Actor(Answer):
    """Who caused it; the service itself is `system`."""

    kind: Literal["user", "token", "sensor", "system"]
    id: UUID | None = Field(
        default=None, description="The person, also behind a token; or the sensor."
    )
    name: str | None = None
    token_id: UUID | None = None


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


type Result = Literal["success", "failure", "denied"]


class Recorded(Event):
    """An event as the audit trail has it: with where the call came from, and how it ended.

    Nobody else is told: an address is personal.
    """

    address: str | None = None
    result: Result = "success"


@dataclass(frozen=True, slots=True)
class EventKind[D: BaseModel]:
    """A kind of event that a service tells of: its name (`type` in the event), what is in `data`.

    A change that readers of the old form would misread is a new version; a field that is only added
    is not.
    """

    name: str
    about: str
    """One sentence: what has happened."""
    subject: str
    data: type[D]
    version: int = 1

    def event(
        self,
        data: D,
        *,
        project_id: UUID | None,
        subject_id: UUID,
        subject_name: str | None = None,
        at: datetime | None = None,
        actor: Actor | None = None,
    ) -> Event:
        """One event of this kind; it happens now and by whoever is calling where not said."""
        return Event(
            id=uuid7(),
            type=self.name,
            version=self.version,
            project_id=project_id,
            subject=Subject(kind=self.subject, id=subject_id, name=subject_name),
            actor=actor or current_actor(),
            occurred_at=at or datetime.now(UTC),
            trace_id=current_trace_id(),
            data=data.model_dump(mode="json"),
        )


class Catalogue:
    """Every kind of event that a service tells of; `asyncapi` writes its document from this."""

    def __init__(self, *kinds: EventKind[Any]) -> None:
        self._kinds = {kind.name: kind for kind in kinds}
        if len(self._kinds) < len(kinds):
            msg = "Two kinds of events have the same name."
            raise ValueError(msg)

    def __iter__(self) -> Iterator[EventKind[Any]]:
        return iter(self._kinds.values())

    def __contains__(self, name: str) -> bool:
        return name in self._kinds


SYSTEM = Actor(kind="system")
"""The service itself."""

_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)
_address: ContextVar[Callable[[], str] | None] = ContextVar("address", default=None)


def note_actor(principal: Principal | None) -> None:
    """Say who the request being served is from; None where it is nobody, or not known yet."""
    _actor.set(
        Actor(kind=principal.kind, id=principal.user_id, token_id=principal.token_id)
        if principal
        else SYSTEM
    )


def current_actor() -> Actor:
    """Who causes what happens now: the caller of the request, or the service itself."""
    return _actor.get()


def note_address(address: Callable[[], str] | None) -> None:
    """Say how to learn where the request being served comes from; most requests never ask."""
    _address.set(address)


def current_address() -> str | None:
    """Where the request being served comes from; None where there is none, or nobody knows."""
    address = _address.get()
    return address() if address else None

"""The audit trail."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue
from servicekit.events import Recorded, Result
from servicekit.fields import Answer, Body, Query, Timestamp
from servicekit.pagination import PageQuery

type ActorKind = Literal["user", "token", "sensor", "system"]

MOST_TOLD = 500


type Action = Literal[
    "register",
    "login",
    "login.throttled",
    "logout",
    "logout.everywhere",
    "session.revoke",
    "refresh.reuse",
    "profile.change",
    "password.change",
    "password.reset-request",
    "password.reset",
    "project.create",
    "project.change",
    "project.archive",
    "project.restore",
    "member.set",
    "member.remove",
    "token.create",
    "token.revoke",
    "user.change",
    "user.activate",
    "user.deactivate",
    "admin.bootstrap",
    "signing-key.begin",
    "access.denied",
    "audit.export",
    "audit.forget",
]
"""What this service writes down itself; `audit.forget` is written by the database."""


class NewEvent(BaseModel, frozen=True):
    """Something that is happening: the rest of its row is known where it is written."""

    action: Action
    actor_id: UUID | None = None
    actor_kind: ActorKind | None = None
    project_id: UUID | None = None
    target_type: str | None = None
    target_id: UUID | None = None
    result: Result = "success"
    details: dict[str, JsonValue] = {}


class ToldEvents(Body):
    """What another service tells of, in its order."""

    events: list[Recorded] = Field(min_length=1, max_length=MOST_TOLD)


class AuditFilter(Query):
    """Which events."""

    action: str | None = Field(
        default=None,
        max_length=60,
        description="Exactly this one; with a dot or a star at its end all that begin so: `run.`",
    )
    actor_id: UUID | None = None
    actor_kind: ActorKind | None = None
    target_type: str | None = Field(default=None, max_length=60)
    target_id: str | None = Field(default=None, max_length=200)
    result: Result | None = None
    since: Timestamp | None = Field(default=None, description="Not before this moment.")
    until: Timestamp | None = Field(default=None, description="Before this moment.")
    q: str | None = Field(
        default=None,
        max_length=200,
        description="Stands in the action, a name, the target, the address, the trace id or the"
        " details, in small or capital letters.",
    )


class AuditQuery(PageQuery, AuditFilter):
    """Which events, page by page."""


class AuditExport(AuditFilter):
    """Which events, in what form."""

    format: Literal["csv", "jsonl"] = "csv"

    @property
    def media_type(self) -> str:
        """What the file is, for its head."""
        return "text/csv; charset=utf-8" if self.format == "csv" else "application/jsonl"


class AuditEvent(Answer):
    """Who did what to what, when, from where, and how it ended."""

    id: UUID
    at: Timestamp
    action: str
    actor_kind: ActorKind | None
    actor_id: UUID | None
    actor_name: str | None
    project_id: UUID | None
    target_type: str | None
    target_id: str | None
    address: str | None
    result: Result
    details: dict[str, JsonValue]
    trace_id: str | None
    chain_number: int | None = Field(
        description="The how manieth of its project, or of the platform where it is of none, since"
        " the audit is a chain."
    )
    hash: str | None = Field(
        description="SHA-256 of what the event says and of the hash before it; 64 hex digits."
    )

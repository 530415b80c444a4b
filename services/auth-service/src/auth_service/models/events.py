"""What this service tells others of: what they may know, and nothing that signs anybody in.

Sign-ins, passwords, sessions and refusals are between a person and the platform; the audit has
them. People are named by their ids and, where the event is about them, as they call themselves;
mail addresses are told to nobody.
"""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field
from servicekit.events import Catalogue, EventKind
from servicekit.fields import Answer, Timestamp
from servicekit.identity import Role

type TokenEnd = Literal["revoked", "member_removed", "user_deactivated"]


class NoData(Answer):
    """Nothing beside what every event says."""


class FieldsData(Answer):
    """What was changed; the values stay where they are."""

    fields: list[str]


class ProjectData(Answer):
    """A project by the name that stands in addresses."""

    slug: str


class MemberData(Answer):
    """A person's part in the project that the event is about."""

    user_id: UUID
    role: Role


class MemberChangeData(MemberData):
    """Another part than before."""

    before: Role


class TokenData(Answer):
    """What a token may do; never the token, nor a part of it."""

    user_id: UUID = Field(description="Whom it acts for.")
    role: Role
    expires_at: Timestamp | None


class TokenEndData(Answer):
    """Why a token is good no more."""

    user_id: UUID = Field(description="Whom it acted for.")
    reason: TokenEnd


def _project[D: BaseModel](type_: str, about: str, data: type[D]) -> EventKind[D]:
    # Members are a part of the project: one subject, so that all of it is told in order.
    return EventKind(type_, about, subject="project", data=data)


def _user[D: BaseModel](step: str, about: str, data: type[D]) -> EventKind[D]:
    return EventKind(f"user.{step}", about, subject="user", data=data)


PROJECT_CREATED = _project("project.created", "A project was made.", ProjectData)
PROJECT_CHANGED = _project("project.changed", "A project was edited.", FieldsData)
PROJECT_ARCHIVED = _project(
    "project.archived", "A project was archived: it can be read and takes no changes.", NoData
)
PROJECT_RESTORED = _project("project.restored", "An archived project was brought back.", NoData)
MEMBER_ADDED = _project("member.added", "A person became a member of a project.", MemberData)
MEMBER_CHANGED = _project("member.changed", "A member got another role.", MemberChangeData)
MEMBER_REMOVED = _project(
    "member.removed", "A member was removed, or left; `role` is what it was.", MemberData
)
TOKEN_CREATED = EventKind(
    "token.created", "An API token was made.", subject="token", data=TokenData
)
TOKEN_REVOKED = EventKind(
    "token.revoked", "An API token was ended at once.", subject="token", data=TokenEndData
)
USER_REGISTERED = _user("registered", "A person got an account.", NoData)
USER_CHANGED = _user("changed", "A person changed what others see of them.", FieldsData)
USER_DEACTIVATED = _user("deactivated", "A person was shut out.", NoData)
USER_ACTIVATED = _user("activated", "A person who was shut out was let in again.", NoData)
USER_ADMIN_GRANTED = _user("admin_granted", "A person became an administrator.", NoData)
USER_ADMIN_WITHDRAWN = _user("admin_withdrawn", "A person is no administrator any more.", NoData)

EVENTS = Catalogue(
    PROJECT_CREATED,
    PROJECT_CHANGED,
    PROJECT_ARCHIVED,
    PROJECT_RESTORED,
    MEMBER_ADDED,
    MEMBER_CHANGED,
    MEMBER_REMOVED,
    TOKEN_CREATED,
    TOKEN_REVOKED,
    USER_REGISTERED,
    USER_CHANGED,
    USER_DEACTIVATED,
    USER_ACTIVATED,
    USER_ADMIN_GRANTED,
    USER_ADMIN_WITHDRAWN,
)

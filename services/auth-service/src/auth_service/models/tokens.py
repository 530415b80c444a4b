"""API tokens of people's programs."""

from uuid import UUID

from pydantic import BaseModel, Field
from servicekit.fields import Answer, Body, Name, Timestamp
from servicekit.identity import Role

MAX_DAYS = 3650


class NewToken(Body):
    """A token to be made, for the project in the path."""

    name: Name
    role: Role
    expires_in_days: int | None = Field(
        default=90, ge=1, le=MAX_DAYS, description="null never expires."
    )


class Token(Answer):
    """An API token; its text is not among what is stored."""

    id: UUID
    name: str
    project_id: UUID
    user_id: UUID
    user_name: str
    role: Role
    key_id: str
    created_at: Timestamp
    expires_at: Timestamp | None
    last_used_at: Timestamp | None
    revoked_at: Timestamp | None


class MadeToken(Token):
    """A new token with its text, which is shown this once."""

    token: str = Field(repr=False)


class EndedToken(BaseModel, frozen=True):
    """A token that has just been revoked."""

    id: UUID
    name: str
    project_id: UUID
    user_id: UUID


class Credential(BaseModel, frozen=True):
    """What is compared and decided when a program comes with a token; never answered."""

    id: UUID
    secret_hash: bytes = Field(repr=False)
    project_id: UUID
    user_id: UUID
    role: Role
    is_good: bool

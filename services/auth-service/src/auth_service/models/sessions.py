"""Sessions: a sign-in of a person on one device."""

from typing import Literal
from uuid import UUID

from pydantic import Field
from servicekit.fields import Answer, Body, Timestamp

from auth_service.models.fields import Secret
from auth_service.models.people import Me


class Refresh(Body):
    """A refresh token to be exchanged for its successor and a new access token."""

    refresh_token: Secret


class Logout(Body):
    """Which session ends, where no access token says so."""

    refresh_token: Secret | None = None


class Session(Answer):
    """What signing in gives: tokens, and who one is now. Lifetimes are in seconds."""

    access_token: str = Field(repr=False)
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the scheme, not a secret
    expires_in: int
    refresh_token: str = Field(repr=False)
    refresh_expires_in: int
    user: Me


class OpenSession(Answer):
    """A session as its person sees it in the list."""

    id: UUID
    created_at: Timestamp
    last_used_at: Timestamp
    user_agent: str
    address: str
    current: bool


class Accepted(Answer):
    """The request was taken; nothing more is said."""

"""People, as they register, are stored and answered."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field
from servicekit.fields import Answer, Body, Name, Query, Timestamp
from servicekit.identity import Scope
from servicekit.pagination import MAX_LIMIT, PageQuery

from auth_service.models.fields import Email, Password, Secret


class Registration(Body):
    """Somebody who wants an account."""

    email: Email
    password: Password
    name: Name


class Credentials(Body):
    """Somebody who signs in; their address is looked up as it is, however it is written."""

    email: str = Field(min_length=1, max_length=320)
    password: Password


class PasswordChange(Body):
    """A new password, by whoever knows the current one."""

    current_password: Password
    new_password: Password


class ResetRequest(Body):
    """Where to send a link for a new password."""

    email: str = Field(min_length=1, max_length=320)


class NewPassword(Body):
    """A new password, by whoever holds the link."""

    token: Secret
    new_password: Password


class ProfileChange(Body):
    """What people change about themselves."""

    name: Name | None = None


class Me(Answer):
    """Who is asking, with what credentials."""

    id: UUID
    email: str
    name: str
    is_admin: bool
    created_at: Timestamp
    kind: Literal["user", "token"] = "user"
    session_id: UUID | None = None
    token_id: UUID | None = None
    scope: Scope | None = None


class Account(BaseModel, frozen=True):
    """A person's row with what signing in needs of it; never answered."""

    id: UUID
    email: str
    name: str
    password_hash: str = Field(repr=False)
    password_version: int
    is_admin: bool
    is_active: bool


class PeopleQuery(Query):
    """Who is looked for."""

    q: Name = Field(min_length=2, description="The beginning of a name or an e-mail address.")
    limit: int = Field(default=20, ge=1, le=MAX_LIMIT, description="How many at most.")


class Person(Answer):
    """A person, as others see them."""

    id: UUID
    name: str
    email: str


class People(Answer):
    """Those who were found."""

    items: list[Person]


class UserQuery(PageQuery):
    """Which people an administrator asks for."""

    q: Name | None = Field(
        default=None, description="The beginning of a name or an e-mail address."
    )
    status: Literal["active", "deactivated"] | None = None


class UserChange(Body):
    """What an administrator changes about a person."""

    is_admin: bool


class User(Answer):
    """A person, as an administrator sees them."""

    id: UUID
    email: str
    name: str
    is_admin: bool
    status: Literal["active", "deactivated"]
    created_at: Timestamp
    last_login_at: Timestamp | None

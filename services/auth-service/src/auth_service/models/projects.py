"""Projects and their members."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from servicekit.fields import Answer, Body, Name, Timestamp
from servicekit.identity import Role
from servicekit.pagination import PageQuery

from auth_service.models.fields import Description, Slug


class NewProject(Body):
    """A project to be made; its maker becomes the owner."""

    name: Name
    slug: Slug | None = Field(default=None, description="Made from the name where it is missing.")
    description: Description = ""


class ProjectChange(Body):
    """What an owner changes; null clears, where there is something to clear."""

    name: Name | None = None
    slug: Slug | None = None
    description: Description | None = None

    @model_validator(mode="after")
    def _required_stay(self) -> "ProjectChange":
        for field in ("name", "slug"):
            if field in self.model_fields_set and getattr(self, field) is None:
                msg = f"{field} cannot be cleared"
                raise ValueError(msg)
        return self


class ProjectQuery(PageQuery):
    """Which of the caller's projects, in what order."""

    slug: str | None = Field(default=None, max_length=60, description="Exactly this one.")
    q: Name | None = Field(default=None, description="A part of the name or the slug.")
    archived: Literal["false", "true", "all"] = "false"
    sort: Literal["name", "-created_at"] = "name"


class Project(Answer):
    """A project, as one of its members sees it; `role` is the caller's."""

    id: UUID
    slug: str
    name: str
    description: str
    role: Role
    member_count: int
    version: int
    created_at: Timestamp
    updated_at: Timestamp
    archived_at: Timestamp | None


class LockedProject(BaseModel, frozen=True):
    """A project that nobody else changes until the transaction ends."""

    id: UUID
    slug: str
    name: str
    description: str
    version: int
    is_archived: bool


class MemberRole(Body):
    """The role that a person is to have."""

    role: Role


class Member(Answer):
    """A person's part in a project."""

    user_id: UUID
    name: str
    email: str
    role: Role
    added_at: Timestamp

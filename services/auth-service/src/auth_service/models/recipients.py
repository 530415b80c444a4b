"""People whom other services may write to."""

from uuid import UUID

from pydantic import Field
from servicekit.fields import Answer, Body

MOST = 500


class Membership(Body):
    """A person in a project."""

    project_id: UUID
    user_id: UUID


class RecipientQuery(Body):
    """Who is to be written to."""

    members: list[Membership] = Field(max_length=MOST)


class Recipient(Answer):
    """A person who is active and a member of the project now, and where mail reaches them."""

    project_id: UUID
    project_slug: str
    project_name: str
    user_id: UUID
    name: str
    email: str


class Recipients(Answer):
    """Those who may be written to; who has left the project or is deactivated is left out."""

    items: list[Recipient]

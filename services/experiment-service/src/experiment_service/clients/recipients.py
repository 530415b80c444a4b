"""Whom a mail may go to, as auth-service knows it: active members, at their own address."""

import json
from collections.abc import AsyncIterator
from typing import Protocol
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel
from servicekit.inside import Inside


class Recipient(BaseModel, frozen=True):
    """A person to write to."""

    email: str
    name: str
    project_slug: str
    project_name: str


class _Answer(BaseModel):
    items: list[Recipient]


class Recipients(Protocol):
    """Where addresses are asked for."""

    async def find(self, project_id: UUID, user_id: UUID) -> Recipient | None:
        """The person, as long as they are an active member of the project.

        Raises:
            Unavailable: nobody can say at the moment.
        """
        ...


class AuthRecipients:
    """Asks auth-service, by the secret that services share."""

    def __init__(self, addresses: str, secret: bytes) -> None:
        self._auth = Inside("auth-service", addresses, secret)

    async def context(self, _app: web.Application) -> AsyncIterator[None]:
        """Hold the connections while the service runs."""
        async with self._auth.open():
            yield

    async def find(self, project_id: UUID, user_id: UUID) -> Recipient | None:
        """See `Recipients.find`."""
        members = [{"project_id": str(project_id), "user_id": str(user_id)}]
        body = json.dumps({"members": members}).encode()
        items = _Answer.model_validate_json(
            await self._auth.post("/internal/recipients", body)
        ).items
        return items[0] if items else None

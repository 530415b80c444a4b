"""Whom a mail may go to, as auth-service knows it: active members, at their own address."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Protocol
from uuid import UUID

import aiohttp
from aiohttp import web
from pydantic import BaseModel
from servicekit.peers import Peers
from servicekit.problems import Unavailable

TIMEOUT = aiohttp.ClientTimeout(total=10)


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
        self._peers = Peers(addresses)
        self._headers = {"Authorization": f"Bearer {secret.decode()}"}
        self._session: aiohttp.ClientSession | None = None

    async def context(self, _app: web.Application) -> AsyncIterator[None]:
        """Hold the connections while the service runs."""
        async with aiohttp.ClientSession(timeout=TIMEOUT) as self._session:
            yield

    async def find(self, project_id: UUID, user_id: UUID) -> Recipient | None:
        """See `Recipients.find`."""
        if self._session is None:
            msg = "The service is not running."
            raise Unavailable(msg)
        body = {"members": [{"project_id": str(project_id), "user_id": str(user_id)}]}
        detail = "auth-service does not answer."
        for address in self._peers.each():
            try:
                async with self._session.post(
                    f"{address}/internal/recipients",
                    json=body,
                    headers=self._headers,
                    allow_redirects=False,
                ) as answer:
                    if answer.status == HTTPStatus.OK:
                        items = _Answer.model_validate_json(await answer.read()).items
                        return items[0] if items else None
                    detail = f"auth-service answered {answer.status}."
            except (aiohttp.ClientError, TimeoutError):
                continue
        raise Unavailable(detail)

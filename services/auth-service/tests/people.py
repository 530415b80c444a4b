"""People who use the service, and how tests speak with it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from servicekit.database import Connection

PASSWORD = "quiet rivers run deep"
SERVICE_SECRET = "what services of one house tell each other"

type Client = TestClient[Any, Any]


@dataclass(slots=True)
class Person:
    """Somebody who is signed in."""

    client: Client
    session: dict[str, Any]
    password: str = PASSWORD

    @property
    def id(self) -> str:
        return self.session["user"]["id"]

    @property
    def email(self) -> str:
        return self.session["user"]["email"]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.session['access_token']}"}

    async def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> ClientResponse:
        """A request with this person's token; a header's `_` stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        more = {} if body is None else {"json": body}
        return await self.client.request(method, path, headers={**self.headers, **named}, **more)

    async def get(self, path: str) -> Any:
        """What is answered, as JSON."""
        return await expect(200, await self.ask("GET", path))

    async def project(self, name: str = "Rig") -> dict[str, Any]:
        return await expect(201, await self.ask("POST", "/api/v1/projects", {"name": name}))

    async def give(self, project: dict[str, Any], other: "Person", role: str) -> None:
        path = f"/api/v1/projects/{project['id']}/members/{other.id}"
        await expect(200, await self.ask("PUT", path, {"role": role}))

    async def token(self, project: dict[str, Any], role: str = "viewer") -> dict[str, Any]:
        path = f"/api/v1/projects/{project['id']}/tokens"
        return await expect(201, await self.ask("POST", path, {"name": "script", "role": role}))

    async def is_signed_in(self) -> bool:
        return (await self.ask("GET", "/auth/me")).status == 200


type Register = Callable[..., Awaitable[Person]]


async def expect(status: int, response: ClientResponse) -> Any:
    """The JSON of an answer whose status is as expected; None where there is no body."""
    text = await response.text()
    assert response.status == status, f"{response.status}: {text}"
    return await response.json() if text else None


async def problem(response: ClientResponse, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer that was to be one."""
    assert response.content_type == "application/problem+json", await response.text()
    document = await expect(status, response)
    assert document["type"] == f"/problems/{code}", document
    assert document["status"] == status
    assert len(document["trace_id"]) == 32
    return document


async def log_in(
    client: Client, email: str, password: str = PASSWORD, **headers: str
) -> ClientResponse:
    """An attempt to sign in; a header's `_` stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post(
        "/auth/login", json={"email": email, "password": password}, headers=named
    )


async def actions(connection: Connection, action: str) -> list[dict[str, Any]]:
    """The audit's events of one kind, oldest first."""
    rows = await connection.fetch(
        "SELECT * FROM auth.audit_events WHERE action = $1 ORDER BY at, id", action
    )
    return [{**row, "details": json.loads(row["details"])} for row in rows]


type Start = Callable[..., Awaitable[Client]]

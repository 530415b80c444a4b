"""experiment-service as its callers see it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from aiohttp.test_utils import TestClient


class Api:
    """The service as its callers see it, with the answers they expect."""

    def __init__(self, client: TestClient, project_id: UUID) -> None:
        self.client = client
        self.project = f"/api/v1/projects/{project_id}"

    async def ask(
        self, method: str, path: str, *, status: int = 200, **more: Any
    ) -> dict[str, Any]:
        response = await self.client.request(method, path, **more)
        text = await response.text()
        assert response.status == status, f"{method} {path}: {response.status} {text}"
        return await response.json() if text else {}

    async def get(self, path: str, *, status: int = 200, **more: Any) -> dict[str, Any]:
        return await self.ask("GET", path, status=status, **more)

    async def post(
        self, path: str, json: Any = None, *, status: int = 200, **more: Any
    ) -> dict[str, Any]:
        return await self.ask("POST", path, status=status, json=json, **more)

    async def patch(
        self, path: str, json: Any, *, status: int = 200, **more: Any
    ) -> dict[str, Any]:
        return await self.ask("PATCH", path, status=status, json=json, **more)

    async def experiment(self, name: str = "digits", **fields: Any) -> dict[str, Any]:
        return await self.post(f"{self.project}/experiments", {"name": name, **fields}, status=201)

    async def run(self, experiment: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return await self.post(f"/api/v1/experiments/{experiment['id']}/runs", fields, status=201)

    async def sensor(self, name: str = "TC-1", **fields: Any) -> dict[str, Any]:
        body = {"name": name, "signals": [{"name": "temperature"}], **fields}
        return await self.post(f"{self.project}/sensors", body, status=201)

    async def profile(self, sensor: dict[str, Any], a: float = 1, **fields: Any) -> dict[str, Any]:
        body = {
            "signal": "temperature",
            "kind": "linear",
            "parameters": {"a": a, "b": 0},
            **fields,
        }
        return await self.post(f"/api/v1/sensors/{sensor['id']}/profiles", body, status=201)

    async def names(self, path: str, **params: Any) -> list[str]:
        """The names of a whole list, read in pages of two."""
        names: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, params={"limit": "2", **params, **cursor})
            names += [item["name"] for item in page["items"]]
            if page["next_cursor"] is None:
                return names
            cursor = {"cursor": page["next_cursor"]}


def as_(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def eventually(holds: Callable[[], Awaitable[bool]], *, within: float = 30) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(within):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.05)

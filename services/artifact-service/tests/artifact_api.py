"""What the tests say to the service, and how they read its answers."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from servicekit.database import Connection
from yarl import URL

EDITOR = {"Authorization": "Bearer editor"}
VIEWER = {"Authorization": "Bearer viewer"}


def address(run_id: UUID, path: str) -> URL:
    """The address of a file: its characters escaped, dots too (clients fold them), slashes not."""
    escaped = quote(path).replace(".", "%2E")
    return URL(f"/api/v1/runs/{run_id}/artifacts/{escaped}", encoded=True)


async def put(
    client: TestClient, run_id: UUID, path: str, content: Any, **headers: str
) -> dict[str, Any]:
    response = await client.put(address(run_id, path), data=content, headers=EDITOR | headers)
    assert response.status == 200, await response.text()
    return await response.json()


async def get(client: TestClient, run_id: UUID, path: str, **headers: str) -> ClientResponse:
    return await client.get(
        address(run_id, path), headers=VIEWER | {k.replace("_", "-"): v for k, v in headers.items()}
    )


async def listed(client: TestClient, run_id: UUID, **query: Any) -> list[dict[str, Any]]:
    response = await client.get(f"/api/v1/runs/{run_id}/artifacts", params=query, headers=VIEWER)
    assert response.status == 200, await response.text()
    return (await response.json())["items"]


async def names(client: TestClient, run_id: UUID, prefix: str = "") -> list[str]:
    """The paths in a folder, folders with a slash behind them."""
    return [
        item["path"] + ("/" if item["kind"] == "folder" else "")
        for item in await listed(client, run_id, prefix=prefix)
    ]


def kept(folder: Path) -> int:
    """How many files there are in the store, whole ones and others."""
    return sum(path.is_file() for path in folder.rglob("*"))


async def settled(check: Callable[[], Awaitable[bool]] | Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(20):
        while True:
            answer = check()
            if (answer if isinstance(answer, bool) else await answer) is True:
                return
            await asyncio.sleep(0.05)


async def no_objects(connection: Connection) -> bool:
    """Whether every trace of an object is gone."""
    return await connection.fetchval("SELECT count(*) FROM artifact.objects") == 0

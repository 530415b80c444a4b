"""What the tests say to the service, and how they read its answers and its stream."""

import asyncio
import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

EDITOR = {"Authorization": "Bearer editor"}
VIEWER = {"Authorization": "Bearer viewer"}


def points(key: str = "loss", *, step: list, value: list, **more: Any) -> dict[str, Any]:
    return {"key": key, "step": step, "value": value, **more}


async def log(
    client: TestClient, run_id: UUID, *series: dict[str, Any], **batch: Any
) -> dict[str, Any]:
    response = await client.post(
        f"/api/v1/runs/{run_id}/metrics", json={"series": list(series), **batch}, headers=EDITOR
    )
    assert response.status == 200, await response.text()
    return await response.json()


async def read(client: TestClient, run_id: UUID, *keys: str, **query: Any) -> list[dict[str, Any]]:
    response = await client.get(
        f"/api/v1/runs/{run_id}/metrics/series",
        params=[*(("key", key) for key in keys), *query.items()],
        headers=VIEWER,
    )
    assert response.status == 200, await response.text()
    return (await response.json())["series"]


async def summaries(client: TestClient, run_id: UUID, **query: Any) -> dict[str, dict[str, Any]]:
    response = await client.get(f"/api/v1/runs/{run_id}/metrics", params=query, headers=VIEWER)
    assert response.status == 200, await response.text()
    return {item["key"]: item for item in (await response.json())["items"]}


def said(value: float) -> float | str:
    """A float as the API writes it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


class Viewer:
    """Reads events from an open stream."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response
        self.position = 0
        self.place = ""

    async def next(self, *, within: float = 20) -> tuple[str, dict[str, Any]]:
        """The next event's name and data; heartbeats are passed over."""
        async with asyncio.timeout(within):
            while True:
                lines = (await self.response.content.readuntil(b"\n\n")).decode().splitlines()
                fields = dict(line.split(": ", 1) for line in lines if ": " in line)
                if "id" in fields:
                    self.place = fields["id"]
                    self.position = int(self.place) if self.place.isdigit() else 0
                if "event" in fields:
                    return fields["event"], json.loads(fields["data"])

    async def points(self, count: int) -> list[tuple[str, int, Any]]:
        """The next points, in their order, as (key, step, value)."""
        found: list[tuple[str, int, Any]] = []
        while len(found) < count:
            name, data = await self.next()
            assert name == "metrics", name
            for series in data["series"]:
                columns = zip(series["step"], series["value"], strict=True)
                found += [(series["key"], step, value) for step, value in columns]
        assert len(found) == count
        return found

    async def end(self, *, within: float = 20) -> None:
        """Read on until the service closes the stream."""
        async with asyncio.timeout(within):
            await self.response.content.read()


@asynccontextmanager
async def watch(
    client: TestClient, run_id: UUID, *, token: str = "viewer", **more: Any
) -> AsyncIterator[Viewer]:
    headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
    response = await client.get(
        f"/api/v1/runs/{run_id}/metrics/stream", headers=headers, params=more
    )
    assert response.status == 200, await response.text()
    assert response.content_type == "text/event-stream"
    try:
        yield Viewer(response)
    finally:
        response.close()


@asynccontextmanager
async def watch_runs(
    client: TestClient, *run_ids: UUID, token: str = "viewer", **more: Any
) -> AsyncIterator[Viewer]:
    headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
    keys = more.pop("key", [])
    response = await client.get(
        "/api/v1/metrics/stream",
        headers=headers,
        params=[
            *(("run_id", str(run_id)) for run_id in run_ids),
            *(("key", key) for key in keys),
            *more.items(),
        ],
    )
    assert response.status == 200, await response.text()
    try:
        yield Viewer(response)
    finally:
        response.close()

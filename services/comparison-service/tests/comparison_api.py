"""What the tests say to the services, and a relay by which one of them goes away or gets slow."""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID, uuid4

from aiohttp.test_utils import TestClient


def who(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


class Relay:
    """Passes bytes on to a service, late, or not at all."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.delay = 0.0
        self.bytes_before: list[bytes] = []

    @classmethod
    async def before(cls, port: int) -> Self:
        relay = cls(port)
        relay._server = await asyncio.start_server(relay._serve, "127.0.0.1", 0)
        return relay

    @property
    def url(self) -> str:
        assert self._server
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Go away: connections end, nobody listens."""
        if self._server is None:
            return
        self._server.close()
        for writer in self._writers:
            writer.close()
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._port)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.gather(
                self._pass(reader, to_writer, note=True), self._pass(to_reader, writer, note=False)
            )
        to_writer.close()
        writer.close()
        self._writers.discard(writer)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, note: bool
    ) -> None:
        while piece := await reader.read(65536):
            if note:
                self.bytes_before.append(piece)
                await asyncio.sleep(self.delay)
            writer.write(piece)
            await writer.drain()
        writer.close()


@dataclass(frozen=True)
class Stack:
    """This service, the others, and the relays between them."""

    client: TestClient
    others: dict[str, TestClient]
    relays: dict[str, Relay]


class Api:
    """Makes what is compared, and compares it."""

    def __init__(self, stack: Stack, project_id: UUID) -> None:
        self.stack = stack
        self.project_id = project_id

    async def experiment(self, name: str = "", *, project: UUID | None = None) -> str:
        path = f"/api/v1/projects/{project or self.project_id}/experiments"
        body = {"name": name or f"E {uuid4().hex[:6]}"}
        return (await self.make("experiment", path, body))["id"]

    async def run(self, experiment_id: str, who_: str = "editor", **fields: Any) -> str:
        path = f"/api/v1/experiments/{experiment_id}/runs"
        return (await self.make("experiment", path, fields, who_))["id"]

    async def log(self, run_id: str, _who: str = "editor", **metrics: list) -> None:
        """Values by metric, at the steps 0, 1, 2, … or as (step, value)."""
        series = []
        for key, values in metrics.items():
            pairs = [v if isinstance(v, tuple) else (n, v) for n, v in enumerate(values)]
            step, value = map(list, zip(*pairs, strict=True))
            series.append({"key": key, "step": step, "value": value})
        await self.make("metrics", f"/api/v1/runs/{run_id}/metrics", {"series": series}, _who)

    async def sensor(self, name: str, *signals: str) -> dict[str, Any]:
        path = f"/api/v1/projects/{self.project_id}/sensors"
        body = {"name": name, "signals": [{"name": signal} for signal in signals]}
        return await self.make("experiment", path, body)

    async def record(self, run_id: str, sensor: dict[str, Any], **signals: list) -> str:
        """A capture session that has these readings, a microsecond apart from its start on."""
        path = f"/api/v1/runs/{run_id}/capture-sessions"
        session = await self.make("experiment", path, {"sensor_ids": [sensor["id"]]})
        start = datetime.fromisoformat(session["started_at"])
        first = round(start.timestamp() * 1e6) + 10
        longest = max(map(len, signals.values()))
        series = [
            {"signal": name, "t": [first + n for n in range(len(values))], "v": values}
            for name, values in signals.items()
        ]
        await asyncio.sleep(longest / 1e6)
        response = await self.stack.others["telemetry"].post(
            "/api/v1/telemetry",
            json={"series": series},
            headers={"Authorization": f"Bearer {sensor['token']}"},
        )
        assert response.status < 300, await response.text()
        await self.make("experiment", f"/api/v1/capture-sessions/{session['id']}/stop", {})
        return session["id"]

    async def file(self, run_id: str, path: str, content: bytes) -> None:
        response = await self.stack.others["artifact"].put(
            f"/api/v1/runs/{run_id}/artifacts/{path}", data=content, headers=who("editor")
        )
        assert response.status < 300, await response.text()

    async def make(
        self, service: str, path: str, body: Any, name: str = "editor"
    ) -> dict[str, Any]:
        response = await self.stack.others[service].post(path, json=body, headers=who(name))
        assert response.status < 300, await response.text()
        return await response.json()

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        as_: str = "viewer",
        status: int = 200,
        **headers: str,
    ) -> Any:
        """Ask this service; answers what it said, which must have that status."""
        response = await self.stack.client.request(
            method, path, json=body, headers=who(as_) | headers
        )
        text = await response.text()
        assert response.status == status, f"{response.status}: {text}"
        return await response.json() if text and "json" in response.content_type else text

    async def compare(self, what: str, as_: str = "viewer", status: int = 200, **body: Any) -> Any:
        return await self.ask("POST", f"/api/v1/comparisons/{what}", body, as_=as_, status=status)


def row(rows: list[dict[str, Any]], key: str) -> dict[str, Any]:
    return next(one for one in rows if one.get("key", one.get("path")) == key)

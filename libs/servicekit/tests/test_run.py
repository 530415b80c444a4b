"""A service as a process: it starts, waits for its database, drains, and bears slow clients."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web

PROGRAM = str(Path(__file__).parent / "serve_notes.py")


class Running:
    """A started process and the lines it wrote."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, object]] = []
        self.url = ""

    async def until(self, event: str, seconds: float = 20) -> dict[str, object]:
        assert self.process.stdout
        async with asyncio.timeout(seconds):
            while True:
                line = await self.process.stdout.readline()
                assert line, f"ended before {event}: {self.lines}"
                self.lines.append(json.loads(line))
                if self.lines[-1]["event"] == event:
                    return self.lines[-1]


@asynccontextmanager
async def started(database_url: str, *arguments: str, **variables: str) -> AsyncIterator[Running]:
    environment = {
        "PATH": os.environ["PATH"],
        "PORT": "0",
        "RUNBENCH_ENV": "dev",
        "DATABASE_URL": database_url,
    } | variables
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        PROGRAM,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
        limit=1 << 20,
    )
    running = Running(process)
    try:
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
async def service(empty_database_url: str) -> AsyncIterator[Running]:
    async with started(empty_database_url) as running:
        line = await running.until("service.listening")
        running.url = f"http://127.0.0.1:{line['port']}"
        yield running


async def test_it_migrates_and_then_listens(service: Running) -> None:
    assert any(line["event"] == "migrations.applied" for line in service.lines)
    async with aiohttp.ClientSession() as session, session.get(f"{service.url}/ready") as ready:
        assert ready.status == 200
        assert await ready.json() == {"status": "ready", "dependencies": {"postgresql": "ok"}}


async def test_a_database_that_hangs_is_told_of_before_whoever_asks_gives_up(
    empty_database_url: str,
) -> None:
    database = urlsplit(empty_database_url)
    flows = asyncio.Event()
    flows.set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1 << 16):
            await flows.wait()
            writer.write(piece)
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection(database.hostname, database.port)
        await asyncio.gather(pump(reader, behind[1]), pump(behind[0], writer))

    between = await asyncio.start_server(connect, "127.0.0.1", 0)
    port = between.sockets[0].getsockname()[1]
    url = empty_database_url.replace(f"{database.hostname}:{database.port}", f"127.0.0.1:{port}")
    async with started(url) as running, aiohttp.ClientSession() as session:
        line = await running.until("service.listening")
        ready = f"http://127.0.0.1:{line['port']}/ready"
        flows.clear()
        for _ in range(2):
            began = time.monotonic()
            async with session.get(ready) as response:
                assert response.status == 503
                assert (await response.json())["dependencies"] == {"postgresql": "unreachable"}
            assert time.monotonic() - began < 5
        flows.set()
        async with asyncio.timeout(20):
            while True:
                async with session.get(ready) as response:
                    if response.status == 200:
                        break
                await asyncio.sleep(0.1)
    between.close()


async def test_a_stop_lets_requests_finish_and_says_not_ready_first(
    empty_database_url: str,
) -> None:
    async with (
        started(empty_database_url, DRAIN_SEC="1") as running,
        aiohttp.ClientSession() as session,
    ):
        line = await running.until("service.listening")
        url = f"http://127.0.0.1:{line['port']}"

        async def slow() -> int:
            async with session.post(f"{url}/api/v1/slow", json={"a": 1}) as response:
                return response.status

        requests = [asyncio.create_task(slow()) for _ in range(10)]
        await asyncio.sleep(0.1)
        running.process.send_signal(signal.SIGTERM)
        await running.until("service.stopping")
        async with session.get(f"{url}/ready") as ready:
            assert ready.status == 503
            assert (await ready.json())["status"] == "draining"
        async with session.get(f"{url}/health") as health:
            assert health.status == 503

        assert await asyncio.gather(*requests) == [200] * 10
        assert await asyncio.wait_for(running.process.wait(), 20) == 0


async def test_whoever_still_gets_a_connection_gets_an_answer(empty_database_url: str) -> None:
    async with started(empty_database_url, DRAIN_SEC="1") as running:
        line = await running.until("service.listening")
        url = f"http://127.0.0.1:{line['port']}"
        answers = 0

        async def come_again() -> None:
            """A new connection for each request, until there is no more door."""
            nonlocal answers
            no_reuse = aiohttp.TCPConnector(force_close=True)
            async with aiohttp.ClientSession(connector=no_reuse) as session:
                while True:
                    try:
                        async with session.post(f"{url}/api/v1/slow", json={"a": 1}) as response:
                            assert response.status == 200
                            answers += 1
                    except aiohttp.ClientConnectorError:
                        return

        visitors = [asyncio.create_task(come_again()) for _ in range(20)]
        await asyncio.sleep(0.5)
        running.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(asyncio.gather(*visitors), 30)
        assert answers > 20
        assert await asyncio.wait_for(running.process.wait(), 20) == 0


async def test_a_collector_that_never_answers_holds_up_neither_requests_nor_the_end(
    empty_database_url: str,
) -> None:
    deaf = socket.create_server(("127.0.0.1", 0))
    endpoint = f"http://127.0.0.1:{deaf.getsockname()[1]}"
    async with (
        started(empty_database_url, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint) as running,
        aiohttp.ClientSession() as session,
    ):
        line = await running.until("service.listening")
        # More than one batch of spans (512), so that one is under way and others wait.
        for _ in range(600):
            began = time.monotonic()
            async with session.get(f"http://127.0.0.1:{line['port']}/nothing") as response:
                assert response.status == 404
            assert time.monotonic() - began < 2
        running.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.process.wait(), 8) == 0
    deaf.close()


async def test_migrate_alone_ends_by_itself(empty_database_url: str) -> None:
    async with started(empty_database_url, "migrate") as running:
        await running.until("migrations.applied")
        assert await asyncio.wait_for(running.process.wait(), 20) == 0


async def test_a_taken_port_is_named(service: Running, empty_database_url: str) -> None:
    port = service.url.rpartition(":")[2]
    async with started(empty_database_url, PORT=port) as second:
        line = await second.until("service.port_taken")
        assert str(line["port"]) == port
        assert await asyncio.wait_for(second.process.wait(), 20) == 1


async def test_stalled_heads_and_bodies_are_closed_and_hold_nobody_up(service: Running) -> None:
    host, port = "127.0.0.1", int(service.url.rpartition(":")[2])
    began = time.monotonic()
    head = b"POST /api/v1/slow HTTP/1.1\r\nHost: x\r\n"
    stalled: list[socket.socket] = []
    for number in range(200):
        connection = socket.create_connection((host, port))
        more = b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        connection.sendall(head + (more if number % 2 else b""))
        connection.settimeout(0)
        stalled.append(connection)
    async with aiohttp.ClientSession() as session, session.get(f"{service.url}/health") as health:
        assert health.status == 200

    loop = asyncio.get_running_loop()

    async def closed(connection: socket.socket) -> None:
        while await loop.sock_recv(connection, 4096):
            pass

    async with asyncio.timeout(45):
        await asyncio.gather(*(closed(connection) for connection in stalled))
    for connection in stalled:
        connection.close()
    assert time.monotonic() - began < 45


async def test_spans_of_requests_and_of_no_probes_go_to_the_endpoint_that_is_set(
    empty_database_url: str, aiohttp_server: Any
) -> None:
    received: list[bytes] = []
    arrived = asyncio.Event()

    async def collect(request: web.Request) -> web.Response:
        received.append(await request.read())
        if b"GET /api/v1/crash" in received[-1]:
            arrived.set()
        return web.Response()

    collector = web.Application()
    collector.router.add_post("/v1/traces", collect)
    server = await aiohttp_server(collector)
    endpoint = str(server.make_url("/"))
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    async with started(
        empty_database_url, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_BSP_SCHEDULE_DELAY="200"
    ) as running:
        line = await running.until("service.listening")
        url = f"http://127.0.0.1:{line['port']}"
        headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
        async with aiohttp.ClientSession(headers=headers) as session:
            notes = f"/api/v1/projects/{uuid4()}/notes?token=hush"
            for path in ("/ready", notes, "/api/v1/crash"):
                async with session.get(url + path) as response:
                    answered = response.headers
            assert answered["traceresponse"].split("-")[1] == trace
        async with asyncio.timeout(20):
            await arrived.wait()

    spans = b"".join(received)
    assert bytes.fromhex(trace) in spans, "the caller's trace goes on"
    assert b"/ready" not in spans, "nobody looks for probes"
    assert b"SELECT" not in spans, "nor for statements of none's request"
    assert b"hush" not in spans, "what was asked for may be a secret"


async def test_without_an_endpoint_nothing_of_opentelemetry_is_loaded() -> None:
    code = "import sys, servicekit.run; print(*[m for m in sys.modules if 'opentelemetry' in m])"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert output.strip() == b""


async def test_a_collector_that_is_away_is_nobodys_trouble(empty_database_url: str) -> None:
    nowhere = "http://127.0.0.1:9"
    async with started(
        empty_database_url, OTEL_EXPORTER_OTLP_ENDPOINT=nowhere, OTEL_BSP_SCHEDULE_DELAY="100"
    ) as running:
        line = await running.until("service.listening")
        url = f"http://127.0.0.1:{line['port']}"
        async with aiohttp.ClientSession() as session:
            for _ in range(20):
                async with session.get(f"{url}/ready") as response:
                    assert response.status == 200


async def test_what_the_environment_leaves_out_comes_from_files(
    database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "database_url").write_text(f"{database_url}\n")
    (tmp_path / "log_level").write_text("nonsense, if it were read")
    async with started("", RUNBENCH_SECRETS_DIR=str(tmp_path), LOG_LEVEL="info") as running:
        await running.until("service.listening")

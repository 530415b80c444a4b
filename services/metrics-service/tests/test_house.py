"""What keeps the house in order: settings, contract, tables, starting, dying."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiohttp import ClientError, ClientSession, ClientTimeout
from aiohttp.test_utils import TestClient
from metrics_api import points
from metrics_service.__main__ import SERVICE
from metrics_service.settings import Settings
from openapi_spec_validator import validate
from seriesstore.read import read_points
from seriesstore.summary import list_summaries
from servicekit.database import Connection
from servicekit.migrations import migrate
from servicekit.run import contract
from servicekit.testing.environment import differences
from servicekit.testing.schema import schema_text

HERE = Path(__file__).parent.parent
EXPERIMENTS = HERE.parent / "experiment-service" / "migrations"


def test_every_setting_stands_in_the_example_environment() -> None:
    assert differences(Settings, HERE / ".env.example") == set()


def test_the_contract_is_valid() -> None:
    validate(json.loads(contract(SERVICE)))


async def test_every_route_refuses_an_anonymous_caller(client: TestClient) -> None:
    document = json.loads(contract(SERVICE))
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["x-policy"] != "public"
            address = re.sub(r"{\w+}", str(uuid4()), path)
            for headers in ({}, {"X-Debug-User": "root", "X-Debug-Role": "owner"}):
                response = await client.request(method, address, headers=headers)
                assert response.status == 401, (method, path)


def test_every_table_says_what_one_row_is() -> None:
    for migration in SERVICE.migrations.glob("*.sql"):
        text = migration.read_text()
        for found in re.finditer(r"^CREATE TABLE", text, re.MULTILINE):
            comment = text[: found.start()].rstrip().rpartition("\n\n")[2]
            assert comment.startswith("-- One row is"), found


def test_the_schema_for_readers_is_what_the_migrations_make(cluster: Any, template: str) -> None:
    assert schema_text(f"{cluster.address}/{template}", SERVICE.schema) == (
        (HERE / "schema.sql").read_text()
    ), "regenerate it: python -m servicekit.testing.schema services/metrics-service metrics"


async def test_the_view_that_these_tests_stand_on_is_the_one_that_is_published(
    empty_database_url: str, connection: Connection
) -> None:
    await migrate(empty_database_url, EXPERIMENTS, schema="experiment")
    published = await asyncpg.connect(empty_database_url)
    columns = """
        SELECT column_name, data_type FROM information_schema.columns
        WHERE table_schema = 'experiment' AND table_name = 'run_projects' ORDER BY 1
    """
    assert await published.fetch(columns) == await connection.fetch(columns)
    await published.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Process:
    """The service as its own process, let in by the debug headers."""

    def __init__(self, database_url: str) -> None:
        self.port = free_port()
        self._environment = {
            **{name: value for name, value in os.environ.items() if name != "AUTH_SERVICE_URL"},
            "RUNBENCH_ENV": "dev",
            "PORT": str(self.port),
            "DATABASE_URL": database_url,
            "LOG_LEVEL": "warning",
        }
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Process":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop(signal.SIGKILL)

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "metrics_service", env=self._environment, cwd=HERE
        )

    async def stop(self, number: signal.Signals) -> int:
        assert self._process
        if self._process.returncode is None:
            self._process.send_signal(number)
        async with asyncio.timeout(30):
            return await self._process.wait()

    def client(self) -> ClientSession:
        return ClientSession(
            f"http://127.0.0.1:{self.port}",
            headers={"X-Debug-User": "tester", "X-Debug-Role": "editor"},
            timeout=ClientTimeout(total=10),
        )

    async def ready(self) -> dict[str, Any]:
        async with self.client() as http:
            for _ in range(900):
                try:
                    async with http.get("/ready") as response:
                        return await response.json()
                except (ClientError, TimeoutError):
                    await asyncio.sleep(0.1)
        raise TimeoutError


async def test_no_acknowledged_point_is_lost_or_doubled_however_often_it_is_killed(
    database_url: str, run_id: UUID, connection: Connection
) -> None:
    acknowledged: set[int] = set()

    async def write(http: ClientSession, writer: int) -> None:
        for number in range(25):
            step = writer * 1000 + number
            body = {"batch_id": str(uuid4()), "series": [points(step=[step], value=[step])]}
            for _ in range(900):
                try:
                    async with http.post(f"/api/v1/runs/{run_id}/metrics", json=body) as response:
                        if response.status == 200:
                            acknowledged.add(step)
                            break
                        assert response.status == 503, await response.text()
                except (ClientError, TimeoutError):
                    pass
                await asyncio.sleep(0.1)

    async with Process(database_url) as process, process.client() as http:
        await process.ready()
        async with asyncio.TaskGroup() as writers:
            for writer in range(8):
                writers.create_task(write(http, writer))
            for _ in range(2):
                await asyncio.sleep(0.6)
                await process.stop(signal.SIGKILL)
                await process.start()
                await process.ready()

    assert len(acknowledged) == 8 * 25
    await connection.execute("SET search_path TO metrics")
    (series,) = await list_summaries(connection, run_id)
    stored = (await read_points(connection, series.id)).x.tolist()
    assert sorted(stored) == sorted(acknowledged)
    assert series.count == 200


async def test_it_waits_for_the_runs_of_experiment_service_and_says_so(
    empty_database_url: str,
) -> None:
    async with Process(empty_database_url) as process, process.client() as http:
        state = await process.ready()
        assert state["dependencies"] == {"postgresql": "ok", "experiment-service": "unreachable"}
        async with http.get(f"/api/v1/runs/{uuid4()}/metrics") as response:
            assert response.status == 503
            assert response.headers["Retry-After"]
        async with http.get(f"/api/v1/metrics/series?run_id={uuid4()}&key=a") as response:
            assert response.status == 503

        await migrate(empty_database_url, EXPERIMENTS, schema="experiment")
        assert (await process.ready())["status"] == "ready"
        async with http.get(f"/api/v1/runs/{uuid4()}/metrics") as response:
            assert response.status == 404
        assert await process.stop(signal.SIGTERM) == 0


async def test_a_stop_ends_open_streams_and_is_quick(database_url: str, run_id: UUID) -> None:
    async with Process(database_url) as process, process.client() as http:
        await process.ready()
        async with http.get(f"/api/v1/runs/{run_id}/metrics/stream") as response:
            await response.content.readline()
            async with asyncio.timeout(10):
                assert await process.stop(signal.SIGTERM) == 0

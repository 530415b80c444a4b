"""What keeps the house in order: settings, contract, tables, starting, stopping."""

import asyncio
import json
import re
import signal
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiohttp.test_utils import TestClient
from artifact_service.__main__ import SERVICE
from artifact_service.settings import Settings
from openapi_spec_validator import validate
from processes import Process
from pydantic import ValidationError
from servicekit.database import Connection
from servicekit.migrations import migrate
from servicekit.run import contract
from servicekit.testing.environment import differences
from servicekit.testing.schema import schema_text

HERE = Path(__file__).parent.parent
EXPERIMENTS = HERE.parent / "experiment-service" / "migrations"


def test_every_setting_stands_in_the_example_environment() -> None:
    assert differences(Settings, HERE / ".env.example") == set()


@pytest.mark.parametrize("address", ["ftp://host/x", "s3://", "http://host/bucket", "memory:///"])
def test_an_address_that_is_no_store_is_refused_at_the_start(address: str) -> None:
    with pytest.raises(ValidationError, match="artifact_store_url"):
        Settings(database_url="postgresql://a/b", artifact_store_url=address)


def test_the_contract_is_valid() -> None:
    validate(json.loads(contract(SERVICE)))


async def test_every_route_refuses_an_anonymous_caller(client: TestClient) -> None:
    document = json.loads(contract(SERVICE))
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["x-policy"] != "public"
            address = re.sub(r"{\w+}", str(uuid4()), path.replace("{number}", "1"))
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
    ), "regenerate it: python -m servicekit.testing.schema services/artifact-service artifact"


async def test_the_views_that_these_tests_stand_on_are_those_that_are_published(
    empty_database_url: str, connection: Connection
) -> None:
    await migrate(empty_database_url, EXPERIMENTS, schema="experiment")
    published = await asyncpg.connect(empty_database_url)
    columns = """
        SELECT table_name, column_name, data_type FROM information_schema.columns
        WHERE table_schema = 'experiment'
          AND table_name IN ('run_projects', 'logged_model_projects')
        ORDER BY 1, 2
    """
    assert await published.fetch(columns) == await connection.fetch(columns)
    await published.close()


async def test_it_waits_for_the_runs_of_experiment_service_and_says_so(
    empty_database_url: str, store_url: str
) -> None:
    async with Process(empty_database_url, store_url) as process, process.client() as http:
        state = await process.ready()
        assert state["dependencies"] == {
            "postgresql": "ok",
            "experiment-service": "unreachable",
            "object-store": "ok",
        }
        async with http.get(f"/api/v1/runs/{uuid4()}/artifacts") as response:
            assert response.status == 503
            assert response.headers["Retry-After"]

        await migrate(empty_database_url, EXPERIMENTS, schema="experiment")
        assert (await process.ready())["status"] == "ready"
        async with http.get(f"/api/v1/runs/{uuid4()}/artifacts") as response:
            assert response.status == 404
        async with asyncio.timeout(10):
            assert await process.stop(signal.SIGTERM) == 0

"""What keeps the house in order: settings, contract, tables."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp.test_utils import TestClient
from openapi_spec_validator import validate
from servicekit.run import contract
from servicekit.testing.environment import differences
from servicekit.testing.schema import schema_text
from telemetry_ingest_service.__main__ import SERVICE
from telemetry_ingest_service.settings import Settings

HERE = Path(__file__).parent.parent


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
    again = "python -m servicekit.testing.schema services/telemetry-ingest-service telemetry"
    made = schema_text(f"{cluster.address}/{template}", SERVICE.schema)
    assert made == (HERE / "schema.sql").read_text(), f"regenerate it: {again}"

"""What keeps the house in order: settings, contract, tables."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

from comparison_api import Stack
from comparison_service.__main__ import SERVICE
from comparison_service.settings import Settings
from openapi_spec_validator import validate
from servicekit.run import contract
from servicekit.testing.environment import differences
from servicekit.testing.schema import schema_text

HERE = Path(__file__).parent.parent


def test_every_setting_stands_in_the_example_environment() -> None:
    assert differences(Settings, HERE / ".env.example") == set()


def test_the_contract_is_valid() -> None:
    validate(json.loads(contract(SERVICE)))


async def test_every_route_refuses_an_anonymous_caller(stack: Stack) -> None:
    document = json.loads(contract(SERVICE))
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["x-policy"] != "public"
            address = re.sub(r"{\w+}", str(uuid4()), path)
            for headers in ({}, {"X-Debug-User": "root", "X-Debug-Role": "owner"}):
                response = await stack.client.request(method, address, headers=headers)
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
    ), "regenerate it: python -m servicekit.testing.schema services/comparison-service comparison"


async def test_it_is_ready_when_experiments_are_published(stack: Stack) -> None:
    state = await (await stack.client.get("/ready")).json()
    assert state["dependencies"] == {"postgresql": "ok", "experiment-service": "ok"}

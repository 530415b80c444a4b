"""What keeps the house in order: settings, contract, tables."""

import asyncio
import json
import re
from pathlib import Path

import asyncpg
from experiment_service.__main__ import SERVICE
from experiment_service.settings import Settings
from openapi_spec_validator import validate
from servicekit.migrations import KIT_MIGRATIONS, migrate, read_migrations
from servicekit.run import contract
from servicekit.testing.environment import differences
from servicekit.testing.schema import schema_text

HERE = Path(__file__).parent.parent


def test_every_setting_stands_in_the_example_environment() -> None:
    assert differences(Settings, HERE / ".env.example") == set()


def test_the_contract_is_valid_and_names_every_refusal() -> None:
    document = json.loads(contract(SERVICE))

    validate(document)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            refusals = {"401"} if operation["x-policy"] == "signed_in" else {"401", "403", "404"}
            assert refusals <= operation["responses"].keys(), (method, path)


async def test_six_starters_at_once_migrate_once(empty_database_url) -> None:
    applied = await asyncio.gather(
        *(migrate(empty_database_url, SERVICE.migrations, schema=SERVICE.schema) for _ in range(6))
    )

    wanted = read_migrations(KIT_MIGRATIONS, SERVICE.migrations)
    assert sorted(map(len, applied)) == [0] * 5 + [len(wanted)]


def test_every_table_says_what_one_row_is() -> None:
    for migration in SERVICE.migrations.glob("*.sql"):
        text = migration.read_text()
        for found in re.finditer(r"^CREATE TABLE", text, re.MULTILINE):
            comment = text[: found.start()].rstrip().rpartition("\n\n")[2]
            assert comment.startswith("-- One row is"), found


def test_the_schema_for_readers_is_what_the_migrations_make(cluster, template) -> None:
    assert schema_text(f"{cluster.address}/{template}", SERVICE.schema) == (
        (HERE / "schema.sql").read_text()
    ), "regenerate it: python -m servicekit.testing.schema services/experiment-service experiment"


async def test_names_are_searched_wherever_the_extension_is(empty_database_url) -> None:
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute("CREATE SCHEMA elsewhere; CREATE EXTENSION pg_trgm SCHEMA elsewhere")
    await migrate(empty_database_url, SERVICE.migrations, schema=SERVICE.schema)

    definition = await connection.fetchval(
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'runs_by_part_of_name'"
    )
    await connection.close()
    assert "elsewhere.gin_trgm_ops" in definition

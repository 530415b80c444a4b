"""The scripts for Citus fit the schema that the services have: tables, columns, keys, references.

Citus itself is not run here. Its rules are: a unique key of a distributed table holds the column
by which it is distributed; a distributed table refers to another by that column on both sides, with
both on the same worker, or to a reference table; nothing else refers to a distributed table.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import numpy as np
import pytest
from localpostgres import Cluster, throwaway_cluster
from seriesstore.append import Batch, append
from seriesstore.compact import compact
from seriesstore.points import Points
from seriesstore.read import read_points
from seriesstore.summary import find_summaries
from servicekit.migrations import migrate

from scripts.environment import ROOT

SCRIPTS = ROOT / "deploy" / "citus"
STAND_IN = ROOT / "tests" / "support" / "citus.sql"
SCHEMAS = {
    "experiment": "experiment-service",
    "telemetry": "telemetry-ingest-service",
    "metrics": "metrics-service",
}
NEEDS = re.compile(r"^-- needs: (\w+): \S", re.MULTILINE)


@dataclass(frozen=True)
class Asked:
    """One table that a script distributes, or with no column copies to every worker."""

    place: int
    column: str | None
    together: str | None


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with throwaway_cluster() as server:
        yield server


@pytest.fixture
async def connection(cluster: Cluster) -> Any:
    """A database with the real schema, and what the scripts ask of Citus."""
    name = f"citus_{uuid4().hex}"
    with cluster.connect() as server:
        server.execute(f"CREATE DATABASE {name}".encode())
    address = f"{cluster.address}/{name}"
    for schema, service in SCHEMAS.items():
        await migrate(address, ROOT / "services" / service / "migrations", schema=schema)
    connection = await asyncpg.connect(address)
    await connection.execute(STAND_IN.read_text())
    yield connection
    await connection.close()


async def run(connection: Any, script: str) -> dict[str, Asked]:
    """What the script asks for, by table; run twice, as after an upgrade."""
    text = (SCRIPTS / script).read_text()
    await connection.execute(text)
    before = await asked(connection)
    await connection.execute(text)
    assert await asked(connection) == before
    return before


async def asked(connection: Any) -> dict[str, Asked]:
    rows = await connection.fetch(
        "SELECT place, table_name::text, by_column, colocate_with::text FROM citus_asked"
    )
    return {
        row["table_name"]: Asked(row["place"], row["by_column"], row["colocate_with"])
        for row in rows
    }


async def missing_columns(connection: Any) -> list[str]:
    return await connection.fetch("""
        SELECT table_name::text, by_column FROM citus_asked c
        WHERE by_column IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_attribute
            WHERE attrelid = table_name AND attname = by_column AND NOT attisdropped AND attnotnull
        )""")


async def keys_without_it(connection: Any) -> set[str]:
    """The unique keys that do not hold the column by which their table is distributed."""
    rows = await connection.fetch("""
        SELECT indexrelid::regclass::text AS name
        FROM citus_asked JOIN pg_index ON indrelid = table_name AND indisunique
        WHERE by_column IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_attribute
            WHERE attrelid = table_name AND attname = by_column AND attnum = ANY (indkey)
        )""")
    return {row["name"].rpartition(".")[2] for row in rows}


async def references(connection: Any) -> list[Any]:
    """Every foreign key, with the pairs of columns."""
    return await connection.fetch("""
        SELECT conname AS name, conrelid::regclass::text AS child,
               confrelid::regclass::text AS parent,
               ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k (n, o)
                     JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY o) AS ours,
               ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k (n, o)
                     JOIN pg_attribute ON attrelid = confrelid AND attnum = n ORDER BY o) AS theirs
        FROM pg_constraint WHERE contype = 'f'""")


def refused(reference: Any, tables: dict[str, Asked]) -> bool:
    """Whether Citus would not take a foreign key."""
    child, parent = tables.get(reference["child"]), tables.get(reference["parent"])
    if parent is None:
        return child is not None
    if parent.column is None:
        # A table that is on the coordinator alone may refer to a reference table.
        return False
    if child is None or child.column is None:
        return True
    pairs = zip(reference["ours"], reference["theirs"], strict=True)
    return child.together != parent.together or (child.column, parent.column) not in pairs


async def check(connection: Any, script: str) -> dict[str, Asked]:
    tables = await run(connection, script)
    assert not await missing_columns(connection)
    found = await keys_without_it(connection)
    for reference in await references(connection):
        if refused(reference, tables):
            found.add(reference["name"])
        elif reference["child"] != reference["parent"] and reference["child"] in tables:
            parent, child = tables[reference["parent"]], tables[reference["child"]]
            assert parent.place < child.place, f"{reference['parent']} has to come first"
    named = set(NEEDS.findall((SCRIPTS / script).read_text()))
    assert named == found, f"{script} has to say what becomes of each, and of nothing else"
    return tables


async def test_the_series_are_spread_by_their_owner_with_nothing_left_to_change(
    connection,
) -> None:
    tables = await check(connection, "series.sql")
    assert not NEEDS.findall((SCRIPTS / "series.sql").read_text())
    types = await connection.fetch("""
        SELECT DISTINCT atttypid FROM citus_asked
        JOIN pg_attribute ON attrelid = table_name AND attname = by_column""")
    assert len(types) == 1
    for schema in ("telemetry", "metrics"):
        stored = {f"{schema}.{name}" for name in ("owners", "batches", "series", "chunks")}
        assert stored <= set(tables)
        # What a transaction writes for an owner lies on one worker.
        assert {tables[name].together for name in stored} == {f"{schema}.owners"}


async def test_the_wider_keys_of_the_series_serve_one_server_as_well(connection) -> None:
    """So that they may be there before there is a second."""
    await run(connection, "series.sql")
    await connection.execute("SET search_path = metrics")
    owner = uuid4()
    for turn in range(3):
        points = Points.of(np.arange(turn * 1000, turn * 1000 + 1000), np.arange(1000.0))
        async with connection.transaction():
            (receipt,) = await append(connection, [Batch(owner, {"loss": points}, id=uuid4())])
        assert receipt.new
    (series,) = await find_summaries(connection, [owner], ["loss"])
    assert (await compact(connection, idle_sec=-1)).chunks_before == 3
    assert len(await read_points(connection, series.id)) == 3000


async def test_what_projects_need_before_they_can_be_spread_is_named(connection) -> None:
    text = (SCRIPTS / "projects.sql").read_text()
    with pytest.raises(asyncpg.RaiseError, match="do not hold the project yet"):
        await connection.execute(text)
    await connection.execute("SET runbench.keys_hold_the_project = 'yes'")
    tables = await check(connection, "projects.sql")
    existing = {
        row["name"]
        for row in await connection.fetch(
            "SELECT conname::text AS name FROM pg_constraint"
            " UNION SELECT relname::text FROM pg_class WHERE relkind = 'i'"
        )
    }
    assert set(NEEDS.findall(text)) <= existing
    for name in re.findall(r"in ((?:queries|mlflow)/\w+\.py)", text):
        source = ROOT / "services/experiment-service/src/experiment_service" / Path(name)
        assert "ON CONFLICT" in source.read_text(), name
    assert {asked.together for asked in tables.values() if asked.column} == {
        "experiment.experiments"
    }

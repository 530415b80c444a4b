"""Fixtures of every service's tests: one throw-away PostgreSQL a session, one database a test.

A service's conftest.py says which schemas its database has by overriding `schemas`.
"""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from localpostgres import Cluster, throwaway_cluster

from servicekit.database import Connection
from servicekit.migrations import migrate

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of this session's own."""
    with throwaway_cluster() as server:
        yield server


@pytest.fixture(scope="session")
def schemas() -> dict[str, Path]:
    """Schema → folder of its migrations, for the databases of this session."""
    return {}


@pytest.fixture(scope="session")
async def template(cluster: Cluster, schemas: dict[str, Path]) -> str:
    """Name of a migrated database that tests copy; copying is far cheaper than migrating."""
    name = f"template_{next(_numbers)}"
    with cluster.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    for schema, folder in schemas.items():
        await migrate(f"{cluster.address}/{name}", folder, schema=schema)
    return name


@pytest.fixture
def database_url(cluster: Cluster, template: str) -> str:
    """Address of a fresh migrated database; it goes with the cluster."""
    name = f"test_{next(_numbers)}"
    with cluster.connect() as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy".encode()
        )
    return f"{cluster.address}/{name}"


@pytest.fixture
def empty_database_url(cluster: Cluster) -> str:
    """Address of a database without any schema of ours."""
    name = f"empty_{next(_numbers)}"
    with cluster.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{cluster.address}/{name}"


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    """A connection of the test's own, to look at what was stored."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()

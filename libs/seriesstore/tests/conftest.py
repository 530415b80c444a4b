"""A database with the tables of the series store in a schema of its own."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import seriesstore

MIGRATIONS = Path(seriesstore.__file__).parent / "sql"


@pytest.fixture(scope="session")
def schemas() -> dict[str, Path]:
    return {"series": MIGRATIONS}


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "series"})
    yield connection
    await connection.close()

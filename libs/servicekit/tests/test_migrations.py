"""Migrations: once each, in order, whoever starts first."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from servicekit.migrations import EditedMigration, NewerDatabase, migrate


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_things.sql").write_text("CREATE TABLE things (id int PRIMARY KEY);")
    (tmp_path / "0002_more.sql").write_text("INSERT INTO things SELECT generate_series(1, 1000);")
    return tmp_path


async def test_six_starters_apply_each_migration_once(
    empty_database_url: str, folder: Path
) -> None:
    applied = await asyncio.gather(
        *(migrate(empty_database_url, folder, schema="shop") for _ in range(6))
    )

    names = [
        "0000_servicekit.sql",
        "0000_servicekit_outbox.sql",
        "0001_things.sql",
        "0002_more.sql",
    ]
    assert sorted(applied, key=len) == [[], [], [], [], [], names]
    connection = await asyncpg.connect(empty_database_url)
    assert await connection.fetchval("SELECT count(*) FROM shop.things") == 1000
    await connection.close()


async def test_a_later_file_is_added_to_what_is_there(
    empty_database_url: str, folder: Path
) -> None:
    await migrate(empty_database_url, folder, schema="shop")
    (folder / "0003_last.sql").write_text("ALTER TABLE things ADD COLUMN name text;")

    assert await migrate(empty_database_url, folder, schema="shop") == ["0003_last.sql"]


async def test_an_edited_file_stops_the_start(empty_database_url: str, folder: Path) -> None:
    await migrate(empty_database_url, folder, schema="shop")
    (folder / "0001_things.sql").write_text("CREATE TABLE things (id bigint PRIMARY KEY);")

    with pytest.raises(EditedMigration, match="0001_things"):
        await migrate(empty_database_url, folder, schema="shop")


async def test_a_database_ahead_of_the_code_stops_the_start(
    empty_database_url: str, folder: Path
) -> None:
    await migrate(empty_database_url, folder, schema="shop")
    (folder / "0002_more.sql").unlink()

    with pytest.raises(NewerDatabase, match="0002_more"):
        await migrate(empty_database_url, folder, schema="shop")


async def test_a_failing_file_leaves_nothing_half_done(
    empty_database_url: str, folder: Path
) -> None:
    (folder / "0003_broken.sql").write_text("CREATE TABLE half (id int); SELECT 1 / 0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty_database_url, folder, schema="shop")

    connection = await asyncpg.connect(empty_database_url)
    assert await connection.fetchval("SELECT to_regclass('shop.half')") is None
    assert await connection.fetchval("SELECT count(*) FROM shop.schema_migrations") == 4
    await connection.close()


async def test_two_services_share_a_database_by_schema(
    empty_database_url: str, folder: Path
) -> None:
    first, second = await asyncio.gather(
        migrate(empty_database_url, folder, schema="shop"),
        migrate(empty_database_url, folder, schema="store"),
    )

    assert len(first) == len(second) == 4

"""Forward-only migrations: numbered SQL files, each applied once, in order.

The kit's own tables (`servicekit/sql`) come first in every schema.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from servicekit.database import Connection

KIT_MIGRATIONS = Path(__file__).parent / "sql"

_SCHEMA = re.compile(r"[a-z_]{1,40}")
_LEDGER = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        name text PRIMARY KEY,
        checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""


class EditedMigration(Exception):
    """A migration that was already applied has changed on disk; write a new one instead."""


class NewerDatabase(Exception):
    """The database has migrations that this version does not know; start the newer version."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its name orders it, its checksum proves that it is still the one applied."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations(*folders: Path) -> list[Migration]:
    """The SQL files of the folders, in the folders' order and then by name."""
    return [
        Migration(path.name, path.read_text())
        for folder in folders
        for path in sorted(folder.glob("*.sql"))
    ]


async def migrate(dsn: str, folder: Path, *, schema: str) -> list[str]:
    """Apply what is missing to `schema` and return the names; safe from many processes at once.

    Raises:
        EditedMigration: a file that was applied reads differently now.
        NewerDatabase: the database is ahead of these files.
    """
    if not _SCHEMA.fullmatch(schema):
        msg = f"{schema!r} is no schema name."
        raise ValueError(msg)
    connection = await asyncpg.connect(dsn)
    try:
        # Waiters stand here until the one who came first has finished.
        await connection.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", schema)
        # Whoever asks for a table after a migration that waits for it would wait as long.
        await connection.execute("SET lock_timeout = '10s'")
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        await connection.execute(f"SET search_path TO {schema}")
        await connection.execute(_LEDGER)
        return await _apply_missing(connection, read_migrations(KIT_MIGRATIONS, folder))
    finally:
        await connection.close()


async def _apply_missing(connection: Connection, migrations: list[Migration]) -> list[str]:
    rows = await connection.fetch("SELECT name, checksum FROM schema_migrations")
    applied: dict[str, str] = {row["name"]: row["checksum"] for row in rows}
    if unknown := applied.keys() - {migration.name for migration in migrations}:
        raise NewerDatabase(", ".join(sorted(unknown)))
    fresh: list[str] = []
    for migration in migrations:
        checksum = applied.get(migration.name)
        if checksum is None:
            await _apply(connection, migration)
            fresh.append(migration.name)
        elif checksum != migration.checksum:
            raise EditedMigration(migration.name)
    return fresh


async def _apply(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)",
            migration.name,
            migration.checksum,
        )

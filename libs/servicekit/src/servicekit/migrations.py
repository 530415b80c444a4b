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
_MAY_CHANGE = """
    SELECT coalesce(
        (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = $1), true
    )
"""
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


class NotMigrated(Exception):
    """The schema lacks migrations that this database user may not apply; migrate as its owner."""


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

    A schema with a procedure `grant_rights()` is asked for it whenever its owner comes by: what the
    running service may do follows from it. A user who may not change the schema applies nothing.

    Raises:
        EditedMigration: a file that was applied reads differently now.
        NewerDatabase: the database is ahead of these files.
        NotMigrated: something is missing, and the user may not add it.
    """
    if not _SCHEMA.fullmatch(schema):
        msg = f"{schema!r} is no schema name."
        raise ValueError(msg)
    migrations = read_migrations(KIT_MIGRATIONS, folder)
    connection = await asyncpg.connect(dsn)
    try:
        if not await connection.fetchval(_MAY_CHANGE, schema):
            await connection.execute(f"SET search_path TO {schema}")
            if missing := await _missing(connection, migrations):
                raise NotMigrated(", ".join(migration.name for migration in missing))
            return []
        # Waiters stand here until the one who came first has finished.
        await connection.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", schema)
        # Whoever asks for a table after a migration that waits for it would wait as long.
        await connection.execute("SET lock_timeout = '10s'")
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        await connection.execute(f"SET search_path TO {schema}")
        await connection.execute(_LEDGER)
        fresh = await _missing(connection, migrations)
        for migration in fresh:
            await _apply(connection, migration)
        if await connection.fetchval("SELECT to_regprocedure('grant_rights()')"):
            await connection.execute("CALL grant_rights()")
        return [migration.name for migration in fresh]
    finally:
        await connection.close()


async def _missing(connection: Connection, migrations: list[Migration]) -> list[Migration]:
    rows = await connection.fetch("SELECT name, checksum FROM schema_migrations")
    applied: dict[str, str] = {row["name"]: row["checksum"] for row in rows}
    if unknown := applied.keys() - {migration.name for migration in migrations}:
        raise NewerDatabase(", ".join(sorted(unknown)))
    for migration in migrations:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise EditedMigration(migration.name)
    return [migration for migration in migrations if migration.name not in applied]


async def _apply(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)",
            migration.name,
            migration.checksum,
        )

"""Everything that must not be lost, copied in use: both databases and the files of runs.

`python -m scripts.backup FOLDER [--keep N]` takes `AUTH_DATABASE_URL`, `EXPERIMENT_DATABASE_URL`
and `ARTIFACT_STORE_URL` from the environment, and what it does not find from the workspace.

A backup is a folder named by its time with two dumps and a list of objects. Contents stand beside
the backups, each once, because an object never changes: a further backup copies what is new. A
backup that was broken off has no name yet, and is no backup.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import obstore
import psycopg
from localpostgres.binaries import binaries
from obstore.store import LocalStore, ObjectStore, from_url
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from scripts.environment import Workspace

FORMAT = 1
BLOCK = 8 << 20
DATABASES = {"experiment": "EXPERIMENT_DATABASE_URL", "auth": "AUTH_DATABASE_URL"}
MANIFEST = "manifest.json"
OBJECTS = "objects"


class BackupFailed(SystemExit):
    """A backup cannot be made or restored; the message says what is in the way."""


@dataclass(frozen=True)
class Stored:
    """An object: its id, its size in bytes, and its SHA-256 in hex digits."""

    id: str
    size: int
    sha256: str

    @property
    def key(self) -> str:
        """Where it stands below the store's folder of objects, as artifact-service has it."""
        return f"{self.id[-2:]}/{self.id}"


def addresses() -> dict[str, str]:
    """The addresses of both databases and of the store."""
    workspace = Workspace.load()
    found = {name: os.environ.get(variable) for name, variable in DATABASES.items()}
    known = {name: value or workspace.database_url(f"{name}_db") for name, value in found.items()}
    return known | {"store": workspace.variables["ARTIFACT_STORE_URL"]}


def open_store(address: str) -> tuple[ObjectStore, str]:
    """The store at an address, and what its keys begin with."""
    if "://" not in address:
        folder = Path(address)
        folder.mkdir(parents=True, exist_ok=True)
        return LocalStore(folder), f"{OBJECTS}/"
    prefix = f"{OBJECTS}/" if address.startswith("file:") else ""
    return from_url(address), prefix


def tables(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """Schema and name of every table that holds data of ours."""
    return connection.execute(
        """
        SELECT schemaname, tablename FROM pg_tables
        WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2
        """
    ).fetchall()


def counts(connection: psycopg.Connection) -> dict[str, int]:
    """Rows of each table as the connection's transaction sees them."""
    found: dict[str, int] = {}
    for schema, name in tables(connection):
        row = connection.execute(
            sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name))
        ).fetchone()
        found[f"{schema}.{name}"] = row[0] if row else 0
    return found


@contextmanager
def snapshot(address: str) -> Generator[tuple[psycopg.Connection, str]]:
    """A transaction that sees one moment, and the name by which others see the same."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        yield connection, row[0] if row else ""


LIBPQ = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}


def call(name: str, address: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on a database, the password not among its arguments."""
    parts = conninfo_to_dict(address)
    told = {LIBPQ[key]: str(value) for key, value in parts.items() if key in LIBPQ and value}
    done = subprocess.run(
        [str(binaries() / name), *arguments],
        env=os.environ | told,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupFailed(f"{name}: {done.stderr.strip()}")


def dump(address: str, moment: str, target: Path) -> str:
    """Dump a database as it was at a snapshot; the SHA-256 of the file."""
    options = ("--format=custom", f"--snapshot={moment}", "--no-owner", "--no-privileges")
    call("pg_dump", address, *options, "--file", str(target))
    return digest(target)


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def listed(connection: psycopg.Connection) -> list[Stored]:
    """The objects that files name at the connection's moment."""
    rows = connection.execute(
        """
        SELECT id, size, encode(sha256, 'hex') FROM artifact.objects
        WHERE state = 'stored' ORDER BY id
        """
    )
    return [Stored(str(UUID(str(found))), size, sha256) for found, size, sha256 in rows]


def copy_object(store: ObjectStore, key: str, stored: Stored, target: Path) -> None:
    """Copy one object, in blocks; what differs from what the database says is refused."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.part")
    seen = hashlib.sha256()
    try:
        with draft.open("wb") as file:
            for block in obstore.get(store, key).stream(min_chunk_size=BLOCK):
                seen.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError as error:
        raise BackupFailed(f"the store has no object {stored.id}") from error
    if seen.hexdigest() != stored.sha256:
        draft.unlink()
        raise BackupFailed(f"object {stored.id} is not what the database says of it")
    draft.replace(target)


def back_up(folder: Path, where: dict[str, str]) -> Path:
    """Make a backup; its folder."""
    now = datetime.now(UTC)
    made = folder / now.strftime("%Y-%m-%dT%H-%M-%SZ")
    draft = folder / f".{made.name}.part"
    if made.exists():
        raise BackupFailed(f"{made} is there already")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    manifest: dict[str, object] = {"format": FORMAT, "made_at": now.isoformat()}
    objects: list[Stored] = []
    databases: dict[str, object] = {}
    # The projects and people that experiments name are in the later dump, whatever is added
    # between the two.
    for name in DATABASES:
        with snapshot(where[name]) as (connection, moment):
            if name == "experiment":
                objects = listed(connection)
            rows = counts(connection)
            sha256 = dump(where[name], moment, draft / f"{name}.dump")
        databases[name] = {"sha256": sha256, "rows": rows}
    store, prefix = open_store(where["store"])
    copied = 0
    for stored in objects:
        target = folder / OBJECTS / stored.key
        if not target.exists() or target.stat().st_size != stored.size:
            copy_object(store, prefix + stored.key, stored, target)
            copied += 1
    manifest |= {"databases": databases, "objects": [asdict(stored) for stored in objects]}
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=1))
    draft.rename(made)
    size = sum(stored.size for stored in objects)
    print(f"{made}: {len(objects)} objects of {size} bytes, {copied} of them new")
    return made


def forget(folder: Path, keep: int) -> None:
    """Remove all backups but the newest, and the objects that none of them names."""
    backups = sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
    for old in backups[:-keep]:
        shutil.rmtree(old)
        print(f"removed {old}")
    named = {
        str(Path(OBJECTS) / f"{each['id'][-2:]}" / each["id"])
        for path in backups[-keep:]
        for each in json.loads((path / MANIFEST).read_text())["objects"]
    }
    for file in folder.glob(f"{OBJECTS}/*/*"):
        if str(file.relative_to(folder)) not in named:
            file.unlink()


def main() -> None:
    """Back up, and forget what is too old."""
    parser = argparse.ArgumentParser(prog="nox -s backup --", description=__doc__)
    parser.add_argument("folder", type=Path, help="where backups are kept")
    parser.add_argument("--keep", type=int, help="how many of the newest stay; all if left out")
    given = parser.parse_args()
    if given.keep is not None and given.keep < 1:
        parser.error("--keep takes a number from 1")
    back_up(given.folder, addresses())
    if given.keep:
        forget(given.folder, given.keep)


if __name__ == "__main__":
    sys.exit(main())

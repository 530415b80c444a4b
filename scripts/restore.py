"""Bring back what `scripts.backup` kept, and check every bit of it.

`python -m scripts.restore FOLDER/2026-11-26T12-00-00Z [--replace]`; addresses as for the backup.
The services must not run. Databases that hold something are left alone unless `--replace` is given.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import obstore
import psycopg
from psycopg import sql

from scripts.backup import (
    BLOCK,
    FORMAT,
    MANIFEST,
    OBJECTS,
    BackupFailed,
    Stored,
    addresses,
    call,
    counts,
    digest,
    open_store,
    tables,
)


def check(backup: Path) -> dict[str, Any]:
    """The manifest of a backup whose every file is as it was written."""
    try:
        manifest = json.loads((backup / MANIFEST).read_text())
    except FileNotFoundError as error:
        raise BackupFailed(f"{backup} is no backup: it has no {MANIFEST}") from error
    if manifest["format"] != FORMAT:
        raise BackupFailed(f"{backup} has format {manifest['format']}, which this cannot read")
    for name, database in manifest["databases"].items():
        if digest(backup / f"{name}.dump") != database["sha256"]:
            raise BackupFailed(f"{name}.dump is damaged")
    for stored in objects(manifest):
        file = backup.parent / OBJECTS / stored.key
        if not file.exists() or digest(file) != stored.sha256:
            raise BackupFailed(f"object {stored.id} is damaged or gone")
    return manifest


def objects(manifest: dict[str, Any]) -> list[Stored]:
    """The objects that a manifest names."""
    return [Stored(**each) for each in manifest["objects"]]


def make_empty(address: str, *, replace: bool) -> None:
    """Make the database if it is not there; what it holds is removed only when that is asked."""
    where = urlsplit(address)
    name = where.path.removeprefix("/")
    server = urlunsplit(where._replace(path="/postgres"))
    with psycopg.connect(server, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        there = found.fetchone() is not None
    holds: list[tuple[str, str]] = []
    if there:
        with psycopg.connect(address) as connection:
            holds = tables(connection)
        if holds and not replace:
            raise BackupFailed(f"database {name} holds {len(holds)} tables; --replace drops them")
    with psycopg.connect(server, autocommit=True) as connection:
        if there and holds:
            connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
        if not there or holds:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def load(address: str, dump: Path) -> None:
    """Load a dump into an empty database, all of it or nothing."""
    options = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")
    call("pg_restore", address, *options, "--dbname", urlsplit(address).path[1:], str(dump))


def blocks(path: Path) -> Iterator[bytes]:
    """The blocks of a file."""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def restore(backup: Path, where: dict[str, str], *, replace: bool) -> None:
    """Bring a backup back. Nothing is touched before all of it was read and found whole."""
    manifest = check(backup)
    databases = manifest["databases"]
    store, prefix = open_store(where["store"])
    for stored in objects(manifest):
        source = backup.parent / OBJECTS / stored.key
        obstore.put(store, prefix + stored.key, blocks(source), chunk_size=BLOCK)
    for name, database in databases.items():
        make_empty(where[name], replace=replace)
        load(where[name], backup / f"{name}.dump")
        with psycopg.connect(where[name]) as connection:
            found = counts(connection)
            connection.execute("ANALYZE")
        if found != database["rows"]:
            raise BackupFailed(f"{name} has other rows than when it was dumped")
    print(f"{backup} is back: {len(objects(manifest))} objects, all rows of both databases")


def main() -> None:
    """Restore."""
    parser = argparse.ArgumentParser(prog="nox -s restore --", description=__doc__)
    parser.add_argument("backup", type=Path, help="a backup's folder")
    parser.add_argument("--replace", action="store_true", help="drop what the databases hold now")
    given = parser.parse_args()
    restore(given.backup, addresses(), replace=given.replace)


if __name__ == "__main__":
    sys.exit(main())

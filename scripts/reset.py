"""`nox -s reset`: delete the data of this workspace; the next start makes them afresh."""

import argparse
import shutil
import sys
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from scripts import control
from scripts.environment import DATABASES, Workspace
from scripts.summary import near

KEPT = ("logs",)


def drop_databases(address: str) -> None:
    """Drop our databases on an existing server."""
    with psycopg.connect(address, autocommit=True) as connection:
        for name in sorted({*DATABASES.values()}):
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )


def main(arguments: list[str]) -> int:
    """Ask, stop everything, and delete."""
    parser = argparse.ArgumentParser(prog="nox -s reset --", description=__doc__)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--all", action="store_true", help="the logs too")
    asked = parser.parse_args(arguments)
    workspace = Workspace.load()
    server = workspace.database_server
    where = urlsplit(server).hostname if server else near(workspace.home)
    if not asked.yes:
        if not sys.stdin.isatty():
            raise SystemExit("this deletes all data: say `nox -s reset -- --yes`")
        if input(f"Delete all data of Runbench in {where}? [y/N] ").strip().lower() != "y":
            return 1
    control.stop_all(workspace)
    if server:
        drop_databases(server)
    for path in workspace.home.iterdir() if workspace.home.exists() else ():
        if asked.all or path.name not in KEPT:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    print("deleted; `nox -s dev` makes everything afresh")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

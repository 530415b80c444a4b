"""The `postgres` line of the Procfile: PostgreSQL in the foreground, with the databases we need.

With `DATABASE_URL` set it starts nothing and only makes sure of the databases on that server.
"""

import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from localpostgres import Cluster
from psycopg import sql

from scripts.environment import DATABASES, Workspace
from scripts.foreground import fail, say, stop_asked, tell_ready
from scripts.state import Identity

OLDEST = 160000
EACH_SERVICE_CONNECTIONS = 10


def make_databases(connection: psycopg.Connection) -> None:
    """Create the databases that are missing; nothing happens to those that are there."""
    found = {name for (name,) in connection.execute("select datname from pg_database")}
    for database in sorted({*DATABASES.values()} - found):
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
        say(f"made database {database}")


def serve_embedded(workspace: Workspace, asked: threading.Event) -> None:
    """Run the server until asked to stop or until it dies, and show what it writes."""
    began = time.monotonic()
    cluster = Cluster(
        workspace.home / "postgres",
        workspace.ports["postgres"],
        workspace.secrets["postgres_password"],
    )
    log = Path(cluster.logfile)
    shown = log.stat().st_size if log.exists() else 0
    try:
        cluster.start()
    except Exception as error:  # whatever it was: the server's own words come first
        show_new(log, shown)
        fail(f"PostgreSQL did not start: {error}")
    with cluster.connect() as connection:
        make_databases(connection)
    tell_ready()
    took = time.monotonic() - began
    say(f"PostgreSQL {cluster.version} on port {cluster.port} after {took:.1f} s")
    server = Identity.of(cluster.pid or 0)
    while not asked.wait(0.2):
        shown = show_new(log, shown)
        if not server or not server.process:
            show_new(log, shown)
            fail("PostgreSQL ended by itself")
    cluster.stop()
    show_new(log, shown)


def show_new(log: Path, shown: int) -> int:
    """Print what the server wrote since `shown` bytes; how many bytes are shown now."""
    size = log.stat().st_size if log.exists() else 0
    if size > shown:
        with log.open("rb") as file:
            file.seek(shown)
            say(file.read(size - shown).decode(errors="replace").rstrip())
    return max(size, shown)


def use_existing(address: str, asked: threading.Event) -> None:
    """Check the server that `DATABASE_URL` names, make the databases there, and stand by."""
    where = urlsplit(address)
    shown = f"{where.hostname}:{where.port or 5432}"
    try:
        with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
            if connection.info.server_version < OLDEST:
                fail(
                    f"the PostgreSQL at {shown} is older than 16: upgrade it or unset DATABASE_URL"
                )
            (limit,) = connection.execute("show max_connections").fetchone() or ("0",)
            if int(limit) < len(DATABASES) * EACH_SERVICE_CONNECTIONS:
                say(f"max_connections is {limit} at {shown}: raise it if services wait for one")
            make_databases(connection)
    except psycopg.errors.InsufficientPrivilege:
        names = ", ".join(sorted({*DATABASES.values()}))
        fail(f"the user of DATABASE_URL may not create databases at {shown}: create {names} there")
    except psycopg.OperationalError as error:
        fail(f"DATABASE_URL does not answer at {shown}: {str(error).strip()}")
    tell_ready()
    say(f"using the PostgreSQL at {shown}")
    asked.wait()


def main() -> None:
    """Serve until SIGTERM."""
    asked = stop_asked()
    workspace = Workspace.load()
    if workspace.database_server:
        use_existing(workspace.database_server, asked)
    else:
        serve_embedded(workspace, asked)


if __name__ == "__main__":
    main()

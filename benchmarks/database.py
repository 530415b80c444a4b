"""A PostgreSQL for benchmarks: thrown away afterwards, yet as durable as a real one meanwhile."""

import contextlib
import shutil
from collections.abc import Generator
from pathlib import Path

from localpostgres import Cluster
from localpostgres.cluster import free_port

# Room for the write-ahead log and for caches, as somebody sets them who runs a server for a team.
SETTINGS = "-c max_wal_size=4GB -c shared_buffers=512MB -c checkpoint_timeout=15min"


@contextlib.contextmanager
def database_server(home: Path) -> Generator[Cluster]:
    """A server whose data are on the disk of this folder, with fsync on; both systems use it."""
    shutil.rmtree(home, ignore_errors=True)
    cluster = Cluster(home, free_port(), "benchmark", keep=True, settings=SETTINGS)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(home, ignore_errors=True)


def describe(cluster: Cluster) -> tuple[str, str]:
    """Version and fsync as the server tells them."""
    with cluster.connect() as connection:
        version, fsync = [
            str(row[0])
            for name in ("server_version", "fsync")
            if (row := connection.execute(f"SHOW {name}".encode()).fetchone())
        ]
    return version, fsync


def make_database(cluster: Cluster, name: str) -> str:
    """A new database; its address."""
    with cluster.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{cluster.address}/{name}"

"""A PostgreSQL server on pytest-postgresql's executor."""

import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Self, override

import psutil
import psycopg
from pytest_postgresql.executors import PostgreSQLExecutor

from localpostgres.binaries import binaries, way_down

LOOPBACK = "127.0.0.1"
INITDB = (
    "--no-sync",
    "--no-instructions",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--locale=C.UTF-8",
)
# TCP on loopback alone: no socket file whose folder or length could be a trouble.
SERVER = f"-c listen_addresses={LOOPBACK} -c max_connections=200"
KEPT = "-c max_wal_size=256MB"
# Durability costs time and a thrown-away cluster needs none.
THROWN_AWAY = (
    "-c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c max_wal_size=4GB"
)
ROOM_IN_MEMORY = 2 << 30


class Cluster(PostgreSQLExecutor):
    """The plugin's executor; `keep` is for data that matter: fsync on, nothing ever deleted.

    `settings` are further ones of the server (`-c name=value …`), which win over those here.
    """

    def __init__(
        self, home: Path, port: int, password: str, *, keep: bool = True, settings: str = ""
    ) -> None:
        self.keep = keep
        home.mkdir(parents=True, exist_ok=True)
        found = binaries()
        self.prefix, self.owner = way_down(found)
        super().__init__(
            executable=str(self._entry(home, found / "pg_ctl")),
            host=LOOPBACK,
            port=port,
            datadir=str(home / "data"),
            unixsocketdir="",
            logfile=str(home / "server.log"),
            startparams="-w",
            dbname="postgres",
            password=password,
            postgres_options=f"{SERVER} {KEPT if keep else THROWN_AWAY} {settings}",
            sleep=0.02,
        )
        if keep:
            # The plugin hard-codes -F, which turns fsync off: right for tests alone.
            self.command = self.command.replace('"-F -p', '"-p', 1)
            self.command_parts = shlex.split(self.command)

    @property
    def address(self) -> str:
        """`postgresql://` address without a database name."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The server's process id, None when it is not running."""
        try:
            return int((Path(self.datadir) / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None

    @override
    def start(self, patience: float = 60) -> Self:
        """Start, or take over a server that a killed session left; return when SQL is answered."""
        self.settle_lock()
        super().start()  # returns when the port opens, which is before recovery is over
        deadline = time.monotonic() + patience
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return self

    def settle_lock(self) -> None:
        """Stop the server that a killed session left behind, or drop the lock of a dead one.

        The lock names a pid, and after a crash of the machine that pid may be somebody else's:
        only a server of this data folder is ever signalled.
        """
        pid = self.pid
        if pid is None:
            return
        try:
            left = psutil.Process(pid)
            ours = self.datadir in left.cmdline() and left.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            ours = False
        if ours:
            self.stop()
        else:
            (Path(self.datadir) / "postmaster.pid").unlink(missing_ok=True)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection as the superuser."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    @override
    def _format_initdb_options(self, initdb_options: list[str]) -> str:
        return super()._format_initdb_options([*initdb_options, *INITDB])

    @override
    def init_directory(self) -> None:
        data = Path(self.datadir)
        log = Path(self.logfile)
        log.touch(mode=0o600)
        if self.owner is not None:
            os.chown(log, self.owner, -1)
            os.chown(log.parent, self.owner, -1)
        if not (data / "PG_VERSION").exists():
            super().init_directory()
        elif self.owner is not None and data.stat().st_uid != self.owner:
            for path in (data, *data.rglob("*")):  # first started by another user
                os.chown(path, self.owner, -1, follow_symlinks=False)

    @override
    def clean_directory(self) -> None:
        """Keep data that matter: the base class deletes them on start and when collected."""
        if not self.keep:
            super().clean_directory()

    def _entry(self, home: Path, pg_ctl: Path) -> Path:
        """What the executor calls as pg_ctl: as root a wrapper of two lines that leaves root."""
        if not self.prefix:
            return pg_ctl
        wrapper = home / "pg_ctl"
        wrapper.write_text(f'#!/bin/sh\nexec {shlex.join([*self.prefix, str(pg_ctl)])} "$@"\n')
        wrapper.chmod(0o755)
        return wrapper


@contextmanager
def throwaway_cluster(password: str = "throwaway") -> Generator[Cluster]:  # noqa: S107
    """A running server of its own, in memory where there is room; gone when the block ends."""
    with tempfile.TemporaryDirectory(
        prefix="runbench-pg-", dir=_memory(), ignore_cleanup_errors=True
    ) as home:
        cluster = Cluster(Path(home), free_port(), password, keep=False)
        cluster.start()
        heir = _heir(cluster, home)
        try:
            yield cluster
        finally:
            heir.kill()
            heir.wait()
            cluster.stop()


# A killed test run (`kill -9`, a second Ctrl-C) cannot clean up after itself.
HEIR = """
while kill -0 "$1" 2>/dev/null; do sleep 1; done
"$2" stop -D "$3" -m immediate
rm -rf "$4"
"""


def _heir(cluster: Cluster, home: str) -> subprocess.Popen[bytes]:
    """Start a shell that ends the server and its folder when this process is gone."""
    words = [str(os.getpid()), cluster.executable, cluster.datadir, home]
    return subprocess.Popen(  # noqa: S603 - our own words
        ["/bin/sh", "-c", HEIR, "heir", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _memory() -> str | None:
    # A stock container has 64 MB there, so its size is asked.
    memory = Path("/dev/shm")  # noqa: S108
    fits = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM_IN_MEMORY
    return str(memory) if fits else None


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]

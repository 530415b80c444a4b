"""A place of its own in which everything is started, looked at and ended."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from scripts import guard, leftovers, ports
from scripts import stack as stacks
from scripts import state as states
from scripts.environment import ROOT, Workspace
from tests.workspace.conftest import eventually

STORES = "postgres,valkey"


class Place:
    """A folder and ports in which `up` is started and ended in every way."""

    def __init__(self, home: Path) -> None:
        self.given = {
            **os.environ,
            "RUNBENCH_DEV_DIR": str(home),
            "RUNBENCH_PORT_BASE": str(stacks.free_base()),
            "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1",
            # A killed test run takes what it started with it.
            guard.STARTER: str(os.getpid()),
        }
        for name in ("DATABASE_URL", "TELEMETRY_BROKER_URL"):
            self.given.pop(name, None)
        self.workspace = Workspace(home, self.given)
        self.home = home
        self.output = home.with_name("up.out")
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        self.home.parent.mkdir(parents=True, exist_ok=True)
        command = command or (sys.executable, "-m", "scripts.up", "--no-seed", "--only", STORES)
        with self.output.open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.given,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def script(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env=self.given,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def until_ready(self) -> None:
        folder = self.workspace.states
        names = STORES.split(",")
        eventually(
            lambda: all(states.is_ready(folder, name) for name in names),
            lambda: f"ready stores; up says:\n{self.text}",
        )

    def members(self) -> list[psutil.Process]:
        """Every process that was started with this folder, wherever it stands in the tree."""
        found = []
        for process in psutil.process_iter():
            try:
                mine = process.environ().get("RUNBENCH_DEV_DIR") == str(self.home)
                if (mine or str(self.home) in " ".join(process.cmdline())) and (
                    process.status() != psutil.STATUS_ZOMBIE
                ):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def until_empty(self) -> None:
        eventually(lambda: not self.members(), lambda: f"nothing left, but: {self.members()}")
        taken = [port for port in self.workspace.ports.values() if not ports.is_free(port)]
        assert not taken

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        address = self.workspace.database_url("experiment_db")
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@contextmanager
def ended_at_last(made: Place) -> Generator[Place]:
    yield made
    for process in made.started:
        if process.poll() is None:
            process.terminate()
            process.wait(20)
    leftovers.end_all(made.workspace)

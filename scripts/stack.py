"""A whole Runbench for tests: on ports and in a folder of its own, gone when the block ends."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts import guard, leftovers, ports
from scripts import state as states
from scripts.environment import DATABASES, PORT_OFFSETS, ROOT, Workspace
from scripts.portal_build import built_portal
from scripts.state import Identity

START_SECONDS = 180.0
STOP_SECONDS = 8.0
SHOWN_LINES = 40
# Below the range from which systems take ports for outgoing connections.
LOWEST_BASE, HIGHEST_BASE = 20_000, 32_000
ROOM_IN_MEMORY = 2 << 30
FOR_TESTS = {
    "BCRYPT_ROUNDS": "4",
    "RUNBENCH_RELOAD": "0",
    "NO_COLOR": "1",
}


class StackFailed(Exception):
    """The stack did not start; the message has the last lines of those that failed."""


@dataclass(frozen=True)
class Stack:
    """A running Runbench."""

    workspace: Workspace
    process: subprocess.Popen[bytes]

    @property
    def portal_url(self) -> str:
        """Address of the portal, the origin of the browser."""
        return self.workspace.portal_url

    @property
    def proxy_url(self) -> str:
        """Address of auth-proxy."""
        return self.workspace.url("auth-proxy")

    @property
    def gateway_url(self) -> str:
        """Address of the gateway, for programs."""
        return self.workspace.url("api-gateway")

    @property
    def service_urls(self) -> dict[str, str]:
        """Address of each Python service by its name."""
        return {name: self.workspace.url(name) for name in DATABASES}

    @property
    def database_urls(self) -> dict[str, str]:
        """Address of each Python service's database by the service's name."""
        return {name: self.workspace.database_url(base) for name, base in DATABASES.items()}

    @property
    def broker_url(self) -> str:
        """Address of Valkey."""
        return self.workspace.variables["TELEMETRY_BROKER_URL"]

    @property
    def log_dir(self) -> Path:
        """Folder of the logs, one `<process>.log` each."""
        return self.workspace.logs

    @property
    def python(self) -> str:
        """A Python that has the client installed."""
        return sys.executable

    def identity(self, name: str) -> Identity:
        """The program behind a process of the stack now, for tests that kill it."""
        state = states.read(self.workspace.states, name)
        if not state or not state.child:
            raise LookupError(f"{name} does not run")
        return state.child

    def wait_until_ready(self, name: str, *, other_than: Identity | None = None) -> Identity:
        """Wait until a process can work, after a kill with a new program; that program."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            state = states.read(self.workspace.states, name)
            if state and state.status == "ready" and state.child and state.child != other_than:
                return state.child
            time.sleep(0.05)
        raise StackFailed(f"{name} is not ready after {START_SECONDS:.0f} s")


def free_base() -> int:
    """A port from which all that a stack needs are free."""
    for base in random.sample(range(LOWEST_BASE, HIGHEST_BASE, 50), 200):
        if all(ports.is_free(base + offset) for offset in PORT_OFFSETS.values()):
            return base
    raise StackFailed("no free ports for a stack")


def roomy_folder() -> str | None:
    """Where a stack lives: in memory where there is room, else where temporary files are."""
    memory = Path("/dev/shm")  # noqa: S108 - 64 MB in a stock container, so its size is asked
    fits = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM_IN_MEMORY
    return str(memory) if fits else None


@contextmanager
def stack(
    variables: Mapping[str, str] | None = None,
    names: Sequence[str] = (),
) -> Generator[Stack]:
    """Start everything (or the named processes) with these variables, and stop it at the end.

    The portal is the built one. Raises StackFailed when not all become ready.
    """
    with tempfile.TemporaryDirectory(
        prefix="runbench-", dir=roomy_folder(), ignore_cleanup_errors=True
    ) as home:
        given = {
            key: value
            for key, value in os.environ.items()
            if key not in {"DATABASE_URL", "TELEMETRY_BROKER_URL"}
        }
        given |= FOR_TESTS | {
            "RUNBENCH_DEV_DIR": home,
            "RUNBENCH_PORT_BASE": str(free_base()),
            "RUNBENCH_SERVICE_PYTHON": sys.executable,
            guard.STARTER: str(os.getpid()),
        }
        if not names or "portal" in names:
            given["RUNBENCH_PORTAL_BUILT"] = str(built_portal())
        given |= variables or {}
        running = launch(Workspace(Path(home), given), names)
        try:
            wait_for(running)
            yield running
        finally:
            end(running)


def launch(workspace: Workspace, names: Sequence[str]) -> Stack:
    """Start `up` in the background."""
    workspace.make_home()
    command = [sys.executable, "-m", "scripts.up", "--no-seed"]
    command += ["--only", ",".join(names)] if names else []
    with (workspace.home / "up.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=workspace.given,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return Stack(workspace, process)


def wait_for(running: Stack) -> None:
    """Return when all are ready."""
    ready = running.workspace.home / "ready.json"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if running.process.poll() is not None:
            break
        if ready.exists():
            if json.loads(ready.read_text())["all_ready"]:
                return
            break
        time.sleep(0.05)
    text = (running.workspace.home / "up.log").read_text(errors="replace")
    raise StackFailed("\n".join(text.splitlines()[-SHOWN_LINES:]))


def end(running: Stack) -> None:
    """Stop everything of the stack, by force if need be."""
    running.process.send_signal(signal.SIGTERM)
    try:
        running.process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        running.process.kill()
        running.process.wait()
    leftovers.end_all(running.workspace)

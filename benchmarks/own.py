"""A whole Runbench on the benchmark's PostgreSQL, with a project and somebody who may write.

The programs run as they do in production: each by itself, its log in a file, none of the
workspace's wrappers around it.
"""

import contextlib
import dataclasses
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.load import Target
from scripts.environment import Workspace
from scripts.foreground import READY_FILE
from scripts.processes import PROCESSES, environment
from scripts.seed import Person
from scripts.stack import free_base, roomy_folder

# The portal's files are served by a web server of their own and take no part here.
NAMES = tuple(name for name in PROCESSES if name != "portal")
STORES = ("postgres", "valkey")
# What stands for the existing PostgreSQL, which is not counted for MLflow either.
UNCOUNTED = "postgres"
START_SECONDS = 60.0
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Own:
    """A running Runbench and what is needed to write to it."""

    workspace: Workspace
    pids: dict[str, int]
    project_id: str
    owner_id: str
    target: Target
    start_seconds: float


@contextlib.contextmanager
def runbench(database_url: str, variables: Mapping[str, str] | None = None) -> Generator[Own]:
    """Everything but the portal, on the PostgreSQL of this address, until the block ends."""
    with (
        tempfile.TemporaryDirectory(
            prefix="runbench-", dir=roomy_folder(), ignore_cleanup_errors=True
        ) as home,
        contextlib.ExitStack() as running,
    ):
        workspace = _workspace(Path(home), database_url, variables or {})
        began = time.monotonic()
        pids: dict[str, int] = {}
        for names in (STORES, tuple(name for name in NAMES if name not in STORES)):
            for name in names:
                pids[name] = running.enter_context(_program(name, workspace))
            for name in names:
                _wait(name, workspace)
        started = time.monotonic() - began
        gateway = workspace.url("api-gateway")
        with Person.signed_in(gateway, "bench@runbench.dev", "Bench") as owner:
            # Several of them may follow each other on one PostgreSQL.
            project = {"name": "Benchmark", "slug": f"benchmark-{uuid.uuid4().hex[:8]}"}
            project_id: str = owner.say("POST", "/api/v1/projects", project)["id"]
            asked = {"name": "load", "role": "editor"}
            token = owner.say("POST", f"/api/v1/projects/{project_id}/tokens", asked)["token"]
            target = Target("Runbench", gateway, {"Authorization": f"Bearer {token}"})
            del pids[UNCOUNTED]
            yield Own(workspace, pids, project_id, owner.user_id, target, started)


@contextlib.contextmanager
def one_more(running: Own, name: str, variables: Mapping[str, str]) -> Generator[None]:
    """One more process of a service that runs already, at an address of its own."""
    port = str(free_base())
    given = running.workspace.given | dict(variables)
    beside = dataclasses.replace(running.workspace, given=given)
    with _program(name, beside, {"PORT": port}) as pid:
        running.pids[f"{name}, another"] = pid
        address = f"http://127.0.0.1:{port}{PROCESSES[name].ready_path}"
        deadline = time.monotonic() + START_SECONDS
        while not _answers(address):
            if time.monotonic() > deadline:
                raise SystemExit(f"another {name} did not start")
            time.sleep(0.02)
        yield
        del running.pids[f"{name}, another"]


def _workspace(home: Path, database_url: str, variables: Mapping[str, str]) -> Workspace:
    given = {name: value for name, value in os.environ.items() if name != "TELEMETRY_BROKER_URL"}
    given |= {
        **variables,
        "DATABASE_URL": database_url,
        "RUNBENCH_DEV_DIR": str(home),
        "RUNBENCH_PORT_BASE": str(free_base()),
        "RUNBENCH_SERVICE_PYTHON": sys.executable,
    }
    workspace = Workspace(home, given)
    workspace.make_home()
    workspace.logs.mkdir()
    return workspace


@contextlib.contextmanager
def _program(
    name: str, workspace: Workspace, more: Mapping[str, str] | None = None
) -> Generator[int]:
    """One process without a wrapper; its pid."""
    process = PROCESSES[name]
    variables = environment(process, workspace) | dict(more or {})
    if name in STORES:  # modules of the workspace, which read its variables themselves
        variables |= {key: value for key, value in workspace.given.items() if key != "PYTHONPATH"}
    variables[READY_FILE] = str(_ready_file(name, workspace))
    with (workspace.logs / f"{name}.log").open("ab") as log:
        started = subprocess.Popen(
            process.command(workspace),
            cwd=process.folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield started.pid
    finally:
        started.terminate()
        try:
            started.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _wait(name: str, workspace: Workspace) -> None:
    """Return when a process can work; SystemExit with its last words when it cannot."""
    deadline = time.monotonic() + START_SECONDS
    while not _ready(name, workspace):
        if time.monotonic() > deadline:
            said = (workspace.logs / f"{name}.log").read_text(errors="replace")
            raise SystemExit(f"{name} did not start:\n{said[-2000:]}")
        time.sleep(0.02)


def _ready(name: str, workspace: Workspace) -> bool:
    path = PROCESSES[name].ready_path
    if path is None:
        return _ready_file(name, workspace).exists()
    return _answers(f"{workspace.url(name)}{path}")


def _answers(address: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(address, timeout=5).is_success
    return False


def _ready_file(name: str, workspace: Workspace) -> Path:
    return workspace.home / f"{name}.ready"

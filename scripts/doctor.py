"""`nox -s doctor`: what is missing or in the way on this machine, each with what to do about it.

`-- --json` for programs. The exit code is 1 when something would keep Runbench from starting.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import psutil
import psycopg
from localpostgres.binaries import NoPostgres, binaries, way_down

from scripts import browser, ports, valkey
from scripts import state as states
from scripts.environment import DATABASES, ROOT, Workspace
from scripts.processes import node, python_of
from scripts.status import running_workspace
from scripts.summary import near

type Verdict = Literal["ok", "note", "wrong"]

OLDEST_PYTHON = (3, 13)
OLDEST_NODE = (22, 18)
OLDEST_POSTGRES = 160000
GIB = 1 << 30
LEAST_DISK = 1 * GIB
COMFORTABLE_DISK = 5 * GIB
COMFORTABLE_MEMORY = 2 * GIB
LEAST_WATCHES = 8192
SHOWN_PATHS = 3


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    about: str
    verdict: Verdict
    what: str
    fix: str = ""


def python_and_uv(_: Workspace) -> Iterator[Finding]:
    """The interpreter of the tools, and uv."""
    now = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        yield Finding("Python", "wrong", f"{now} is too old", "`uv python install 3.13`")
    else:
        yield Finding("Python", "ok", now)
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found:
        answer = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            yield Finding("uv", "ok", answer.stdout.strip())
            return
    yield Finding("uv", "wrong", "none runs here", "`python3 -m pip install uv`")


def node_and_packages(_: Workspace) -> Iterator[Finding]:
    """Node and whether the npm packages are those of the lock."""
    program = node()
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    version = answer.stdout.strip().removeprefix("v")
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_NODE:
        yield Finding("Node", "wrong", f"{version} is too old", "`nox -s setup`")
    else:
        yield Finding("Node", "ok", version)
    stamp = ROOT / "node_modules" / ".runbench-lock"
    wanted = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        yield Finding("npm packages", "ok", "as the lock says")
    else:
        yield Finding("npm packages", "note", "not those of the lock", "`nox -s setup`")


def environments(workspace: Workspace) -> Iterator[Finding]:
    """The environments of the services."""
    absent = [name for name in DATABASES if not Path(python_of(workspace, name)).exists()]
    if absent:
        yield Finding("environments", "note", f"none yet for {', '.join(absent)}", "`nox -s setup`")
    else:
        yield Finding("environments", "ok", "all made")


def database(workspace: Workspace) -> Iterator[Finding]:
    """The embedded PostgreSQL can be started, or the named one answers."""
    if not workspace.database_server:
        try:
            prefix, _ = way_down(binaries())
        except NoPostgres as error:
            yield Finding("PostgreSQL", "wrong", str(error), "see the message")
            return
        how = f"as nobody, by {prefix[0]}" if prefix else "as you"
        yield Finding("PostgreSQL", "ok", f"embedded, runs {how}")
        return
    where = urlsplit(workspace.database_server)
    shown = f"{where.hostname}:{where.port or 5432}"
    try:
        with psycopg.connect(workspace.database_server, connect_timeout=5) as connection:
            version = connection.info.server_version
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1]
        fix = "start it, correct DATABASE_URL, or unset it to use the embedded one"
        yield Finding("PostgreSQL", "wrong", f"{shown} does not answer: {reason}", fix)
        return
    if version < OLDEST_POSTGRES:
        fix = "upgrade it, or unset DATABASE_URL to use the embedded one"
        yield Finding("PostgreSQL", "wrong", f"the one at {shown} is older than 16", fix)
    else:
        yield Finding("PostgreSQL", "ok", f"the one at {shown}")


def broker(workspace: Workspace) -> Iterator[Finding]:
    """The embedded Valkey is there, or the named one answers."""
    if not workspace.broker:
        yield Finding("Valkey", "ok", f"embedded, {Path(valkey.binary()).name}")
        return
    named = valkey.places(workspace.broker)
    shown = ", ".join(f"{host}:{port}" for host, port in named)
    # Of a cluster one node is enough to find the others.
    if any(valkey.answers(host, port) for host, port in named):
        yield Finding("Valkey", "ok", f"the one at {shown}")
    else:
        fix = "start it, correct TELEMETRY_BROKER_URL, or unset it to use the embedded one"
        yield Finding("Valkey", "wrong", f"{shown} does not answer", fix)


def free_ports(workspace: Workspace) -> Iterator[Finding]:
    """Every port is free, or held by ourselves."""
    given = {"postgres": workspace.database_server, "valkey": workspace.broker}
    ours = 0
    for name, port in workspace.ports.items():
        if given.get(name) or ports.is_free(port):
            continue
        state = states.read(workspace.states, name)
        if state and state.alive:
            ours += 1
            continue
        move = "stop that program, or `nox -s dev -- --port-base 4000`"
        yield Finding("ports", "wrong", f"{port} ({name}) is used by {ports.owner(port)}", move)
    if ours:
        yield Finding("ports", "ok", f"{ours} are used by Runbench, which runs")
    else:
        yield Finding("ports", "ok", "looked at all of them")


def room(workspace: Workspace) -> Iterator[Finding]:
    """Disk and memory."""
    folder = workspace.home
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / GIB:.1f} GiB free for {near(workspace.home)}"
    if free < LEAST_DISK:
        fix = "free some space, or point RUNBENCH_DEV_DIR to another disk"
        yield Finding("disk", "wrong", text, fix)
    elif free < COMFORTABLE_DISK:
        yield Finding("disk", "note", text, "environments and packages take about 3 GiB")
    else:
        yield Finding("disk", "ok", text)
    memory = psutil.virtual_memory().available
    text = f"{memory / GIB:.1f} GiB free"
    if memory < COMFORTABLE_MEMORY:
        yield Finding("memory", "note", text, "close something: all of Runbench takes about 1 GiB")
    else:
        yield Finding("memory", "ok", text)


def permissions(workspace: Workspace) -> Iterator[Finding]:
    """Nothing that we must write belongs to somebody else."""
    me = os.geteuid()
    if me == 0:
        text = "you are root: it works, but what it makes belongs to root"
        yield Finding("user", "note", text, "better start as an ordinary user")
    else:
        yield Finding("user", "ok", psutil.Process().username())
    folders = (workspace.home, ROOT / ".nox", ROOT / "node_modules", ROOT / ".venv")
    owned = [path for folder in folders if folder.exists() for path in (folder, *folder.iterdir())]
    foreign = [path for path in owned if me != 0 and not os.access(path, os.W_OK)]
    if foreign:
        shown = ", ".join(near(path) for path in foreign[:SHOWN_PATHS])
        fix = (
            f"`sudo chown -R $(id -u):$(id -g) {' '.join(sorted({near(one) for one in foreign}))}`"
        )
        yield Finding("permissions", "wrong", f"not yours to write: {shown}", fix)
    else:
        yield Finding("permissions", "ok", "all is yours to write")


def leftovers(workspace: Workspace) -> Iterator[Finding]:
    """What a killed session left."""
    up = states.read(workspace.states, "up")
    if up and up.alive:
        yield Finding("sessions", "ok", f"running, pid {up.wrapper.pid}")
        return
    left = [state.name for state in states.living(workspace.states)]
    if left:
        fix = "`nox -s stop`, or the next `nox -s dev` ends them"
        yield Finding("sessions", "note", f"left from a killed one: {', '.join(left)}", fix)
    lock = workspace.home / "postgres" / "data" / "postmaster.pid"
    if lock.exists() and "postgres" not in left:
        text = f"{near(lock)} is left from a killed session"
        yield Finding("locks", "note", text, "nothing to do: the next start clears it")
    elif not left:
        yield Finding("sessions", "ok", "nothing is left behind")


def clock(_: Workspace) -> Iterator[Finding]:
    """The clock is not behind: tokens and certificates would not be valid yet."""
    newest = max(path.stat().st_mtime for path in (ROOT / "uv.lock", ROOT / "package-lock.json"))
    if time.time() + 60 < newest:
        yield Finding(
            "clock", "wrong", "it is behind the files here", "set the time of this machine"
        )
    else:
        yield Finding("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S %Z"))


def watching(_: Workspace) -> Iterator[Finding]:
    """Linux may limit how many files can be watched for reloading."""
    limit = Path("/proc/sys/fs/inotify/max_user_watches")
    if limit.exists() and int(limit.read_text()) < LEAST_WATCHES:
        text = f"only {limit.read_text().strip()} files can be watched"
        fix = "`sudo sysctl fs.inotify.max_user_watches=524288`"
        yield Finding("reloading", "note", text, fix)
    else:
        yield Finding("reloading", "ok", "enough files can be watched")


def chromium(_: Workspace) -> Iterator[Finding]:
    """A browser for `nox -s e2e`."""
    if found := browser.chromium():
        yield Finding("Chromium", "ok", found)
    else:
        yield Finding("Chromium", "note", "none for `nox -s e2e`", browser.HOW_TO_GET)


CHECKS: tuple[Callable[[Workspace], Iterator[Finding]], ...] = (
    python_and_uv,
    node_and_packages,
    environments,
    database,
    broker,
    free_ports,
    room,
    permissions,
    leftovers,
    clock,
    watching,
    chromium,
)


def examine(workspace: Workspace) -> list[Finding]:
    """Everything that was looked at; a check that itself breaks is a finding too."""
    findings: list[Finding] = []
    for check in CHECKS:
        try:
            findings += check(workspace)
        except (OSError, SystemExit, ValueError, psutil.Error) as error:
            about = check.__name__.replace("_", " ")
            findings.append(Finding(about, "wrong", str(error), "see the message"))
    return findings


def main(arguments: list[str]) -> int:
    """Print the findings; 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="nox -s doctor --", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--brief", action="store_true", help="only what is wrong or worth a note")
    asked = parser.parse_args(arguments)
    findings = examine(running_workspace())
    wrong = [one for one in findings if one.verdict == "wrong"]
    if asked.json:
        print(json.dumps([asdict(one) for one in findings], indent=2))
        return 1 if wrong else 0
    marks = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}
    for one in findings:
        if asked.brief and one.verdict == "ok":
            continue
        fix = f"\n{'':<20}→ {one.fix}" if one.fix else ""
        print(f"{marks[one.verdict]} {one.about:<14}{one.what}{fix}")
    if not asked.brief:
        print("nothing is in the way" if not wrong else f"{len(wrong)} to mend")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

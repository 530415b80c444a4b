"""`nox -s status`: every process with its state, address, memory and restarts.

`-o env` prints addresses as shell variables, `-o json` everything for programs. The exit code is 0
when all are ready, 3 when none runs, 1 otherwise.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass

import psutil

from scripts import probe
from scripts import state as states
from scripts.environment import DATABASES, Workspace
from scripts.page.token import link
from scripts.processes import PROCESSES
from scripts.state import Identity, State

NOTHING_RUNS = 3
OK = 200


@dataclass(frozen=True)
class Row:
    """What is known of one process now; memory in MiB, of the program and all it started."""

    name: str
    status: str
    address: str
    pid: int | None
    memory: float
    seconds: float
    restarts: int
    note: str


def memory_of(*identities: Identity | None) -> float:
    """Memory of these processes and all they started, in MiB; shared pages are counted once."""
    members: dict[int, psutil.Process] = {}
    for identity in identities:
        if identity and (found := identity.process):
            members |= {one.pid: one for one in (found, *found.children(recursive=True))}
    total = 0
    for member in members.values():
        try:
            full = member.memory_full_info()
            total += getattr(full, "pss", 0) or full.uss
        except psutil.Error:
            continue
    return total / 2**20


def look(workspace: Workspace, state: State) -> Row:
    """A row for a process that runs or ran."""
    process = PROCESSES[state.name]
    port = workspace.ports[state.name]
    status, note = state.status, state.note
    if not state.alive:
        status, note = "not running", ""
    elif status == "ready" and process.ready_path:
        code = asyncio.run(probe.status_code(port, process.ready_path))
        if code != OK:
            status, note = "not answering", f"{process.ready_path} answers {code or 'nothing'}"
    scheme = "http://localhost" if process.ready_path else "localhost"
    return Row(
        name=state.name,
        status=status,
        address=f"{scheme}:{port}",
        pid=state.child.pid if state.child and state.alive else None,
        memory=round(memory_of(state.wrapper, state.child), 1) if state.alive else 0.0,
        seconds=round(time.time() - state.since) if state.alive else 0,
        restarts=state.restarts,
        note=note,
    )


def rows(workspace: Workspace) -> list[Row]:
    """One row a process of the Procfile that ever ran here."""
    found = (states.read(workspace.states, name) for name in PROCESSES)
    return [look(workspace, state) for state in found if state]


def table(found: list[Row]) -> str:
    """The rows for people."""
    lines = [f"{'process':<20}{'state':<15}{'address':<26}{'pid':>8}{'MiB':>8}{'for':>8}  restarts"]
    for row in found:
        pid = row.pid or ""
        lines.append(
            f"{row.name:<20}{row.status:<15}{row.address:<26}{pid:>8}{row.memory:>8.0f}"
            f"{span(row.seconds):>8}  {row.restarts}{'  ' + row.note if row.note else ''}"
        )
    return "\n".join(lines)


def span(seconds: float) -> str:
    """A time span in its largest sensible unit."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def addresses(workspace: Workspace) -> dict[str, str]:
    """Addresses as variables for a shell."""
    found = {
        "RUNBENCH_URL": workspace.url("api-gateway"),
        "RUNBENCH_PORTAL_URL": workspace.portal_url,
        "TELEMETRY_BROKER_URL": workspace.variables["TELEMETRY_BROKER_URL"],
    }
    for name, database in DATABASES.items():
        found[f"{name.upper().replace('-', '_')}_URL"] = workspace.url(name)
        found[f"{database.upper()}_URL"] = workspace.database_url(database)
    return found


def main(arguments: list[str]) -> int:
    """Print the state; the exit code says whether all is well."""
    parser = argparse.ArgumentParser(prog="nox -s status --", description=__doc__)
    parser.add_argument("-o", "--output", choices=("table", "env", "json"), default="table")
    output = parser.parse_args(arguments).output
    workspace = running_workspace()
    found = rows(workspace)
    if output == "env":
        print("\n".join(f"export {key}='{value}'" for key, value in addresses(workspace).items()))
    elif output == "json":
        print(json.dumps([asdict(row) for row in found], indent=2))
    elif not any(row.pid for row in found):
        print("nothing runs here: `nox -s dev` starts everything")
    else:
        rest = memory_of(*(up.wrapper for up in [states.read(workspace.states, "up")] if up))
        print(table(found))
        print(f"all together {max(rest, sum(row.memory for row in found)):.0f} MiB")
        print(f"as a page: {link(workspace)}")
    if not any(row.pid for row in found):
        return NOTHING_RUNS
    return 0 if all(row.status == "ready" for row in found) else 1


def running_workspace() -> Workspace:
    """The workspace with the ports that the running stack was started with."""
    workspace = Workspace.load()
    chosen = workspace.home / "ports.json"
    if "RUNBENCH_PORT_BASE" not in workspace.given and chosen.exists():
        base = json.loads(chosen.read_text()).get("base")
        if base:
            return Workspace(workspace.home, {**workspace.given, "RUNBENCH_PORT_BASE": base})
    return workspace


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

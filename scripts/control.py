"""`nox -s restart` and `nox -s stop`: signals to the wrappers, and to nothing we did not start."""

import signal
import sys
import time

from scripts import leftovers
from scripts import state as states
from scripts.environment import Workspace
from scripts.processes import PROCESSES

PATIENCE_SECONDS = 20.0


def chosen(arguments: list[str]) -> list[str]:
    """The named processes, each by its name or its beginning (`auth-s`); all without a name."""
    names: list[str] = []
    for word in arguments:
        fitting = [name for name in PROCESSES if name == word] or [
            name for name in PROCESSES if name.startswith(word)
        ]
        if len(fitting) != 1:
            raise SystemExit(f"no process {word!r}; there are {', '.join(PROCESSES)}")
        names += fitting
    return names or list(PROCESSES)


def send(workspace: Workspace, names: list[str], sign: signal.Signals) -> list[str]:
    """Signal the wrappers of these processes; the names of those that run."""
    found = [state for name in names if (state := states.read(workspace.states, name))]
    return [state.name for state in found if state.wrapper.send(sign)]


def restart(workspace: Workspace, names: list[str]) -> int:
    """Start processes again and wait until they are ready; 1 when one does not come up."""
    began = time.time()
    reached = send(workspace, names, signal.SIGHUP)
    if not reached:
        print("nothing runs here: `nox -s dev` starts everything")
        return 1
    deadline = time.monotonic() + PATIENCE_SECONDS
    waiting = set(reached)
    while waiting and time.monotonic() < deadline:
        for name in sorted(waiting):
            state = states.read(workspace.states, name)
            if state and state.since >= began and state.status in {"ready", "failed"}:
                print(f"{name}: {state.status} {state.note}".rstrip())
                waiting.discard(name)
        time.sleep(0.05)
    for name in sorted(waiting):
        print(f"{name}: not ready after {PATIENCE_SECONDS:.0f} s, see `nox -s logs -- {name}`")
    left = [states.read(workspace.states, name) for name in reached]
    return 0 if all(state and state.status == "ready" for state in left) else 1


def stop_all(workspace: Workspace) -> int:
    """End the whole stack and whatever a killed session left."""
    up = states.read(workspace.states, "up")
    if up and up.alive:
        states.end([up.wrapper], PATIENCE_SECONDS)
        leftovers.end_all(workspace)
        print("stopped")
        return 0
    left = leftovers.end_all(workspace)
    print(f"ended what was left: {', '.join(left)}" if left else "nothing runs here")
    return 0


def main(arguments: list[str]) -> int:
    """Do what the first word says."""
    what, *names = arguments or ["help"]
    workspace = Workspace.load()
    if what == "restart":
        return restart(workspace, chosen(names))
    if what == "stop" and names:
        reached = send(workspace, chosen(names), signal.SIGUSR1)
        print(f"stopped {', '.join(reached)}" if reached else "none of them runs")
        return 0
    if what == "stop":
        return stop_all(workspace)
    raise SystemExit("usage: python -m scripts.control restart|stop [NAME …]")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

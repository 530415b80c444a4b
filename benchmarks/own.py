"""A whole Runbench on the benchmark's PostgreSQL, with a project and somebody who may write."""

import contextlib
import time
from collections.abc import Generator
from dataclasses import dataclass

from benchmarks.load import Target
from scripts import state as states
from scripts.processes import PROCESSES
from scripts.seed import Person
from scripts.stack import Stack, stack

# The portal's files are served by a web server of their own and take no part here.
NAMES = tuple(name for name in PROCESSES if name != "portal")
# The wrapper around an existing PostgreSQL, which is not counted for MLflow either.
UNCOUNTED = {"postgres"}


@dataclass(frozen=True, slots=True)
class Own:
    """A running Runbench and what is needed to write to it."""

    stack: Stack
    owner: Person
    project_id: str
    target: Target
    start_seconds: float

    @property
    def pids(self) -> list[int]:
        """The programs themselves; the workspace's wrappers around them are for developers."""
        found: list[int] = []
        for name in NAMES:
            state = states.read(self.stack.workspace.states, name)
            if name not in UNCOUNTED and state and state.child:
                found.append(state.child.pid)
        return found


@contextlib.contextmanager
def runbench(database_url: str) -> Generator[Own]:
    """Everything but the portal, on the PostgreSQL of this address, until the block ends."""
    began = time.monotonic()
    with stack({"DATABASE_URL": database_url}, NAMES) as running:
        started = time.monotonic() - began
        with Person.signed_in(running.gateway_url, "bench@runbench.dev", "Bench") as owner:
            project = {"name": "Benchmark", "slug": "benchmark"}
            project_id: str = owner.say("POST", "/api/v1/projects", project)["id"]
            asked = {"name": "load", "role": "editor"}
            token = owner.say("POST", f"/api/v1/projects/{project_id}/tokens", asked)["token"]
            target = Target("Runbench", running.gateway_url, {"Authorization": f"Bearer {token}"})
            yield Own(running, owner, project_id, target, started)

"""What the status page shows: figures of each process, and the ends of logs.

Figures are taken only while somebody looks, and once for all who look.
"""

import re
import threading
import time
from dataclasses import asdict
from pathlib import Path

import psutil

from scripts import console, status
from scripts import state as states
from scripts.environment import Workspace
from scripts.processes import PROCESSES
from scripts.state import State

FRESH_SECONDS = 1.5
TAIL_BYTES = 256 * 1024
MOST_LINES = 500
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Watch:
    """Looks at the processes at most every `FRESH_SECONDS`."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._lock = threading.Lock()
        self._at = 0.0
        self._rows: list[dict[str, object]] = []
        # Seconds of processor time of each process at the last look, by its child.
        self._used: dict[str, tuple[int, float]] = {}

    def rows(self) -> list[dict[str, object]]:
        """A row a process: name, status, address, port, pid, memory (MiB), cpu (percent of one
        core since the last look, None at the first), uptime (s), restarts, note.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._at >= FRESH_SECONDS:
                self._rows = [
                    self._row(state, now - self._at)
                    for name in PROCESSES
                    if (state := states.read(self.workspace.states, name))
                ]
                self._at = now
            return self._rows

    def _row(self, state: State, seconds: float) -> dict[str, object]:
        row = status.look(self.workspace, state)
        cpu = None
        uptime = 0.0
        if row.pid and state.child and (process := state.child.process):
            uptime = time.time() - state.child.started
            used = processor_seconds(process)
            before = self._used.get(row.name)
            if before and before[0] == row.pid:
                cpu = round(max(0.0, used - before[1]) / seconds * 100, 1)
            self._used[row.name] = (row.pid, used)
        return {
            **asdict(row),
            "port": self.workspace.ports[row.name],
            "opens": bool(PROCESSES[row.name].ready_path),
            "cpu": cpu,
            "uptime": round(uptime),
        }


def processor_seconds(process: psutil.Process) -> float:
    """Processor time that a process and all it started have used."""
    total = 0.0
    try:
        for member in (process, *process.children(recursive=True)):
            times = member.cpu_times()
            total += times.user + times.system
    except psutil.Error:
        pass
    return total


def log(logs: Path, name: str, least: str, word: str, count: int) -> list[dict[str, str]]:
    """The last lines of a process from a level on that have a word: `{at, level, text}` each."""
    path = logs / f"{name}.log"
    found: list[dict[str, str]] = []
    if not path.exists():
        return found
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()[size > TAIL_BYTES :]
    word = word.casefold()
    for raw in reversed(lines):
        at, _, text = raw.partition(" ")
        line = console.parse(text)
        if line.is_probe or console.LEVELS.index(line.level) < console.LEVELS.index(least):
            continue
        shown = COLOUR.sub("", console.render(line))
        if word and word not in raw.casefold() and word not in shown.casefold():
            continue
        found.append({"at": at[11:23], "level": line.level, "text": shown, "trace": line.trace})
        if len(found) >= count:
            break
    return found[::-1]

"""What each process says of itself: one small JSON file a process, believed only while it lives.

A process is known by pid and start time together, so that a pid used again is never mistaken for
ours: nothing is signalled that this workspace did not start.
"""

import json
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import psutil

from scripts import environment

# psutil's start times differ by a clock tick when the wall clock is adjusted.
SAME_START_SECONDS = 2.0


@dataclass(frozen=True)
class Identity:
    """A process by pid and start time (seconds since the epoch)."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """The process that has this pid now, if any."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    @property
    def process(self) -> psutil.Process | None:
        """The living process, or None when it is gone or its pid is another's."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.started) < SAME_START_SECONDS
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    def send(self, sign: signal.Signals) -> bool:
        """Signal the process when it still is the one meant; says whether it was."""
        if not (found := self.process):
            return False
        try:
            found.send_signal(sign)
        except psutil.NoSuchProcess:
            return False
        return True

    def send_group(self, sign: signal.Signals) -> bool:
        """Signal the group that the process leads (every child of ours leads its own)."""
        if not self.process:
            return False
        try:
            os.killpg(self.pid, sign)
        except ProcessLookupError:
            return False
        return True


@dataclass(frozen=True)
class State:
    """What the wrapper of one process last wrote."""

    name: str
    # waiting | starting | ready | restarting | failed | stopped
    status: str
    wrapper: Identity
    child: Identity | None = None
    note: str = ""
    restarts: int = 0
    since: float = field(default_factory=time.time)

    def changed(self, **values: object) -> Self:
        """The same with other values; a new status starts a new `since`."""
        fresh = {"since": time.time()} if values.get("status", self.status) != self.status else {}
        return replace(self, **{**fresh, **values})  # type: ignore[arg-type]

    def save(self, folder: Path) -> None:
        """Write it for the others to read."""
        environment.replace(folder / f"{self.name}.json", json.dumps(asdict(self)))

    @property
    def alive(self) -> bool:
        """Whether the wrapper that wrote this still runs."""
        return self.wrapper.process is not None


def read(folder: Path, name: str) -> State | None:
    """The last state of one process, whether it lives or not; None when it never ran."""
    try:
        raw: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
        raw["wrapper"] = Identity(**raw["wrapper"])
        raw["child"] = Identity(**raw["child"]) if raw["child"] else None
        return State(**raw)
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return None


def is_ready(folder: Path, name: str) -> bool:
    """Whether a process runs and can work."""
    state = read(folder, name)
    return state is not None and state.status == "ready" and state.alive


def living(folder: Path) -> list[State]:
    """The states of all whose wrapper or child still runs."""
    names = sorted(path.stem for path in folder.glob("*.json"))
    found = [state for name in names if (state := read(folder, name))]
    return [one for one in found if one.alive or (one.child and one.child.process)]


def end(
    identities: Iterable[Identity], patience: float, sign: signal.Signals = signal.SIGTERM
) -> list[Identity]:
    """Ask these to stop, kill those that did not within `patience` seconds; the killed ones."""
    asked = [one for one in identities if one.send(sign)]
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and any(one.process for one in asked):
        time.sleep(0.05)
    return [one for one in asked if one.send_group(signal.SIGKILL) or one.send(signal.SIGKILL)]

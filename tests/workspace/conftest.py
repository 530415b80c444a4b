"""Small programs under real wrappers, and what they and their children did."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from scripts import stack as stacks
from scripts import state as states
from scripts.environment import ROOT
from scripts.state import State

LONE = Path(__file__).with_name("lone.py")
PATIENCE_SECONDS = 30.0

SERVER = """
import http.server, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
print("serving version one", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def eventually[T](look: Callable[[], T | None], what: str | Callable[[], str]) -> T:
    """The first true answer; fails with `what` when none comes for a long time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.02)
    pytest.fail(f"it never happened: {what if isinstance(what, str) else what()}")


@dataclass
class Lone:
    """A wrapper that keeps one small program running."""

    home: Path
    port: int
    folder: Path
    process: subprocess.Popen[str] | None = None
    given: dict[str, str] = field(default_factory=dict)

    @property
    def program(self) -> Path:
        return self.folder / "program.py"

    def start(
        self,
        text: str,
        *,
        needs: tuple[str, ...] = (),
        ready_path: str | None = "/",
        given: dict[str, str] | None = None,
        starter: tuple[str, ...] = (),
    ) -> "Lone":
        self.folder.mkdir(parents=True, exist_ok=True)
        self.program.write_text(text)
        specification = self.home / "specification.json"
        specification.parent.mkdir(parents=True, exist_ok=True)
        specification.write_text(
            json.dumps(
                {
                    "home": str(self.home),
                    "given": {"RUNBENCH_PORT_BASE": str(self.port), **(given or {})},
                    "command": [sys.executable, str(self.program)],
                    "folder": str(self.folder),
                    "needs": needs,
                    "ready_path": ready_path,
                }
            )
        )
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **self.given}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.process = subprocess.Popen(
            [*starter, sys.executable, str(LONE), str(specification)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
        return self

    @property
    def state(self) -> State | None:
        return states.read(self.home / "state", "portal")

    @property
    def log(self) -> str:
        path = self.home / "logs" / "portal.log"
        return path.read_text() if path.exists() else ""

    def until(self, status: str, *, restarts: int = 0) -> State:
        def look() -> State | None:
            state = self.state
            right = state and state.status == status and state.restarts >= restarts
            return state if right else None

        return eventually(look, lambda: f"{status} after {restarts} restarts; log:\n{self.log}")

    def until_said(self, words: str, *, times: int = 1) -> str:
        return eventually(
            lambda: self.log if self.log.count(words) >= times else None,
            lambda: f"{words!r}; the log says:\n{self.log}",
        )

    def signal(self, sign: signal.Signals) -> None:
        state = self.state
        assert state is not None
        assert state.wrapper.send(sign)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE_SECONDS)


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[Lone]:
    made = Lone(tmp_path / "home", stacks.free_base(), tmp_path / "program")
    yield made
    made.stop()


@pytest.fixture
def gone() -> Callable[[int], None]:
    """Wait until a process has ended (a zombie has)."""

    def ended(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    return lambda pid: eventually(lambda: ended(pid), f"the end of {pid}") and None

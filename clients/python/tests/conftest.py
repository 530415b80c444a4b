"""A server of the test's own, and an environment in which nothing of the user's is read."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from server import TOKEN, Server


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in list(os.environ):
        if name.startswith("RUNBENCH_") or name in ("RANK", "SLURM_PROCID"):
            monkeypatch.delenv(name)
    home = tmp_path / "runbench"
    monkeypatch.setenv("RUNBENCH_DIR", str(home))
    monkeypatch.setenv("RUNBENCH_CONFIG_DIR", str(tmp_path / "config"))
    return home


@pytest.fixture
def online(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("RUNBENCH_URL", server.url)
    monkeypatch.setenv("RUNBENCH_TOKEN", TOKEN)
    monkeypatch.setenv("RUNBENCH_PROJECT", "bench")
    return server


@pytest.fixture
def spools(environment: Path) -> Callable[[], list[Path]]:
    return lambda: sorted((environment / "spool").glob("*/"))


def script(text: str, **more: Any) -> subprocess.Popen[str]:
    """A Python process of the user's."""
    return subprocess.Popen(
        [sys.executable, "-c", text],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait for what has to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)

"""A server of the test's own, and an environment in which nothing of the user's is read."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
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
    # On a busy machine the few seconds that suit a person are not enough.
    monkeypatch.setenv("RUNBENCH_FINISH_TIMEOUT", "120")
    monkeypatch.setattr("runbench.run.URL_SECONDS", 60.0)
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

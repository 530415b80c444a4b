"""MLflow's own tracking server, as it comes and as fast as it can be set up."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from localpostgres.cluster import free_port

from benchmarks.load import Target
from benchmarks.machine import family

START_SECONDS = 120.0
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class SetUp:
    """A way to run the server."""

    name: str
    options: str = ""
    variables: tuple[tuple[str, str], ...] = ()


AS_IT_COMES = SetUp("MLflow")
# Two workers on two cores, and none of the processes for jobs that tracking does not need.
FASTEST = SetUp(
    "MLflow, gunicorn",
    options="--workers 2 --gunicorn-opts '--log-level warning'",
    variables=(("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false"),),
)


@dataclass(frozen=True, slots=True)
class Peer:
    """A running server."""

    target: Target
    pid: int
    start_seconds: float


@contextlib.contextmanager
def mlflow_server(set_up: SetUp, database_url: str, home: Path) -> Generator[Peer]:
    """`mlflow server` on this database, until the block ends.

    Raises SystemExit with its last words when it does not start.
    """
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--backend-store-uri", _store(database_url)),
        *("--artifacts-destination", str(home / "artifacts")),
        *shlex.split(set_up.options),
    ]
    log = home / f"{set_up.name}.log"
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=home,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", **dict(set_up.variables)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        while not _healthy(address):
            if process.poll() is not None or time.monotonic() - began > START_SECONDS:
                raise SystemExit(f"MLflow did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield Peer(Target(set_up.name, address), process.pid, time.monotonic() - began)
    finally:
        _end(process)


PREPARE = """
import sys
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
store = SqlAlchemyStore(sys.argv[1], sys.argv[2])
experiment = store.create_experiment(sys.argv[3])
print(experiment, store.create_run(experiment, "bench", 0, [], "long").info.run_id)
"""


def prepare(database_url: str, home: Path, experiment: str) -> tuple[str, str]:
    """Make MLflow's tables, an experiment and a run, so that no start has to; both ids."""
    words = [sys.executable, "-c", PREPARE, _store(database_url), str(home / "artifacts")]
    made = subprocess.run([*words, experiment], check=True, capture_output=True, text=True)
    experiment_id, run_id = made.stdout.split()[-2:]
    return experiment_id, run_id


def _store(database_url: str) -> str:
    return database_url.replace("postgresql://", "postgresql+psycopg2://", 1)


def _healthy(address: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{address}/health", timeout=5).is_success
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server and all that it started, some of it in sessions of their own."""
    started = family([process.pid])
    process.send_signal(signal.SIGTERM)
    _, left = psutil.wait_procs(started, STOP_SECONDS)
    for straggler in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            straggler.kill()
    process.wait()

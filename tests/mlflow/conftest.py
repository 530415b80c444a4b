"""The real `mlflow` package against Runbench, and against MLflow's own server beside it."""

import os

# Read when mlflow is imported.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "2"
os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
os.environ["MLFLOW_REQUIREMENTS_INFERENCE_RAISE_ERRORS"] = "false"

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import mlflow
import pytest

from benchmarks.peers import SetUp, mlflow_server
from scripts.stack import Stack
from tests.mlflow.differences import put_aside
from tests.mlflow.recording import Call, Recorder
from tests.support.world import Person, register

QUIET = (("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false"),)


@dataclass
class Bench:
    """A project of its own, whose owner makes tokens."""

    gateway: httpx.Client
    owner: Person
    project_id: str
    slug: str

    def token(self, role: str = "editor") -> str:
        response = self.gateway.post(
            f"/api/v1/projects/{self.project_id}/tokens",
            json={"name": role, "role": role},
            headers={"Authorization": f"Bearer {self.owner.access_token}"},
        )
        assert response.status_code == 201, response.text
        return response.json()["token"]


@pytest.fixture(scope="session")
def make_bench(stack: Stack) -> Iterator[Callable[[], Bench]]:
    with httpx.Client(base_url=stack.gateway_url, timeout=60) as gateway:

        def make() -> Bench:
            owner = register(gateway, "owner")
            response = gateway.post(
                "/api/v1/projects",
                json={"name": "Vision"},
                headers={"Authorization": f"Bearer {owner.access_token}"},
            )
            assert response.status_code == 201, response.text
            project = response.json()
            return Bench(gateway, owner, project["id"], project["slug"])

        yield make


@pytest.fixture(scope="session")
def bench(make_bench: Callable[[], Bench]) -> Bench:
    return make_bench()


@pytest.fixture(scope="session")
def token(bench: Bench) -> str:
    return bench.token()


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of MLflow's own server, on a database of its own."""
    home = tmp_path_factory.mktemp("peer")
    set_up = SetUp("MLflow", options="--workers 1", variables=QUIET)
    with mlflow_server(set_up, f"sqlite:///{home}/mlflow.db", home) as server:
        yield server.target.address


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Turn mlflow to a server, with nothing left of what it did elsewhere."""

    def turn(address: str, token: str = "") -> None:
        while mlflow.active_run():
            mlflow.end_run()
        mlflow.clear_active_model()
        for name in ("USERNAME", "PASSWORD"):
            monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token)
        monkeypatch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
        mlflow.set_tracking_uri(address)
        mlflow.set_registry_uri(address)
        mlflow.tracking.fluent._active_experiment_id = None

    yield turn
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.sklearn.autolog(disable=True)


@pytest.fixture
def ours(stack: Stack, token: str, at: Callable[[str, str], None]) -> str:
    """mlflow turned to Runbench; its address."""
    at(stack.gateway_url, token)
    return stack.gateway_url


type Scenario = Callable[[Path], Any]


@pytest.fixture
def both(
    stack: Stack, token: str, peer: str, at: Callable[[str, str], None], tmp_path: Path
) -> Callable[..., Any]:
    """Do the same with both servers and compare what they answered, field by field.

    `calls=False` compares what the scenario answers alone, where threads decide about the order
    of requests.
    """

    def compare(scenario: Scenario, *, calls: bool = True) -> Any:
        outcomes: list[Any] = []
        recorded: list[list[Call]] = []
        for name, address, secret in (("ours", stack.gateway_url, token), ("peer", peer, "")):
            at(address, secret)
            folder = tmp_path / name
            folder.mkdir()
            recorder = Recorder(address)
            with recorder.recording():
                outcome = scenario(folder)
            recorded.append(recorder.comparable())
            outcomes.append(recorder.plain(outcome))
        if calls:
            _compare(*recorded)
        assert outcomes[0] == outcomes[1]
        return outcomes[0]

    return compare


def _compare(ours: list[Call], theirs: list[Call]) -> None:
    differences = [
        f"{one}\n  Runbench: {one.status} {put_aside(one.answer)}"
        f"\n  MLflow:   {other.status} {put_aside(other.answer)}"
        for one, other in zip(ours, theirs, strict=False)
        if (one.status, put_aside(one.answer)) != (other.status, put_aside(other.answer))
    ]
    assert not differences, "\n".join(differences)
    assert [str(call) for call in ours] == [str(call) for call in theirs]

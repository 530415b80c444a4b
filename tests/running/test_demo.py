"""The demo data, in a running stack: there once, the same, and safe to make again."""

import signal
import time

import httpx
import pytest

from scripts import demo_rig, seed
from scripts.demo import experiments
from scripts.environment import DEMO_PASSWORD
from scripts.stack import Stack

RUNS = sum(len(experiment.runs) for experiment in experiments())


@pytest.fixture(scope="module")
def said(stack: Stack) -> list[str]:
    lines: list[str] = []
    assert seed.sow(stack.workspace, lines.append) == RUNS
    return lines


@pytest.fixture(scope="module")
def owner(stack: Stack, said: list[str]):
    with seed.Person.signed_in(stack.gateway_url, "demo@runbench.dev", "Dana Demo") as person:
        yield person


def test_a_second_seed_changes_nothing(stack: Stack, said: list[str], owner: seed.Person):
    project = seed.project_of(owner)
    token = seed.token(stack.workspace)
    before = owner.all(f"/api/v1/projects/{project}/runs", archived="all")

    assert seed.sow(stack.workspace, said.append) == 0

    after = owner.all(f"/api/v1/projects/{project}/runs", archived="all")
    assert after == before
    assert len(after) == RUNS
    assert seed.token(stack.workspace) == token


def test_the_demo_has_every_kind_of_run(owner: seed.Person):
    project = seed.project_of(owner)
    runs = {run["name"]: run for run in owner.all(f"/api/v1/projects/{project}/runs")}
    statuses = [run["status"] for run in runs.values()]

    assert statuses.count("failed") == 1
    assert statuses.count("running") == 1
    assert runs["diverging"]["metrics"]["train/loss"] == "NaN"
    assert runs["1500rpm-wear0.5"]["parent_run_id"] == runs["series-A"]["id"]


def test_the_token_of_the_summary_works_for_programs(stack: Stack, said: list[str]):
    token = seed.token(stack.workspace)
    assert token is not None

    with seed.Person(stack.gateway_url, token, "") as program:
        assert program.ask("/auth/me")["kind"] == "token"
    assert (stack.workspace.home / seed.MARK).stat().st_mode & 0o077 == 0


def test_the_viewer_reads_and_may_not_write(stack: Stack, owner: seed.Person):
    project = seed.project_of(owner)
    with seed.Person.signed_in(stack.gateway_url, "viewer@runbench.dev", "Vera") as viewer:
        assert viewer.ask(f"/api/v1/projects/{project}/runs", limit=1)["items"]
        with pytest.raises(seed.SeedError, match="403"):
            viewer.say("POST", f"/api/v1/projects/{project}/experiments", {"name": "no"})


def test_the_first_administrator_is_there(stack: Stack):
    answer = httpx.post(
        f"{stack.gateway_url}/auth/login",
        json={"email": "admin@runbench.dev", "password": DEMO_PASSWORD},
    )

    assert answer.json()["user"]["is_admin"] is True


@pytest.mark.parametrize("name", ["auth-service", "metrics-service", "api-gateway", "auth-proxy"])
def test_a_killed_process_is_back_by_itself_and_no_other_is_touched(stack: Stack, name: str):
    others = {
        other: stack.identity(other)
        for other in ("auth-service", "experiment-service", "metrics-service", "postgres")
        if other != name
    }
    victim = stack.identity(name)

    assert victim.send(signal.SIGKILL)

    assert stack.wait_until_ready(name, other_than=victim) != victim
    assert {other: stack.identity(other) for other in others} == others
    assert f"{name} was killed by signal 9" in (stack.log_dir / f"{name}.log").read_text()


def test_the_demo_rig_sends_until_it_is_told_to_end(
    stack: Stack, said: list[str], owner: seed.Person
):
    project = seed.project_of(owner)
    running = demo_rig.start(stack.workspace)
    try:
        deadline = time.monotonic() + 60
        while len(heard := heard_of(owner, project)) < 3:
            assert time.monotonic() < deadline, heard
            time.sleep(0.2)
        assert set(heard) == {"model-imu", "tunnel-pressure", "tunnel-temperature"}
    finally:
        running.terminate()
        assert running.wait(20) == 0


def heard_of(owner: seed.Person, project: str) -> list[str]:
    sensors = owner.all(f"/api/v1/projects/{project}/sensors")
    return [sensor["name"] for sensor in sensors if sensor["readings"]]

"""The Python client against the real services."""

import csv
import io
import json
import math
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
import runbench
from runbench.cli import main

from scripts.stack import Stack
from tests.support.world import register


@dataclass
class Bench:
    """A project of its own, and what a script needs to record into it."""

    variables: dict[str, str]
    make_token: Callable[[str], str]

    def python(self, text: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", text],
            env={**os.environ, **self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *arguments: str) -> str:
        """What the command line says; in this process, because starting one takes its time."""
        said = io.StringIO()
        with (
            patch.dict(os.environ, self.variables),
            patch.object(sys, "argv", ["runbench", *arguments]),
            redirect_stdout(said),
            pytest.raises(SystemExit) as end,
        ):
            main()
        assert not end.value.code, said.getvalue()
        return said.getvalue()


@pytest.fixture
def bench(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    with httpx.Client(base_url=stack.gateway_url, timeout=60) as gateway:
        person = register(gateway, "editor")
        headers = {"Authorization": f"Bearer {person.access_token}"}
        slug = f"bench-{uuid.uuid4().hex[:8]}"
        body = {"name": "Bench", "slug": slug}
        project = gateway.post("/api/v1/projects", json=body, headers=headers).json()

    def make_token(role: str) -> str:
        path = f"{stack.gateway_url}/api/v1/projects/{project['id']}/tokens"
        body = {"name": "client", "role": role}
        return httpx.post(path, json=body, headers=headers, timeout=60).json()["token"]

    variables = {
        "RUNBENCH_URL": stack.gateway_url,
        "RUNBENCH_TOKEN": make_token("editor"),
        "RUNBENCH_DIR": str(tmp_path / "home"),
        "RUNBENCH_CONFIG_DIR": str(tmp_path / "config"),
        "RUNBENCH_FINISH_TIMEOUT": "120",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RUNBENCH_PROJECT", raising=False)
    return Bench(variables, make_token)


def test_what_is_recorded_reads_back_bit_for_bit(bench: Bench) -> None:
    values = [0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf, 1e16]
    steps = [-(2**63), -1, 0, 1, 2**53 + 1, 2**63 - 3, 2**63 - 2, 2**63 - 1]
    config = {
        "lr": 1e-3,
        "none": None,
        "deep": {"list": [1, 2], "nan": math.nan},
        "long": "x" * 9000,
    }
    with runbench.init(experiment="exact", config=config, tags=["a", "b"], notes="*n*") as run:
        for step, value in zip(steps, values, strict=True):
            run.log({"v": value, "Потеря/α": -value}, step=step)
        run.set_tags(a=None, rig="A\nB")
        run.config["late"] = True
        run.add_note("added")
    (stored,) = runbench.runs(experiment="EXACT")
    series = stored.series("v", "Потеря/α")
    assert series["v"].step == steps
    assert [value.hex() for value in series["v"].value] == [value.hex() for value in values]
    assert series["Потеря/α"].value[1].hex() == (0.0).hex()
    assert stored.params["deep/list"] == "[1, 2]"
    assert stored.params["none"] is None
    assert stored.params["late"] is True
    assert stored.tags == {"b": "", "rig": "A B"}
    assert stored.data["notes"] == "*n*\n\nadded"
    assert stored.data["environment"]["python"]
    assert stored.status == "succeeded"
    assert set(stored.metrics()) == {"v", "Потеря/α"}


@pytest.mark.parametrize(
    "name", ["metrics-service", "experiment-service", "auth-service", "api-gateway"]
)
def test_killing_a_service_while_a_script_logs_loses_and_doubles_nothing(
    stack: Stack, bench: Bench, name: str
) -> None:
    script = bench.python(
        "import runbench, time\n"
        "with runbench.init(name='through', capture=False) as run:\n"
        "    for step in range(600):\n"
        "        run.log({'x': step, 'y': -step}, step=step)\n"
        "        if step == 100:\n"
        "            run.flush(sent=True, timeout=60)\n"
        "            print('going', flush=True)\n"
        "        time.sleep(0.005)\n"
    )
    assert script.stdout is not None
    assert script.stdout.readline() == "going\n"
    victim = stack.identity(name)
    os.kill(victim.pid, signal.SIGKILL)
    stack.wait_until_ready(name, other_than=victim)
    _, said = script.communicate(timeout=180)
    assert script.returncode == 0, said
    bench.command("sync")
    (stored,) = runbench.runs(q="through")
    for series in stored.series("x", "y").values():
        assert series.step == list(range(600))
    assert stored.status == "succeeded"


def test_the_portal_s_address_serves_programs_as_well(stack: Stack, bench: Bench) -> None:
    bench.variables["RUNBENCH_URL"] = stack.portal_url
    script = bench.python(
        "import runbench\n"
        "with runbench.init(name='by the portal', config={'lr': 1}) as run:\n"
        "    for step in range(20_000): run.log({'x': step})\n"
        "    run.add_note('hello')\n"
        "    run.flush(sent=True, timeout=100)\n"
        "    print(run.url)\n"
    )
    address, said = script.communicate(timeout=120)
    assert address.startswith(f"{stack.portal_url}/p/bench-"), said
    (stored,) = runbench.runs(q="by the portal")
    assert stored.metrics()["x"].count == 20_000
    assert stored.status == "succeeded"
    assert "ok  token" in bench.command("doctor")


def test_a_script_that_is_killed_is_sent_by_sync_and_interrupted(bench: Bench) -> None:
    script = bench.python(
        "import os, runbench\n"
        "run = runbench.init(name='killed')\n"
        "for step in range(1000): run.log({'x': step})\n"
        "run.flush()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    script.communicate(timeout=60)
    bench.command("sync")
    assert bench.command("sync").startswith("Nothing to send")
    (stored,) = runbench.runs(q="killed")
    assert stored.series("x")["x"].step == list(range(1000))
    assert stored.status == "interrupted"


def test_a_viewer_s_token_records_nothing_and_costs_nothing(bench: Bench) -> None:
    token = bench.variables["RUNBENCH_TOKEN"]
    bench.variables["RUNBENCH_TOKEN"] = bench.make_token("viewer")
    script = bench.python("import runbench\nwith runbench.init(name='v') as run: run.log({'x': 1})")
    _, said = script.communicate(timeout=60)
    assert script.returncode == 0
    assert said.count("may not write here") == 1
    bench.variables["RUNBENCH_TOKEN"] = token
    bench.command("sync")
    (stored,) = runbench.runs(q="v")
    assert stored.latest == {"x": 1.0}


def test_every_command_works_against_the_services(bench: Bench) -> None:
    with runbench.init(name="first", config={"lr": 0.5}) as run:
        for step in range(10):
            run.log({"loss": 1 / (1 + step)})
    bench.command("doctor")
    assert json.loads(bench.command("whoami", "--json"))["project"]["role"] == "editor"
    assert len(json.loads(bench.command("projects", "ls", "--json"))) == 1
    bench.command("runs", "tag", "first", "rig=A", "--remove", "none")
    listed: list[dict[str, Any]] = json.loads(
        bench.command("runs", "ls", "--tag", "rig=A", "--sort", "-metrics.loss", "--json")
    )
    assert [run["name"] for run in listed] == ["first"]
    for reference in ("@latest", "@best:-loss", listed[0]["id"], listed[0]["id"][-10:]):
        assert "first" in bench.command("runs", "show", reference)
    assert bench.command("runs", "open", "first", "--json")
    assert "loss\t10\t9\t0.1" in bench.command("metrics", "ls", "first")
    assert len(bench.command("metrics", "get", "first", "loss").splitlines()) == 11
    bench.command("run", "--name", "outer", "--", sys.executable, "-c", "pass")
    assert json.loads(bench.command("runs", "show", "outer", "--json"))["tags"]["exit_code"] == "0"


def test_a_script_killed_while_the_server_is_away_and_back_is_resumed_without_a_hole(
    stack: Stack, bench: Bench
) -> None:
    script = bench.python(
        "import runbench\n"
        "run = runbench.init(name='twice', capture=False)\n"
        "run.flush(sent=True, timeout=60)\n"
        "print(run.id, flush=True)\n"
        "for step in range(10**9):\n"
        "    run.log({'x': step, 'y': -step / 3}, step=step)\n"
        "    if step % 500 == 499:\n"
        "        run.flush()\n"
        "        print(step, flush=True)\n"
    )
    assert script.stdout is not None
    run_id = script.stdout.readline().strip()
    victim = stack.identity("metrics-service")
    os.kill(victim.pid, signal.SIGKILL)
    said = [script.stdout.readline() for _ in range(20)]
    script.kill()
    said += script.communicate(timeout=60)[0].splitlines(keepends=True)
    flushed = max(int(line) for line in said if line.endswith("\n"))
    stack.wait_until_ready("metrics-service", other_than=victim)
    with runbench.resume(run_id, capture=False) as run:
        run.log({"x": -1.0, "y": -1.0})
    bench.command("sync")
    (stored,) = runbench.runs(q="twice")
    counts = {key: metric.count for key, metric in stored.metrics().items()}
    last = counts["x"] - 2
    assert last >= flushed
    target = Path(bench.variables["RUNBENCH_DIR"]) / "points.csv"
    stored.export(target, "x", "y")
    rows = list(csv.reader(target.read_text().splitlines()))[1:]
    wanted = {"x": float, "y": lambda step: -step / 3}
    for key, value_at in wanted.items():
        points = [(int(step), float(value)) for k, step, value, *_ in rows if k == key]
        assert points == [*((step, value_at(step)) for step in range(last + 1)), (last + 1, -1.0)]
    assert stored.status == "succeeded"


def test_a_run_that_ended_takes_more_points_and_keeps_its_end(bench: Bench) -> None:
    runbench.init(name="ended", config={"lr": 1}).finish("failed")
    (stored,) = runbench.runs(q="ended")
    with runbench.resume(stored.id, {"lr": 1, "more": 2}) as run:
        run.log({"x": 1.0})
    (stored,) = runbench.runs(q="ended")
    assert (stored.status, stored.params) == ("failed", {"lr": 1, "more": 2})
    assert stored.latest == {"x": 1.0}


def test_runs_are_searched_and_exported(bench: Bench, tmp_path: Path) -> None:
    for number in range(4):
        with runbench.init(
            name=f"r{number}", config={"opt": "adam" if number % 2 else "sgd"}
        ) as run:
            for step in range(100):
                run.log({"loss": number + step / 7}, step=step)
    found = runbench.runs(filter='params.opt = "adam"', order_by="metrics.loss desc")
    assert [run.name for run in found] == ["r3", "r1"]
    listed = bench.command(
        "runs",
        "ls",
        "--filter",
        "metrics.loss < 16",
        "--order-by",
        "metrics.loss asc",
        "-o",
        "name",
    )
    assert listed.split() == ["name", "r0", "r1"]
    with pytest.raises(runbench.ApiError) as wrong:
        runbench.runs(filter="metrics.loss <")
    assert wrong.value.status == 422
    table = found[0].history("loss")
    assert table.column("step").to_pylist() == list(range(100))
    assert table.column("value").to_pylist() == [3 + step / 7 for step in range(100)]
    bench.command("export", "r3", str(tmp_path / "r3.parquet"), "loss")
    assert (tmp_path / "r3.parquet").read_bytes()[:4] == b"PAR1"
    assert "loss" in found[0].card()


def test_files_of_a_local_mlflow_store_arrive(bench: Bench, tmp_path: Path) -> None:
    run = tmp_path / "mlruns" / "1" / "aa"
    (run / "artifacts" / "plots").mkdir(parents=True)
    (run / "artifacts" / "plots" / "a b.txt").write_bytes(b"picture" * 1000)
    (run.parent / "meta.yaml").write_text("experiment_id: '1'\nname: files\n")
    (run / "meta.yaml").write_text("run_id: aa\nrun_name: one\nstatus: 3\n")
    for sent in (1, 0):
        done = json.loads(bench.command("import", "mlflow", str(run.parent.parent), "--json"))
        assert done["files"] == sent
    (stored,) = runbench.runs(experiment="files")
    path = f"/api/v1/runs/{stored.id}/artifacts/plots/a%20b.txt"
    headers = {"Authorization": f"Bearer {bench.variables['RUNBENCH_TOKEN']}"}
    answer = httpx.get(bench.variables["RUNBENCH_URL"] + path, headers=headers, timeout=60)
    assert answer.content == b"picture" * 1000


def test_event_files_of_tensorboard_arrive(bench: Bench) -> None:
    folder = Path(__file__).parents[2] / "clients/python/tests/data/tensorboard"
    for new in (2, 0):
        done = json.loads(bench.command("import", "tensorboard", str(folder), "--json"))
        assert (done["new_runs"], done["refused"]) == (new, 0)
    runs = {run.name: run for run in runbench.runs(experiment="tensorboard")}
    series = runs["train"].series("loss", "exact")
    assert series["exact"].value == [0.1 + 0.2]
    assert series["loss"].count == 21


def test_a_machine_is_measured_while_a_run_records(bench: Bench) -> None:
    with runbench.init(name="measured", system=0.2) as run:
        run.log({"x": 1.0})
        run.flush(sent=True)
        deadline = time.monotonic() + 60
        (stored,) = runbench.runs(q="measured")
        while "system/cpu_percent" not in stored.metrics():
            assert time.monotonic() < deadline
            time.sleep(0.2)

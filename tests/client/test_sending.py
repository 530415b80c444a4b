"""Sensors of the Python client against the real services: what was sent is what is stored."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import numpy as np
import pytest
import runbench
from runbench.api import Api
from runbench.registry import register
from runbench.simulation import RIGS, expected
from seriesstore.read import read_points
from seriesstore.summary import find_summaries

from scripts.stack import Stack
from tests.support.world import register as register_person

SERVICE = "telemetry-ingest-service"
START = 1_760_000_000_000_000

type Columns = tuple[list[int], list[float]]


@dataclass
class Rig:
    """A project of its own, and what a script needs to send into it."""

    stack: Stack
    project: dict[str, Any]
    variables: dict[str, str]

    def sensor(self, name: str, *signals: str) -> tuple[str, str]:
        """A new sensor: its id and token."""
        with Api(self.variables["RUNBENCH_URL"], self.variables["RUNBENCH_TOKEN"]) as api:
            body = {"name": name, "signals": [{"name": each} for each in signals]}
            made = register(api, self.project, body)
        return made["id"], made["token"]

    def sensors(self) -> dict[str, str]:
        """Ids by name."""
        return {each.name: each.id for each in runbench.sensors()}

    def stored(self, sensor_id: str, signal: str) -> Columns:
        """Every reading that stands in the store, by time."""
        return asyncio.run(self._stored(sensor_id, signal))

    async def _stored(self, sensor_id: str, signal: str) -> Columns:
        address = self.stack.database_urls[SERVICE]
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            address, server_settings={"search_path": "telemetry"}
        )
        try:
            found = await find_summaries(connection, [uuid.UUID(sensor_id)], [signal])
            if not found:
                return [], []
            points = await read_points(connection, found[0].id)
        finally:
            await connection.close()
        return points.x.tolist(), points.value.tolist()

    def script(self, text: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", text],
            env={**os.environ, **self.variables, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *arguments: str, text: str = "", **more: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "runbench", *arguments, "--json"],
            env={**os.environ, **self.variables, **more},
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def rig(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    with httpx.Client(base_url=stack.gateway_url, timeout=60) as gateway:
        person = register_person(gateway, "editor")
        headers = {"Authorization": f"Bearer {person.access_token}"}
        body = {"name": "Rig", "slug": f"rig-{uuid.uuid4().hex[:8]}"}
        project = gateway.post("/api/v1/projects", json=body, headers=headers).json()
        path = f"/api/v1/projects/{project['id']}/tokens"
        asked = {"name": "client", "role": "editor"}
        token = gateway.post(path, json=asked, headers=headers).json()["token"]
    variables = {
        "RUNBENCH_URL": stack.gateway_url,
        "RUNBENCH_TOKEN": token,
        "RUNBENCH_PROJECT": project["slug"],
        "RUNBENCH_DIR": str(tmp_path / "home"),
        "RUNBENCH_CONFIG_DIR": str(tmp_path / "config"),
        "RUNBENCH_FINISH_TIMEOUT": "120",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RUNBENCH_SENSOR_TOKEN", raising=False)
    return Rig(stack, project, variables)


def eventually(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def test_everything_that_is_sent_is_stored_bit_for_bit(rig: Rig) -> None:
    sensor, token = rig.sensor("exact", "a", "b")
    values = [0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, float("nan"), 1e16]
    wide = np.random.default_rng(3).normal(size=60_000)
    times = np.arange(START, START + 60_000)
    with runbench.Sensor(token) as sending:
        for place, value in enumerate(values):
            sending.send("a", START + place, value)
        sending.send_many("b", times, wide)
    assert (sending.refused, sending.dropped) == (0, 0)
    found = rig.stored(sensor, "a")
    assert found[0] == [START + place for place in range(len(values))]
    assert [value.hex() for value in found[1]] == [value.hex() for value in values]
    assert rig.stored(sensor, "b") == (times.tolist(), wide.tolist())


@pytest.mark.parametrize("name", [SERVICE, "api-gateway"])
def test_killing_a_service_while_a_sensor_sends_loses_and_doubles_nothing(
    stack: Stack, rig: Rig, name: str
) -> None:
    sensor, token = rig.sensor("through", "x")
    script = rig.script(
        "import runbench, time\n"
        "with runbench.Sensor() as rig:\n"
        "    for n in range(3000):\n"
        f"        rig.send('x', {START} + n, n)\n"
        "        if n == 500:\n"
        "            rig.flush(sent=True, timeout=60)\n"
        "            print('going', flush=True)\n"
        "        time.sleep(0.001)\n",
        RUNBENCH_SENSOR_TOKEN=token,
    )
    assert script.stdout is not None
    assert script.stdout.readline() == "going\n"
    victim = stack.identity(name)
    os.kill(victim.pid, signal.SIGKILL)
    stack.wait_until_ready(name, other_than=victim)
    _, said = script.communicate(timeout=180)
    assert script.returncode == 0, said
    assert rig.stored(sensor, "x") == ([START + n for n in range(3000)], list(range(3000)))


def test_a_killed_sender_is_completed_by_the_next_one(rig: Rig) -> None:
    sensor, token = rig.sensor("killed", "x")
    script = rig.script(
        "import os, runbench\n"
        "rig = runbench.Sensor()\n"
        f"for n in range(5000): rig.send('x', {START} + n, n)\n"
        "rig.flush()\n"
        "os.kill(os.getpid(), 9)\n",
        RUNBENCH_SENSOR_TOKEN=token,
    )
    script.communicate(timeout=60)
    with runbench.Sensor(token) as sending:
        sending.send("x", START + 5000, 5000)
        eventually(lambda: len(rig.stored(sensor, "x")[0]) == 5001)
    assert rig.stored(sensor, "x") == ([START + n for n in range(5001)], list(range(5001)))
    spool = Path(rig.variables["RUNBENCH_DIR"]) / "spool"
    assert list(spool.iterdir()) == []


def test_a_sender_that_was_offline_is_brought_by_sync_once(rig: Rig) -> None:
    sensor, token = rig.sensor("offline", "x")
    script = rig.script(
        "import runbench\n"
        "with runbench.Sensor() as rig:\n"
        f"    for n in range(1000): rig.send('x', {START} + n, n)\n",
        RUNBENCH_SENSOR_TOKEN=token,
        RUNBENCH_URL="http://127.0.0.1:9",
        RUNBENCH_MODE="offline",
    )
    assert script.wait(60) == 0
    assert rig.stored(sensor, "x") == ([], [])
    (folder,) = (Path(rig.variables["RUNBENCH_DIR"]) / "spool").iterdir()
    assert token.rsplit("_", 1)[-1] not in (folder / "run.json").read_text()
    (outcome,) = rig.command("sync", "--to", rig.stack.gateway_url, RUNBENCH_SENSOR_TOKEN=token)
    assert (outcome["result"], outcome["refused"]) == ("sent", 0)
    assert rig.command("sync") == []
    assert rig.stored(sensor, "x") == ([START + n for n in range(1000)], list(range(1000)))


def test_an_unknown_signal_is_refused_and_the_rest_is_stored(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    sensor, token = rig.sensor("partly", "x")
    with runbench.Sensor(token) as sending:
        for n in range(10):
            sending.send("x", START + n, n)
            sending.send("y", START + n, n)
    assert sending.refused == 10
    assert rig.stored(sensor, "x")[1] == list(range(10))


def test_a_rotated_token_sends_what_the_old_one_left(rig: Rig) -> None:
    sensor, token = rig.sensor("rotated", "x")
    newer = rig.command("sensors", "rotate-token", "rotated", "--grace", "0")["token"]
    with runbench.Sensor(token) as sending:
        sending.send("x", START, 1)
        eventually(lambda: sending.trouble is not None)
    assert rig.stored(sensor, "x") == ([], [])
    (outcome,) = rig.command("sync", "--sensor-token", newer)
    assert outcome["result"] == "sent"
    assert rig.stored(sensor, "x") == ([START], [1.0])


def test_lines_of_csv_are_forwarded(rig: Rig) -> None:
    sensor, token = rig.sensor("csv", "load", "temp")
    lines = "".join(f"{START + n},{n / 3!r},{n}\n" for n in range(500))
    told = rig.command("forward", text=f"time,load,temp\n{lines}", RUNBENCH_SENSOR_TOKEN=token)
    assert told == {"readings": 1000, "refused": 0, "dropped": 0, "bad_lines": 0, "arrived": True}
    assert rig.stored(sensor, "load")[1] == [n / 3 for n in range(500)]


@pytest.mark.parametrize("scenario", ["dropout", "out-of-order"])
def test_a_simulated_rig_sends_what_can_be_worked_out_again(rig: Rig, scenario: str) -> None:
    told = rig.command(
        "simulate", "wind-tunnel", "--fast", "--seconds", "20", "--seed", "11", "-s", scenario
    )
    assert told["arrived"]
    ids = rig.sensors()
    made = expected(
        RIGS["wind-tunnel"], scenario, seed=told["seed"], start=told["start"], seconds=20
    )
    for (sensor, name), columns in made.items():
        assert rig.stored(ids[sensor], name) == columns, (sensor, name)


def test_what_was_sent_reads_back_converted_and_exports_whole(rig: Rig, tmp_path: Path) -> None:
    told = rig.command("simulate", "pump", "--fast", "--seconds", "30", "--seed", "2")
    made = expected(RIGS["pump"], seed=2, start=told["start"], seconds=30)
    flow = next(each for each in runbench.sensors() if each.name == "pump-flow")
    times, values = made["pump-flow", "flow"]
    series = flow.series("flow")["flow"]
    assert (series.t, series.raw, series.exact) == (times, values, True)
    assert series.physical == [0.25 * value for value in values]
    assert flow.latest()["flow"]["raw"] == values[-1]
    table = flow.history("flow", values="raw")
    assert table.num_rows == len(values)
    assert values == table.column(table.column_names.index("raw")).to_pylist()
    assert flow.export(tmp_path / "flow.parquet").stat().st_size > 0
    part = flow.series("flow", start=times[10], end=times[19])["flow"]
    assert part.raw == values[10:20]


def test_a_file_that_was_recorded_offline_is_imported_once(rig: Rig, tmp_path: Path) -> None:
    sensor, _ = rig.sensor("logger", "x", "y")
    file = tmp_path / "card.csv"
    rows = "".join(f"{START + place},{place / 3!r},{-place}\n" for place in range(70_000))
    file.write_text(f"t,x,y\n{rows}")

    first = rig.command("sensors", "import", "logger", str(file))
    again = rig.command("sensors", "import", "logger", str(file), "--time-unit", "us")

    assert (first["rows"], first["accepted"], first["duplicates"]) == (70_000, 140_000, 0)
    assert (again["accepted"], again["duplicates"]) == (140_000, 140_000)
    times, values = rig.stored(sensor, "x")
    assert times == [START + place for place in range(70_000)]
    assert values == [place / 3 for place in range(70_000)]


def test_a_file_whose_readings_are_refused_is_told_and_fails_the_command(
    rig: Rig, tmp_path: Path
) -> None:
    rig.sensor("logger", "x")
    file = tmp_path / "card.csv"
    file.write_text(f"t,x\n{START},1\n{START + 1},warm\n")

    done = subprocess.run(
        [sys.executable, "-m", "runbench", "sensors", "import", "logger", str(file)],
        env={**os.environ, **rig.variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 1
    assert "1 readings are stored" in done.stderr
    assert "not a number" in done.stdout
    file.write_text("t,wind\n1,2\n")
    done = subprocess.run(
        [sys.executable, "-m", "runbench", "sensors", "import", "logger", str(file)],
        env={**os.environ, **rig.variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "no such signals: wind" in done.stderr


def test_a_rig_is_captured_from_the_script_that_runs_it(rig: Rig) -> None:
    sensor, token = rig.sensor("captured", "x")
    with runbench.init(experiment="gusts", name="c", capture=False) as run:
        with (
            run.capture(sensors=["captured"], name="first") as session,
            runbench.Sensor(token) as sending,
        ):
            session.mark("flaps out")
            sending.send("x", None, 1.0)
        assert session.data["status"] == "stopped"
    assert rig.command("capture", "ls", "c")[0]["name"] == "first"
    (stored,) = runbench.runs(q="c")[0].capture_sessions()
    assert stored.id == session.id
    when = rig.stored(sensor, "x")[0]
    assert len(when) == 1

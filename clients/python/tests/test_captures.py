"""Sensors and capture sessions from scripts and the command line."""

import json
import sys

import pytest
from server import SENSOR_TOKEN

import runbench
from runbench.api import ApiError, Unreachable
from runbench.cli import main
from runbench.simulation import RIGS

START = 1_760_000_000_000_000


@pytest.fixture
def command(online, monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["runbench", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return end.value.code or 0, said.out, said.err

    return run


@pytest.fixture
def registered(command):
    for name, signal in (("load-cell", "load:V:kN"), ("imu", "acc")):
        assert command("sensors", "register", name, signal)[0] == 0


def test_a_sensor_is_registered_and_its_token_printed_alone(command, online):
    code, out, err = command(
        "sensors", "register", "load-cell", "load:V:kN", "temp:°C", "raw", "--type", "bridge",
        "--rate", "100",
    )  # fmt: skip
    assert (code, out) == (0, f"{SENSOR_TOKEN}\n")
    assert "not shown again" in err
    (sensor,) = online.sensors.values()
    assert (sensor["name"], sensor["type"]) == ("load-cell", "bridge")
    rate = {"expected_rate_hz": 100.0}
    assert sensor["signals"] == [
        {"name": "load", "input_unit": "V", "display_unit": "kN", **rate},
        {"name": "temp", "input_unit": "°C", "display_unit": "°C", **rate},
        {"name": "raw", **rate},
    ]


def test_a_name_that_is_taken_is_said(command, registered):
    code, out, err = command("sensors", "register", "Load-Cell", "x")
    assert (code, out) == (1, "")
    assert "has this name" in err


def test_sensors_are_listed_with_health(command, registered):
    code, out, _ = command("sensors", "ls")
    assert code == 0
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[0] for row in rows] == ["name", "imu", "load-cell"]
    assert rows[2][2:4] == ["load", "never"]
    assert "no sensors" in command("sensors", "ls", "--health", "online")[2]


def test_a_token_is_rotated_by_name_or_id(command, registered, online):
    found = next(each for each in online.sensors.values() if each["name"] == "imu")
    assert command("sensors", "rotate-token", "IMU", "--grace", "60")[1] == f"{SENSOR_TOKEN}\n"
    assert command("sensors", "rotate-token", found["id"], "--json")[0] == 0
    assert online.rotations == [("imu", 60), ("imu", 86_400)]
    assert command("sensors", "rotate-token", "none")[0] == 4
    assert command("sensors", "rotate-token", "imu", "--grace", "-1")[0] == 2


def test_a_simulated_rig_is_registered_once_with_its_profiles(command, online, monkeypatch):
    arguments = ("simulate", "pump", "--fast", "--seconds", "1", "--start", str(START), "--json")
    first = json.loads(command(*arguments)[1])
    assert {each["name"] for each in online.sensors.values()} == {d.name for d in RIGS["pump"]}
    (profile,) = online.profiles.values()
    assert (profile["signal"], profile["state"], profile["valid_from"]) == (
        "flow", "active", "2025-10-09T08:53:20.000000Z",
    )  # fmt: skip
    assert command(*arguments)[0] == 0
    assert len(online.sensors) == 2
    assert [name for name, _ in online.rotations] == ["pump-flow", "pump-bearing"]
    sent = sum(each["readings"] for each in first["sent"])
    assert len(online.readings) == 2 * sent == 2 * (20 + 100 + 1)


def test_a_capture_records_from_the_start_of_its_block_to_the_end(online, registered):
    with runbench.init() as run:
        with run.capture(sensors=["load-cell"], name="first", pin_profiles=True) as session:
            assert session.ordinal == 1
            session.mark("flaps out")
            (capture,) = online.captures.values()
            assert capture["status"] == "running"
        assert capture["status"] == "stopped"
        assert [each["name"] for each in capture["sensors"]] == ["load-cell"]
        assert (capture["name"], capture["pin_profiles"]) == ("first", True)
        assert [(e["kind"], e["text"]) for e in capture["events"]] == [("mark", "flaps out")]
        with run.capture() as session:
            assert session.ordinal == 2


def test_what_breaks_a_capture_stands_on_its_timeline(online, registered):
    with runbench.init() as run:
        with pytest.raises(ZeroDivisionError), run.capture():
            raise ZeroDivisionError("by zero")
        (capture,) = online.captures.values()
        assert capture["status"] == "stopped"
        assert [e["text"] for e in capture["events"]] == ["ZeroDivisionError: by zero"]


def test_a_capture_that_cannot_begin_raises(online, registered):
    with runbench.init() as run:
        with pytest.raises(LookupError, match="none"):
            run.capture(sensors=["none"])
        with run.capture(), pytest.raises(ApiError, match="is recording"):
            run.capture()
        online.stop()
        with pytest.raises(Unreachable):
            run.capture()
        online.start()
    with runbench.init(mode="offline") as run, pytest.raises(RuntimeError, match="does not know"):
        run.capture()


def test_a_mark_or_stop_that_fails_does_not_fail_the_script(online, registered):
    with runbench.init() as run:
        online.fail("POST .*/(stop|events)", 503, times=2)
        with run.capture() as session:
            session.mark("lost")
        assert online.captures[session.id]["status"] == "running"


def test_captures_are_started_marked_and_stopped_from_the_command_line(command, online, registered):
    run = runbench.init(name="r1")
    assert run.id
    assert "session 1 records imu" in command("capture", "start", "r1", "-s", "imu")[1]
    assert command("capture", "start", "r1")[0] == 1
    assert command("capture", "mark", "r1", "valve open")[0] == 0
    assert command("capture", "stop", "r1")[1] == "session 1 is stopped\n"
    code, _, err = command("capture", "stop", "r1")
    assert (code, "no capture session" in err) == (4, True)
    assert command("capture", "ls", "r1")[1].splitlines()[1].startswith("1\t\tstopped")
    (capture,) = online.captures.values()
    assert [event["text"] for event in capture["events"]] == ["valve open"]
    run.finish()


def test_sensors_and_sessions_are_read_back(online, registered, tmp_path):
    imu, cell = runbench.sensors()
    assert (imu.name, cell.signals, cell.health) == ("imu", ["load"], "never")
    written = cell.export(tmp_path / "x.csv", "load", start=START, end=START / 1e6 + 1)
    assert json.loads(written.read_text()) == {
        "sensor_id": cell.id,
        "signal": "load",
        "from": str(START),
        "to": str(START + 1_000_000),
        "values": "both",
        "format": "csv",
    }
    with pytest.raises(ValueError, match="no format"):
        cell.export(tmp_path / "x.xls")
    with runbench.init(name="r1") as run, run.capture():
        pass
    (session,) = runbench.runs()[0].capture_sessions()
    assert (session.ordinal, session.status) == (1, "stopped")
    assert session.summary()["items"][0]["late_count"] == 1
    assert session.export(tmp_path / "y.csv").read_text() == "sensor,signal,time,raw\n"

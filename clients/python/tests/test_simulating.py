"""Rigs that do not exist, and lines of CSV: what they send can be worked out again."""

import io
import json
import sys
from collections import Counter

import pytest
from server import SENSOR_TOKEN

from runbench.cli import main
from runbench.cli.forward import parsed_time
from runbench.simulation import RIGS, SCENARIOS, SECOND, deliveries, expected

START = 1_760_000_000_000_000
TUNNEL = RIGS["wind-tunnel"]


def command(capsys, *arguments, text=None, monkeypatch=None):
    monkeypatch.setattr(sys, "argv", ["runbench", *arguments])
    if text is not None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr()
    return end.value.code or 0, said.out, said.err


@pytest.fixture
def run(capsys, monkeypatch):
    return lambda *arguments, text=None: command(
        capsys, *arguments, text=text, monkeypatch=monkeypatch
    )


@pytest.fixture
def sending(online, monkeypatch):
    monkeypatch.setenv("RUNBENCH_SENSOR_TOKEN", SENSOR_TOKEN)
    return online


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_same_arguments_make_the_same_readings(scenario):
    told = {"seed": 5, "start": START, "seconds": 3}
    first = list(deliveries(TUNNEL, scenario, **told))
    assert first == list(deliveries(TUNNEL, scenario, **told))
    assert first != list(deliveries(TUNNEL, scenario, seed=6, start=START, seconds=3))
    assert [each.due for each in first] == sorted(each.due for each in first)
    for device in TUNNEL:
        for signal in device.signals:
            times, values = expected(TUNNEL, scenario, **told)[device.name, signal.name]
            assert len(times) == len(set(times)) == len(values) == 3 * signal.rate


def test_steady_readings_come_in_order_and_soon():
    last = Counter()
    for each in deliveries(TUNNEL, start=START, seconds=2):
        assert each.t == sorted(each.t)
        assert each.t[0] > last[each.sensor, each.signal]
        assert 0 <= START + each.due - each.t[-1] <= SECOND // 5
        last[each.sensor, each.signal] = each.t[-1]
        assert not each.late


def test_a_burst_sends_what_two_seconds_gathered():
    dues = {each.due for each in deliveries(TUNNEL, "burst", start=START, seconds=6)}
    assert dues == {2 * SECOND, 4 * SECOND, 6 * SECOND}


def test_a_dropout_holds_the_middle_third_of_one_sensor_back_until_the_end():
    made = list(deliveries(TUNNEL, "dropout", start=START, seconds=9))
    late = [each for each in made if each.late]
    assert {each.sensor for each in late} == {"model-imu"}
    assert {each.due for each in late} == {9 * SECOND}
    times = [moment - START for each in late for moment in each.t]
    assert (min(times), max(times)) == (3 * SECOND, 6 * SECOND - 2000)
    assert made[-len(late) :] == late
    assert expected(TUNNEL, "dropout", start=START, seconds=9) == expected(
        TUNNEL, start=START, seconds=9
    )


def test_out_of_order_mixes_times_and_loses_none():
    made = list(deliveries(TUNNEL, "out-of-order", seed=2, start=START, seconds=3))
    axis = [moment for each in made if each.signal == "acc_x" for moment in each.t]
    assert axis != sorted(axis)
    assert sorted(axis) == expected(TUNNEL, start=START, seconds=3)["model-imu", "acc_x"][0]


def test_drift_runs_away_and_a_skewed_clock_is_off():
    steady, drift = (
        expected(TUNNEL, s, seed=3, start=START, seconds=120, rate=1) for s in ("steady", "drift")
    )
    name = ("tunnel-temperature", "inlet")
    assert drift[name][1][-1] - steady[name][1][-1] == pytest.approx(0.006 * 119 / 60)
    skewed = expected(TUNNEL, "clock-skew", seed=3, start=START, seconds=120, rate=1)
    offsets = {sensor: times[0] - START for (sensor, _), (times, _) in skewed.items()}
    assert len(set(offsets.values())) == len(TUNNEL)
    assert all(0 < abs(offset) <= 2 * SECOND for offset in offsets.values())


def test_an_endless_rig_goes_on():
    made = deliveries(TUNNEL, "dropout", start=START)
    for each in made:
        if each.due > 61 * SECOND:
            break
    assert each.due > 61 * SECOND


def test_an_unknown_scenario_is_refused():
    with pytest.raises(ValueError, match="steady"):
        next(deliveries(TUNNEL, "chaos", start=START))


def test_the_command_sends_what_can_be_worked_out_again(sending, run):
    code, out, _ = run(
        "simulate", "pump", "--fast", "--seconds", "30", "--seed", "4", "--start", str(START),
        "--scenario", "out-of-order", "--token", f"pump-bearing={SENSOR_TOKEN}", "--json",
    )  # fmt: skip
    told = json.loads(out)
    assert (code, told["seed"], told["start"], told["arrived"]) == (0, 4, START, True)
    made = expected(RIGS["pump"], "out-of-order", seed=4, start=START, seconds=30)
    wanted = sorted(
        (signal, *reading)
        for (sensor, signal), column in made.items()
        for reading in zip(*column, strict=True)
        if sensor == "pump-bearing"
    )
    assert sorted(sending.readings) == wanted
    assert sum(each["readings"] for each in told["sent"]) == len(wanted)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("moon",), "wind-tunnel"),
        (("--scenario", "chaos"), "steady"),
        (("--fast",), "--seconds"),
        (("--rate", "-1"), "--rate"),
        (("--token", "what=x"), "SENSOR=TOKEN"),
    ],
)
def test_a_wrong_option_is_a_sentence_and_code_two(sending, run, arguments, reason):
    code, _, err = run("simulate", *arguments)
    assert code == 2
    assert reason in err


def test_lines_of_csv_are_forwarded_under_the_names_of_the_header(sending, run):
    text = f"time,load,temp\n{START},1.5,20\n{START + 1},,21\n{START + 2},nan,22\n"
    code, _, err = run("forward", text=text)
    assert (code, "5 readings" in err) == (0, True)
    assert sorted(sending.readings, key=str) == sorted(
        [
            ("load", START, 1.5),
            ("load", START + 2, None),
            *(("temp", START + n, 20 + n) for n in range(3)),
        ],
        key=str,
    )


def test_lines_without_times_have_that_of_their_arrival(sending, run, tmp_path):
    file = tmp_path / "line.csv"
    file.write_text("1;2\n3;4\n")
    code, out, _ = run("forward", str(file), "-s", "a", "-s", "b", "-d", ";", "--json")
    assert (code, json.loads(out)["readings"]) == (0, 4)
    assert sorted((name, value) for name, _, value in sending.readings) == [
        ("a", 1), ("a", 3), ("b", 2), ("b", 4),
    ]  # fmt: skip


def test_a_line_that_cannot_be_read_spoils_no_other(sending, run):
    noise = f't,x\n{START},1\n{START},"\n\0\n{START}\nsoon,2\n{START + 1},two\n{START + 2},3\n'
    code, _, err = run("forward", text=noise)
    assert code == 0
    assert "4 bad lines" in err
    assert "line 3: " in err
    assert [value for _, _, value in sending.readings] == [1, 3]


@pytest.mark.parametrize(
    ("text", "options", "code", "reason"),
    [
        ("", (), 1, "empty"),
        ("1,2\n", (), 2, "--signal"),
        ("a,a\n", (), 2, "same name"),
        ("a,b\n", ("--time", "when"), 2, "no column 'when'"),
        ("a,b\n", ("--delimiter", "--"), 2, "one character"),
    ],
)
def test_a_stream_that_says_nothing_is_refused(sending, run, text, options, code, reason):
    ended, _, err = run("forward", *options, text=text)
    assert (ended, reason in err) == (code, True)
    assert sending.readings == []


def test_forwarding_without_a_token_says_where_it_comes_from(online, run):
    code, _, err = run("forward", text="a\n1\n")
    assert code == 2
    assert "RUNBENCH_SENSOR_TOKEN" in err


@pytest.mark.parametrize(
    "text",
    [
        str(START),
        str(START * 1000),
        str(START // 1000),
        str(START // SECOND),
        f"{START / SECOND:.3f}",
        "2025-10-09T08:53:20Z",
        "2025-10-09T11:53:20.000000+03:00",
    ],
)
def test_times_are_read_in_every_usual_unit(text):
    assert parsed_time(text) == START


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        parsed_time("2025-10-09T08:53:20")

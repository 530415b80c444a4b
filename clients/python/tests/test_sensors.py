"""A sensor's readings: what may be given, and that each arrives once, whatever fails meanwhile."""

import json
import math
import os
import signal
import time
from array import array
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from server import CUT, SENSOR_TOKEN
from support import needs_fork, script, until

import runbench
from runbench import settings
from runbench.spool import is_busy, leftovers, read_records
from runbench.sync import sync
from runbench.values import NotRecordable

START = 1_760_000_000_000_000


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("runbench.recorder.BACKOFF_FIRST", 0.02)
    monkeypatch.setattr("runbench.recorder.BACKOFF_MOST", 0.1)


@pytest.fixture
def sending(online, monkeypatch):
    monkeypatch.setenv("RUNBENCH_SENSOR_TOKEN", SENSOR_TOKEN)
    return online


def sync_all(**more):
    until(lambda: not any(is_busy(folder) for folder in leftovers(settings.spool_root())))
    return sync(settings.spool_root(), **more)


def test_each_reading_arrives_once_and_exactly(sending, spools):
    sent = [("load", START + n, math.sin(n) / 3) for n in range(25_000)]
    with runbench.Sensor() as rig:
        for reading in sent:
            rig.send(*reading)
    assert sorted(sending.readings) == sent
    assert rig.recorded == len(sent)
    assert (rig.refused, rig.dropped) == (0, 0)
    assert spools() == []


def test_a_reading_without_a_name_has_that_of_the_sensor(sending):
    with runbench.Sensor(SENSOR_TOKEN) as rig, runbench.Sensor(signal="t1") as other:
        rig.send(START, 1)
        other.send(START, 2)
        other.send("t2", START, 3)
    assert sorted(sending.readings) == [("t1", START, 2), ("t2", START, 3), ("value", START, 1)]


@pytest.mark.parametrize(
    "given",
    [
        START,
        START / 1e6,
        datetime.fromtimestamp(START / 1e6, UTC),
        datetime.fromtimestamp(START / 1e6, timezone(timedelta(hours=3))),
        np.int64(START),
        np.float64(START / 1e6),
        np.datetime64(START, "us"),
    ],
)
def test_a_time_may_be_micros_seconds_or_a_date(sending, given):
    with runbench.Sensor() as rig:
        rig.send(given, 1.5)
    assert sending.readings == [("value", START, 1.5)]


def test_no_time_is_now(sending):
    with runbench.Sensor() as rig:
        rig.send(None, 1)
    ((_, when, _),) = sending.readings
    assert abs(when - time.time() * 1e6) < 60e6


@pytest.mark.parametrize(
    ("times", "values"),
    [
        ([START, START + 1], [1, 2.5]),
        ((START + n for n in range(2)), iter((1, 2.5))),
        (array("q", [START, START + 1]), array("d", [1, 2.5])),
        (np.array([START, START + 1]), np.array([1, 2.5], dtype="float32")),
        (np.array([START, START + 1]).astype("datetime64[us]"), np.array([1, 2.5])),
        (np.array([START, START + 1]) / 1e6, [1, 2.5]),
        (np.arange(START, START + 4)[::2] // 2 * 2 - [0, 1], np.array([1, 9, 2.5])[::2]),
    ],
)
def test_columns_may_be_of_any_kind(sending, times, values):
    with runbench.Sensor() as rig:
        rig.send_many("x", times, values)
    assert sending.readings == [("x", START, 1), ("x", START + 1, 2.5)]


def test_a_column_larger_than_a_request_goes_in_several(sending):
    times, values = np.arange(START, START + 35_000), np.random.default_rng(1).normal(size=35_000)
    with runbench.Sensor() as rig:
        rig.send_many("x", times, values)
    sent = list(zip(["x"] * 35_000, times.tolist(), values.tolist(), strict=True))
    assert sorted(sending.readings) == sent
    assert sending.count("POST /api/v1/telemetry") >= 4


def test_nan_and_none_mark_a_gap(sending):
    with runbench.Sensor() as rig:
        rig.send_many([START, START + 1, START + 2], [1, math.nan, None])
    assert sending.readings == [("value", START + n, [1, None, None][n]) for n in range(3)]


def test_what_cannot_be_stored_is_counted_said_once_and_costs_only_itself(sending, caplog):
    with runbench.Sensor() as rig:
        for n in range(3):
            rig.send(START + n, math.inf)
            rig.send(n, 1)
        rig.send_many([START, 5, START + 9], [1, 2, -math.inf])
        rig.send("2024-01-01", 1)
        rig.send(START, "warm")
        rig.send_many([START], [1, 2])
    assert sending.readings == [("value", START, 1)]
    assert rig.refused == 8 + 2 + 2
    said = caplog.text
    assert said.count("before 1990") == 1
    assert said.count("infinite") == 1
    for reason in ("'str' is no time", "'value' is text", "1 times and 2 values"):
        assert reason in said


def test_strict_raises_what_else_is_only_said(sending, monkeypatch):
    monkeypatch.setenv("RUNBENCH_STRICT", "1")
    with runbench.Sensor() as rig:
        for bad in ((START, math.inf), (7, 1), ("soon", 1), ("", START, 1)):
            with pytest.raises(NotRecordable):
                rig.send(*bad)
        rig.close()
        with pytest.raises(NotRecordable, match="closed"):
            rig.send(START, 1)
    assert sending.readings == []


def test_readings_the_server_refuses_are_counted_and_kept_aside(sending, spools, caplog):
    with runbench.Sensor() as rig:
        for n in range(5):
            rig.send("unknown", START + n, n)
            rig.send("known", START + n, n)
            rig.send("known", START + 10 + n, 666.5)
            rig.flush(sent=True)
    assert sorted(sending.readings) == [("known", START + n, n) for n in range(5)]
    assert rig.refused == 10
    assert caplog.text.count("no such signal") == 1
    (folder,) = spools()
    aside = [json.loads(line)["record"] for line in (folder / "refused.jsonl").open()]
    named = [reading for batch in aside for reading in batch["rejected"]]
    assert {(each["signal"], each["reason"]) for each in named} == {
        ("unknown", "the sensor has no such signal"),
        ("known", "not wanted"),
    }
    assert [each["t"] for each in named if each["signal"] == "known"] == [
        START + 10 + n for n in range(5)
    ]
    (outcome,) = sync_all(discard_refused=True)
    assert outcome.result == "sent"
    assert spools() == []


def test_readings_the_server_cannot_store_are_said_once_and_not_sent_again(sending, caplog):
    with runbench.Sensor() as rig:
        for n in range(3):
            rig.send("known", START + n, 667.5)
            rig.flush(sent=True)
        rig.send("known", START + 9, 1.0)
    assert sending.readings == [("known", START + 9, 1.0)]
    assert caplog.text.count("that it cannot store") == 1


def test_a_missing_or_foreign_token_is_said_at_once(online):
    with pytest.raises(settings.BadSetting, match="RUNBENCH_SENSOR_TOKEN"):
        runbench.Sensor()
    with pytest.raises(ValueError, match="rb_sensor_"):
        runbench.Sensor("rb_pat_test0001_secret_000000")


def test_a_repeat_after_a_lost_answer_adds_nothing(sending):
    sending.fail("POST /api/v1/telemetry", CUT, times=3)
    with runbench.Sensor() as rig:
        for n in range(20):
            rig.send(START + n, n)
            if n % 5 == 0:
                rig.flush()
    assert sorted(sending.readings) == [("value", START + n, n) for n in range(20)]
    assert sending.duplicates >= 1
    (numbers,) = sending.numbers.values()
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_to_wait_is_left_alone_that_long(sending, status):
    sending.fail("POST /api/v1/telemetry", status, headers={"Retry-After": "1"})
    with runbench.Sensor() as rig:
        rig.send(START, 1)
        until(lambda: rig.trouble is not None)
        asked = time.monotonic()
        rig.send(START + 1, 2)
        assert rig.flush(sent=True)
        assert time.monotonic() - asked > 0.8
        assert rig.trouble is None
    assert sorted(sending.readings) == [("value", START, 1), ("value", START + 1, 2)]


def test_a_sensor_starts_without_a_server_and_the_next_one_brings_what_was_left(
    sending, spools, monkeypatch
):
    monkeypatch.setattr("runbench.recorder.AWAY_PATIENCE", 0.3)
    sending.stop()
    with runbench.Sensor() as rig:
        rig.send(START, 1)
        assert not rig.flush(sent=True, timeout=0.3)
    assert len(spools()) == 1
    sending.start()
    with runbench.Sensor() as rig:
        rig.send(START + 1, 2)
        until(lambda: len(spools()) == 1)
    assert sorted(sending.readings) == [("value", START, 1), ("value", START + 1, 2)]
    until(lambda: spools() == [])


def test_a_server_that_comes_back_gets_everything_in_order(sending):
    with runbench.Sensor() as rig:
        for n in range(30):
            if n == 10:
                sending.stop()
            if n == 20:
                sending.start()
            rig.send(START + n, n)
            rig.flush()
    assert sending.readings == [("value", START + n, n) for n in range(30)]


def test_what_a_sensor_left_needs_its_token_and_takes_a_newer_one(sending, spools, monkeypatch):
    monkeypatch.setenv("RUNBENCH_MODE", "offline")
    with runbench.Sensor("rb_sensor_old00001_secret_000000") as rig:
        rig.send(START, 1)
    monkeypatch.setenv("RUNBENCH_MODE", "online")
    (outcome,) = sync_all()
    assert outcome.result == "refused"
    assert "rb_sensor_old00001_" in outcome.reason
    assert len(spools()) == 1
    (outcome,) = sync_all(sensor_token=SENSOR_TOKEN)
    assert outcome.result == "sent"
    assert sending.readings == [("value", START, 1)]
    assert spools() == []
    assert "secret" not in str(outcome)


def test_no_token_stands_in_the_spool(sending, environment, monkeypatch):
    monkeypatch.setenv("RUNBENCH_MODE", "offline")
    with runbench.Sensor() as rig:
        rig.send(START, 1)
    for path in environment.rglob("*"):
        assert not path.is_file() or b"secret" not in path.read_bytes()


def test_a_revoked_token_is_said_once_and_readings_stay_on_disk(sending, spools, caplog):
    with runbench.Sensor("rb_sensor_revoked1_secret_000000") as rig:
        rig.send(START, 1)
        until(lambda: rig.trouble)
        rig.send(START + 1, 2)
        rig.flush()
    assert "rotate" in caplog.text
    (folder,) = spools()
    assert sum(1 for _ in read_records(folder)) == 2


KILLED = """
import os, time, runbench
rig = runbench.Sensor()
for n in range(100_000):
    rig.send({start} + n, n)
    if n % 100 == 99:
        assert rig.flush()
        print(n, flush=True)
        time.sleep(0.002)
"""


def test_a_killed_process_loses_nothing_that_was_on_disk_and_doubles_nothing(sending, spools):
    child = script(KILLED.format(start=START))
    try:
        for _ in range(40):
            assert child.stdout.readline()
    finally:
        os.kill(child.pid, signal.SIGKILL)
    printed = child.stdout.read().split()
    child.communicate()
    on_disk = int(printed[-1]) if printed else 3999
    with runbench.Sensor() as rig:
        rig.send(START - 1, -1)
        until(lambda: len(spools()) == 1)
    got = sorted((when - START, value) for _, when, value in sending.readings)
    assert got[: on_disk + 2] == [(n, n) for n in range(-1, on_disk + 1)]
    assert len({when for when, _ in got}) == len(got)


@needs_fork
def test_a_forked_child_sends_on_its_own_and_repeats_nothing(sending):
    rig = runbench.Sensor()
    rig.send(START, 1)
    child = os.fork()
    if child == 0:
        rig.send(START + 1, 2)
        os._exit(0 if rig.close() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    rig.send(START + 2, 3)
    rig.close()
    assert sorted(sending.readings) == [("value", START + n, n + 1) for n in range(3)]
    assert len(sending.numbers) == 2


def test_a_full_spool_drops_counts_and_says_so(sending, monkeypatch, caplog):
    monkeypatch.setenv("RUNBENCH_MODE", "offline")
    monkeypatch.setenv("RUNBENCH_SPOOL_MB", "0.1")
    with runbench.Sensor() as rig:
        for n in range(8):
            rig.send_many(range(START + n * 1000, START + n * 1000 + 1000), range(1000))
            rig.flush()
    assert 0 < rig.dropped < 8000
    assert rig.dropped % 1000 == 0
    assert "RUNBENCH_SPOOL_MB" in caplog.text


def test_a_disabled_sensor_sends_nothing_and_leaves_nothing(
    sending, monkeypatch, environment: Path
):
    monkeypatch.setenv("RUNBENCH_MODE", "disabled")
    with runbench.Sensor() as rig:
        rig.send(START, 1)
    assert sending.requests == []
    assert not environment.exists()

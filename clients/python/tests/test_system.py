"""What is measured of the machine while a run records."""

import time

import runbench
from runbench.system import Meter


def test_the_machine_and_the_process_are_measured():
    meter = Meter()
    meter.measure()
    time.sleep(0.05)
    found = meter.measure()

    assert 0 <= found["system/cpu_percent"] <= 100
    assert 0 < found["system/memory_percent"] <= 100
    assert found["system/memory_used_bytes"] > 0
    assert any(key.startswith("system/process") for key in found)
    assert all(isinstance(value, int | float) for value in found.values())


def test_measurements_arrive_with_steps_of_their_own(online):
    with runbench.init("bench", "motor-a", system=0.05) as run:
        time.sleep(0.4)
        run.log({"loss": 1.0})

    stored = online.only_run()
    assert online.series(stored["id"], "loss") == [(0, 1.0)]
    steps = [step for step, _ in online.series(stored["id"], "system/memory_percent")]
    assert steps[:2] == [0, 1]


def test_nothing_is_measured_where_nobody_wants_it(online):
    with runbench.init("bench", "motor-a", system=False) as run:
        run.log({"loss": 1.0})
        time.sleep(0.1)

    assert online.series(online.only_run()["id"], "system/cpu_percent") == []

import subprocess
import sys
import time
import types

import pytest
from support import until

import runbench
from runbench.system import Meter


def keys(server):
    return {key for rows in server.points.values() for key, *_ in rows}


def test_the_machine_is_measured_under_keys_of_its_own_and_steps_stay_the_script_s(online):
    with runbench.init(system=0.05) as run:
        until(lambda: len(online.series(run.id, "system/cpu_percent")) >= 3)
        run.log({"x": 1.0})
    found = keys(online)
    assert {
        "system/cpu_percent", "system/memory_percent", "system/disk_percent",
        "system/process/memory_bytes", "system/network_received_bytes_per_second",
    } <= found  # fmt: skip
    stored = online.only_run()
    assert online.series(stored["id"], "x") == [(0, 1.0)]
    steps = [step for step, _ in online.series(stored["id"], "system/cpu_percent")]
    assert steps == list(range(len(steps)))
    memory = [value for _, value in online.series(stored["id"], "system/process/memory_bytes")]
    assert all(1e6 < value < 1e12 for value in memory)


@pytest.mark.parametrize("how", ["argument", "variable", "no capture"])
def test_measuring_can_be_switched_off(online, monkeypatch, how):
    monkeypatch.setenv("RUNBENCH_SYSTEM_SECONDS", "0" if how == "variable" else "0.02")
    options = {"argument": {"system": False}, "no capture": {"capture": False}}.get(how, {})
    with runbench.init(**options) as run:
        run.log({"x": 1.0})
        run.flush(sent=True)
        time.sleep(0.3)
    assert keys(online) == {"x"}


def test_what_a_gpu_says_is_recorded_and_what_it_refuses_left_out(monkeypatch):
    class NVMLError(Exception):
        pass

    def refuses(*_):
        raise NVMLError

    card = types.SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetMemoryInfo=lambda _: types.SimpleNamespace(used=25, total=100),
        nvmlDeviceGetUtilizationRates=lambda _: types.SimpleNamespace(gpu=80),
        nvmlDeviceGetTemperature=lambda *_: 60,
        nvmlDeviceGetPowerUsage=refuses,
    )
    monkeypatch.setitem(sys.modules, "pynvml", card)
    found = {key: value for key, value in Meter().measure().items() if "/gpu/" in key}
    assert found == {
        "system/gpu/0/percent": 80,
        "system/gpu/0/memory_used_bytes": 25,
        "system/gpu/0/memory_percent": 25.0,
        "system/gpu/0/temperature_celsius": 60,
    }


def test_nothing_of_it_is_imported_by_import_or_init():
    text = (
        "import sys, runbench\n"
        "run = runbench.init(mode='offline')\n"
        "print([name for name in ('psutil', 'pynvml', 'httpx', 'rich') if name in sys.modules])\n"
        "run.finish()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"

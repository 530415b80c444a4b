"""What happens to a run when its process is killed or forks."""

import os
import random
import sys

import pytest
from support import needs_fork, needs_timers, script

from runbench import settings
from runbench.sync import sync

KILLS = int(os.environ.get("RUNBENCH_TEST_KILLS", "15"))

TRAINING = """
import os, sys, runbench
run = runbench.init(name=sys.argv[1] if len(sys.argv) > 1 else None, capture=False)
os.write(1, b"started\\n")
for step in range(1_000_000):
    run.log({"x": step, "y": step * 0.5}, step=step)
    if step % 50 == 49:
        run.flush()
        os.write(1, f"{step}\\n".encode())
"""


@pytest.mark.parametrize("away", [False, True], ids=["server there", "server away"])
def test_a_training_killed_at_any_moment_loses_nothing_that_was_flushed(online, spools, away):
    if away:
        online.stop()
    rng = random.Random(0)
    flushed = {}
    for number in range(KILLS):
        process = script(
            TRAINING.replace("sys.argv[1] if len(sys.argv) > 1 else None", f"'r{number}'")
        )
        process.stdout.readline()
        try:
            process.wait(rng.uniform(0, 0.5))
        except __import__("subprocess").TimeoutExpired:
            process.kill()
        said = process.communicate(timeout=30)[0].split()
        flushed[f"r{number}"] = int(said[-1]) if said else -1
    if away:
        online.start()
    assert all(outcome.result == "sent" for outcome in sync(settings.spool_root()))
    assert spools() == []
    assert sync(settings.spool_root()) == []
    assert max(flushed.values()) > 0
    stored = {run["name"]: run for run in online.runs.values()}
    assert set(stored) == set(flushed)
    for name, last in flushed.items():
        run = stored[name]
        for key, scale in (("x", 1.0), ("y", 0.5)):
            steps = [step for step, _ in online.series(run["id"], key)]
            assert steps == list(range(len(steps))), "no hole, no double, in order"
            assert len(steps) > last, "everything up to the last flush"
            assert all(v == step * scale for step, v in online.series(run["id"], key))
        assert run["status"] == "interrupted"


@needs_fork
def test_a_forked_child_neither_records_twice_nor_ends_the_run(online):
    text = """
import os, sys, warnings, runbench
warnings.simplefilter("ignore", DeprecationWarning)
with runbench.init() as run:
    for step in range(100):
        run.log({"x": step}, step=step)
        if step % 10 == 5:
            child = os.fork()
            if child == 0:
                run.log({"child": 1.0})
                runbench.log({"child": 1.0})
                run.flush(sent=True)
                sys.exit(3)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
"""
    process = script(text)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    stored = online.only_run()
    assert [step for step, _ in online.series(stored["id"], "x")] == list(range(100))
    assert online.series(stored["id"], "child") == []
    assert stored["status"] == "succeeded"
    assert "belongs to the process that forked" in said


@needs_fork
def test_forking_while_other_threads_log_never_hangs_the_child(online):
    text = """
import os, threading, warnings, runbench
warnings.simplefilter("ignore", DeprecationWarning)
with runbench.init() as run:
    stop = threading.Event()
    def busy():
        while not stop.wait(0.0002):
            run.log({"x": 1.0})
    threads = [threading.Thread(target=busy) for _ in range(2)]
    [thread.start() for thread in threads]
    for _ in range(20):
        child = os.fork()
        if child == 0:
            run.log({"y": 1.0})
            with runbench.init(mode="disabled") as other:
                other.log({"y": 1.0})
            os._exit(0)
        os.waitpid(child, 0)
    stop.set()
"""
    process = script(text)
    process.communicate(timeout=60)
    assert process.returncode == 0


@needs_fork
def test_a_forked_child_may_record_a_run_of_its_own(online):
    text = """
import os, warnings, runbench
warnings.simplefilter("ignore", DeprecationWarning)
with runbench.init(name="parent") as run:
    run.log({"x": 1.0})
    child = os.fork()
    if child == 0:
        with runbench.init(name="child") as own:
            own.log({"x": 2.0})
        os._exit(0)
    os.waitpid(child, 0)
"""
    process = script(text)
    process.communicate(timeout=60)
    assert process.returncode == 0
    by_name = {run["name"]: run for run in online.runs.values()}
    assert online.series(by_name["parent"]["id"], "x") == [(0, 1.0)]
    assert online.series(by_name["child"]["id"], "x") == [(0, 2.0)]


def test_threads_may_log_at_once(online):
    text = """
import threading, runbench
with runbench.init() as run:
    def work(key):
        for step in range(2000):
            run.log({key: step}, step=step)
    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
"""
    process = script(text)
    assert process.communicate(timeout=60)[0] == ""
    stored = online.only_run()
    for number in range(4):
        assert online.series(stored["id"], f"t{number}") == [(s, float(s)) for s in range(2000)]


def test_a_child_process_that_is_started_anew_is_on_its_own(online):
    text = f"""
import subprocess, runbench
with runbench.init(name="outer") as run:
    run.log({{"x": 1.0}})
    subprocess.run([{sys.executable!r}, "-c", "import runbench; runbench.init(name='inner').finish()"])
"""
    script(text).communicate(timeout=60)
    assert {run["name"]: run["status"] for run in online.runs.values()} == {
        "outer": "succeeded",
        "inner": "succeeded",
    }


@needs_timers
def test_a_signal_handler_may_log_flush_and_finish_while_the_script_logs(online):
    text = """
import signal, runbench
run = runbench.init(capture=False)
handled = 0
def handler(*_):
    global handled
    handled += 1
    run.log({"handled": handled})
    if handled % 10 == 0:
        run.flush()
    if handled == 400:
        run.finish("interrupted")
    else:
        signal.setitimer(signal.ITIMER_REAL, 0.001)
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.01)
while run.status == "running":
    for _ in range(20): run.log({"x": 1.0})
    if handled % 50 == 0: run.flush()
"""
    process = script(text)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    stored = online.only_run()
    assert stored["status"] == "interrupted"
    assert [value for _, value in online.series(stored["id"], "handled")] == [
        float(number) for number in range(1, 401)
    ]

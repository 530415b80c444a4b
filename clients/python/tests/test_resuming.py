import uuid

import pytest
from server import CUT
from support import script

import runbench


def recorded(steps=range(3), **more):
    with runbench.init(config={"lr": 0.1}, **more) as run:
        for step in steps:
            run.log({"x": step}, step=step)
        return run.id


def test_a_run_that_is_resumed_goes_on_after_its_largest_step(online):
    run_id = recorded()
    stored = online.runs[run_id]
    stored["status"] = "interrupted"
    with runbench.resume(run_id, {"lr": 0.1, "epochs": 2}, tags=["again"], notes="went on") as run:
        assert (run.id, run.name, run.config.lr) == (run_id, stored["name"], 0.1)
        run.log({"x": 10.0})
    assert len(online.runs) == 1
    assert online.series(run_id, "x") == [(0, 0.0), (1, 1.0), (2, 2.0), (3, 10.0)]
    assert stored["params"] == {"lr": 0.1, "epochs": 2}
    assert (stored["tags"], stored["notes"]) == ({"again": ""}, "went on")
    assert stored["status"] == "succeeded"


def test_an_interrupted_run_runs_again_at_once(online):
    run_id = recorded()
    online.runs[run_id]["status"] = "interrupted"
    run = runbench.init(resume=run_id)
    assert run.flush(sent=True)
    assert online.runs[run_id]["status"] == "running"
    run.finish()


def test_a_run_that_failed_takes_more_points_and_stays_failed(online):
    run_id = recorded()
    online.runs[run_id]["status"] = "failed"
    with runbench.resume(run_id) as run:
        run.log({"x": 7.0})
    assert online.series(run_id, "x")[-1] == (3, 7.0)
    assert online.runs[run_id]["status"] == "failed"


def test_a_param_of_a_resumed_run_keeps_its_value_and_that_is_said(online, caplog):
    run_id = recorded()
    with runbench.resume(run_id, {"lr": 0.5}) as run:
        assert run.config.lr == 0.1
    assert "stays 0.1" in caplog.text
    assert online.runs[run_id]["params"] == {"lr": 0.1}


def test_what_cannot_be_resumed_is_said(online):
    run_id = recorded()
    with pytest.raises(LookupError, match="no run"):
        runbench.resume(str(uuid.uuid4()))
    with pytest.raises(ValueError, match="badly formed"):
        runbench.resume("../other")
    online.runs[run_id]["status"] = "archived"
    with pytest.raises(ValueError, match="archived"):
        runbench.resume(run_id)


def test_what_a_killed_process_left_comes_before_what_the_resumed_run_logs(
    online, spools, monkeypatch
):
    online.fail("POST .*/metrics", 503, times=10_000)
    killed = script(
        "import os, runbench\n"
        "run = runbench.init(name='killed', capture=False)\n"
        "print(run.id, flush=True)\n"
        "for step in range(500): run.log({'x': step})\n"
        "run.flush()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    run_id = killed.communicate(timeout=60)[0].strip()
    online.faults.clear()
    assert len(spools()) == 1
    with runbench.resume(run_id) as run:
        run.log({"x": 500})
    assert online.series(run_id, "x") == [(step, float(step)) for step in range(501)]
    assert online.runs[run_id]["status"] == "succeeded"
    assert spools() == []


def test_a_run_is_resumed_on_disk_while_the_server_is_away(online, caplog):
    run_id = recorded()
    online.fail("", CUT, times=1)
    with runbench.resume(run_id) as run:
        run.log({"x": 9.0}, step=9)
    assert "goes on on disk" in caplog.text
    assert online.series(run_id, "x")[-1] == (9, 9.0)

import argparse
import logging
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from server import TOKEN
from support import needs_root, script, until

import runbench
from runbench import settings
from runbench.values import NotRecordable


def test_a_run_arrives_with_its_params_metrics_and_status(online, spools):
    config = {"lr": 3e-4, "optimizer": {"name": "adam", "betas": [0.9, 0.999]}}
    with runbench.init(
        "bench", "motor-a", config, name="first", tags=["smoke"], notes="**bold**"
    ) as run:
        run.log({"loss": 0.5, "val": {"acc": 0.25}})
        run.log({"loss": 0.25}, step=7)
        run.log({"loss": 0.125})
        run.config["epochs"] = 3
        run.set_tags({"rig": "A"}, stage="warm")
        address = run.url
    stored = online.only_run()
    assert address == f"{online.url}/p/bench/r/{stored['id']}"
    assert stored["name"] == "first"
    assert stored["experiment_name"] == "motor-a"
    assert stored["status"] == "succeeded"
    assert stored["notes"] == "**bold**"
    assert stored["tags"] == {"smoke": "", "rig": "A", "stage": "warm"}
    assert stored["params"] == {
        "lr": 3e-4,
        "optimizer/name": "adam",
        "optimizer/betas": "[0.9, 0.999]",
        "epochs": 3,
    }
    assert online.series(stored["id"], "loss") == [(0, 0.5), (7, 0.25), (8, 0.125)]
    assert online.series(stored["id"], "val/acc") == [(0, 0.25)]
    assert spools() == []


def test_what_surrounds_a_run_is_captured_without_secrets(online, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q", "-b", "trunk"], check=True)
    (tmp_path / "train.py").write_text("1")
    subprocess.run([*git, "add", "train.py"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "one"], check=True)
    remote = "https://me:hunter2@example.org/x.git"
    subprocess.run([*git, "remote", "add", "origin", remote], check=True)
    (tmp_path / "train.py").write_text("2")
    with runbench.init(command=["python", "train.py", "--api-key", "s3cret", "--lr=1"]):
        pass
    stored = online.only_run()
    sha = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout
    assert stored["git_commit"] == sha.strip()
    assert stored["git_branch"] == "trunk"
    assert stored["git_dirty"] is True
    assert stored["host"]
    environment = stored["environment"]
    assert environment["argv"] == ["python", "train.py", "--api-key", "***", "--lr=1"]
    assert environment["git_remote"] == "https://example.org/x.git"
    assert "numpy" in environment["packages"]
    assert "hunter2" not in str(stored)


def test_nothing_is_captured_when_switched_off(online):
    with runbench.init(capture=False):
        pass
    assert not {"environment", "git_commit", "host"} & set(online.only_run())


def test_numbers_of_array_libraries_and_special_floats_are_kept(online):
    class Tensor:
        def numel(self):
            return 1

        def item(self):
            return 4.5

    given = {
        "f32": np.float32(0.1),
        "i64": np.int64(3),
        "one": np.array([2.5]),
        "tensor": Tensor(),
        "yes": True,
        "int": 7,
        "fraction": Fraction(1, 4),
        "nan": math.nan,
        "inf": math.inf,
        "down": -math.inf,
        "zero-d": np.array(9),
        "tiny": 5e-324,
        "digits": 0.1 + 0.2,
    }
    with runbench.init() as run:
        run.log(given, step=np.int32(5))
    stored = online.only_run()
    seen = {key: value for key, _, value, _ in online.points[stored["id"]]}
    assert seen == {
        "f32": float(np.float32(0.1)),
        "i64": 3.0,
        "one": 2.5,
        "tensor": 4.5,
        "yes": 1.0,
        "int": 7.0,
        "fraction": 0.25,
        "nan": "NaN",
        "inf": "Infinity",
        "down": "-Infinity",
        "zero-d": 9.0,
        "tiny": 5e-324,
        "digits": 0.1 + 0.2,
    }
    assert {step for _, step, _, _ in online.points[stored["id"]]} == {5}


@pytest.mark.parametrize(
    ("metrics", "step", "reason"),
    [
        ({"image": np.zeros((3, 3))}, None, "9 elements"),
        ({"word": "0.5"}, None, "Words belong into tags"),
        ({"nothing": None}, None, "None"),
        ({"list": [1.0, 2.0]}, None, "one key per element"),
        ({"": 1.0}, None, "needs a name"),
        ({"a\nb": 1.0}, None, "control character"),
        ({"k" * 251: 1.0}, None, "250 are allowed"),
        ({"x": 10**400}, None, "too large"),
        ({"x": object()}, None, "a metric is one number"),
        ({"x": 1.0}, "three", "whole number"),
        ({"x": 1.0}, 2.5, "whole number"),
        ({"x": 1.0}, 2**63, "64 bits"),
        (["loss"], None, "items"),
    ],
)  # fmt: skip
def test_what_cannot_be_recorded_warns_once_and_never_raises(
    online, caplog, metrics, step, reason, monkeypatch
):
    with caplog.at_level(logging.WARNING, "runbench"), runbench.init() as run:
        run.log(metrics, step=step)
        run.log(metrics, step=step)
        run.log({"fine": 1.0})
    (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert reason in warning
    assert online.series(online.only_run()["id"], "fine") != []
    monkeypatch.setenv("RUNBENCH_STRICT", "1")
    with pytest.raises((NotRecordable, AttributeError)), runbench.init() as run:
        run.log(metrics, step=step)


def test_one_bad_value_does_not_cost_the_good_ones_beside_it(online):
    with runbench.init() as run:
        run.log({"good": 1.0, "bad": "x", "nested": {"good": 2.0, "bad": [1, 2]}})
    stored = online.only_run()
    assert {key for key, *_ in online.points[stored["id"]]} == {"good", "nested/good"}


def test_steps_may_come_in_any_order(online):
    with runbench.init() as run:
        for step in (5, 3, -1):
            run.log({"x": float(step)}, step=step)
        run.log({"x": 6.0})
    assert online.series(online.only_run()["id"], "x") == [(5, 5.0), (3, 3.0), (-1, -1.0), (6, 6.0)]


@dataclass
class Options:
    lr: float = 0.1
    deep: tuple[int, ...] = (1, 2)


@pytest.mark.parametrize("config", [Options(), argparse.Namespace(lr=0.1, deep=(1, 2))])
def test_config_takes_dataclasses_and_namespaces(online, config):
    with runbench.init(config=config) as run:
        assert run.config.lr == 0.1
        assert run.config["deep"] == (1, 2)
    assert online.only_run()["params"] == {"lr": 0.1, "deep": "[1, 2]"}


def test_names_and_words_are_made_such_that_the_server_takes_them(online):
    config = {"a\nb": None, "x" * 300: "y" * 9000, "": 1, "deep": {"nan": math.nan, "\x00": "\x00"}}
    tags = {"k\t1": "two\nlines", "long": "v" * 600, " ": "nothing"}
    with runbench.init(config=config, tags=tags) as run:
        run.log({" loss ": 1.0, "e\u0301": 2.0})
        run.log({" loss ": 3.0, "\u00e9": 4.0})
    stored = online.only_run()
    assert stored["tags"] == {"k 1": "two lines", "long": "v" * 499 + "…"}
    assert stored["params"]["a b"] is None
    assert stored["params"]["deep/nan"] == "nan"
    assert max(map(len, stored["params"])) == 250
    assert online.series(stored["id"], "loss") == [(0, 1.0), (1, 3.0)]
    assert online.series(stored["id"], "\u00e9") == [(0, 2.0), (1, 4.0)]


def test_a_param_keeps_its_first_value(online):
    with runbench.init(config={"lr": 0.1, "opt": {"name": "adam"}}) as run:
        run.config.update(lr=0.1)
        run.config.update({"opt": {"decay": 0.5}})
        with pytest.raises(ValueError, match="keeps its first value"):
            run.config.lr = 0.2
    assert online.only_run()["params"] == {"lr": 0.1, "opt/name": "adam", "opt/decay": 0.5}


def test_an_exception_fails_the_run_with_its_traceback_in_the_notes(online):
    with pytest.raises(ValueError, match="exploded"), runbench.init(notes="before") as run:
        run.log({"x": 1.0})
        raise ValueError("it exploded with rb_pat_abc_def_ghi")
    stored = online.only_run()
    assert stored["status"] == "failed"
    assert stored["tags"]["error"] == "ValueError: it exploded with ***"
    assert stored["notes"].startswith("before\n\nThe run failed")
    assert "Traceback (most recent call last)" in stored["notes"]
    assert "rb_pat" not in stored["notes"]


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt(), "interrupted"), (SystemExit(0), "succeeded"), (SystemExit(3), "failed")],
)
def test_how_the_block_ends_is_how_the_run_ends(online, error, status):
    with pytest.raises(type(error)), runbench.init():
        raise error
    assert online.only_run()["status"] == status


@pytest.mark.parametrize(
    ("ending", "status"),
    [("", "succeeded"), ("raise RuntimeError('no')", "failed"),
     ("raise KeyboardInterrupt", "interrupted"), ("run.finish('failed')", "failed")],
)  # fmt: skip
def test_a_script_that_does_not_finish_its_run_has_it_finished_at_exit(online, ending, status):
    process = script(f"import runbench\nrun = runbench.init()\nrunbench.log({{'x': 1}})\n{ending}")
    process.communicate(timeout=60)
    stored = online.only_run()
    assert stored["status"] == status
    assert online.series(stored["id"], "x") == [(0, 1.0)]


def test_notes_are_added_beside_what_a_person_writes_meanwhile(online):
    online.fail("PATCH", 412, times=1, when=lambda body: "notes" in body)
    with runbench.init(notes="mine") as run:
        run.add_note("and more")
    assert online.only_run()["notes"] == "mine\n\nand more"


def test_the_current_run_is_the_one_started_last(online):
    assert runbench.current() is None
    outer = runbench.init(name="outer")
    inner = runbench.init(name="inner")
    assert runbench.current() is inner
    runbench.log({"x": 1.0})
    runbench.finish()
    runbench.log({"x": 2.0})
    assert runbench.flush(sent=True)
    runbench.finish("failed")
    assert runbench.current() is None
    by_name = {run["name"]: run for run in online.runs.values()}
    assert online.series(by_name["inner"]["id"], "x") == [(0, 1.0)]
    assert online.series(by_name["outer"]["id"], "x") == [(0, 2.0)]
    assert by_name["outer"]["status"] == "failed"
    assert outer.status == "failed"


def test_logging_after_the_end_or_without_a_run_only_warns(online, caplog):
    runbench.log({"x": 1.0})
    run = runbench.init()
    run.finish()
    run.finish()
    run.log({"x": 1.0})
    assert "no current run" in caplog.text
    assert "the run is over" in caplog.text


def test_a_disabled_run_touches_nothing(online, spools, monkeypatch):
    monkeypatch.setenv("RUNBENCH_MODE", "disabled")
    with runbench.init(config={"lr": 1}) as run:
        run.log({"x": 1.0})
        run.set_tags(["a"])
        assert run.config.lr == 1
        assert run.flush(sent=True)
    assert online.requests == []
    assert spools() == []


def test_only_rank_zero_of_a_distributed_job_records(online, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    with runbench.init() as run:
        run.log({"x": 1.0})
    assert online.requests == []
    monkeypatch.setenv("RANK", "0")
    with runbench.init():
        pass
    assert len(online.runs) == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [("RUNBENCH_MODE", "sometimes"), ("RUNBENCH_SPOOL_MB", "much"), ("RUNBENCH_URL", "ftp://x"),
     ("RUNBENCH_URL", "http://user:pw@host"), ("RUNBENCH_FINISH_TIMEOUT", "-1")],
)  # fmt: skip
def test_a_variable_that_means_nothing_is_named_at_once(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=variable):
        runbench.init()


@pytest.mark.parametrize("name", ["", "a\tb", "n" * 201, "\ud800"])
def test_a_name_that_no_server_takes_is_refused_at_once(name):
    with pytest.raises(ValueError, match="control"):
        runbench.init(name=name)


def test_the_lines_on_the_screen_are_few_and_can_be_silenced(online):
    text = "import runbench\nwith runbench.init(experiment='e') as run: run.log({'x': 1, 'y': 2})"
    _, said = script(text).communicate(timeout=60)
    lines = said.splitlines()
    (stored,) = online.runs.values()
    assert lines == [
        f"runbench: recording bench / e to {online.url}",
        f"runbench: view {stored['name']} at {online.url}/p/bench/r/{stored['id']}",
        f"runbench: {stored['name']} succeeded: 2 points recorded",
    ]
    environment = {**__import__("os").environ, "RUNBENCH_QUIET": "1"}
    assert script(text, env=environment).communicate(timeout=60) == ("", "")


def test_the_project_may_be_a_slug_a_name_an_id_or_that_of_the_token(online, monkeypatch):
    monkeypatch.delenv("RUNBENCH_PROJECT")
    for project in ("bench", "Bench", online.project["id"], None):
        with runbench.init(project) as run:
            run.log({"x": 1.0})
    assert [run["project_id"] for run in online.runs.values()] == [online.project["id"]] * 4


def test_experiments_are_reused_whatever_their_case(online):
    for name in ("Motor", "motor", " MOTOR "):
        runbench.init(experiment=name).finish()
    assert len(online.experiments) == 1


def test_a_parent_can_be_given_by_name_or_by_the_environment(online, monkeypatch):
    with runbench.init(name="parent") as parent:
        parent_id = parent.id
        with runbench.init(parent=parent_id):
            pass
        monkeypatch.setenv("RUNBENCH_PARENT_RUN_ID", parent_id)
        with runbench.init():
            pass
    children = [run for run in online.runs.values() if run.get("parent_run_id") == parent_id]
    assert len(children) == 2


def _modules_after(code):
    text = f"import sys; before = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_runbench_loads_none_of_its_parts():
    loaded = _modules_after("import runbench")
    assert {name for name in loaded if name.startswith("runbench")} == {"runbench"}
    assert not loaded & {"httpx", "json", "logging", "pathlib", "threading", "inspect", "uuid"}


def test_what_init_needs_brings_no_http_library_along():
    loaded = _modules_after("import runbench.run")
    assert "runbench.recorder" in loaded
    assert not loaded & {
        "httpx",
        "ssl",
        "rich",
        "typer",
        "numpy",
        "asyncio",
        "inspect",
        "importlib.metadata",
        "subprocess",
        "platformdirs",
        "pydantic",
    }


def test_a_large_batch_is_sent_in_parts_that_the_server_takes(online):
    with runbench.init() as run:
        for step in range(12_000):
            run.log({"a": step, "b": 1.0}, step=step)
    stored = online.only_run()
    assert online.series(stored["id"], "a") == [(step, float(step)) for step in range(12_000)]


def test_heartbeats_keep_the_run_alive_and_tell_of_its_end(online, monkeypatch):
    monkeypatch.setattr("runbench.recorder.HEARTBEAT_SECONDS", 0.05)
    with runbench.init() as run:
        until(lambda: online.heartbeats >= 2)
        stored = online.only_run()
        stored["status"] = "interrupted"
        until(lambda: stored["status"] == "running")
        assert not run.should_stop()
        stored["status"] = "failed"
        until(run.should_stop)
    assert stored["status"] == "failed"


def test_a_run_that_went_interrupted_meanwhile_still_succeeds(online):
    with runbench.init() as run:
        run.log({"x": 1.0})
        run.flush(sent=True)
        online.only_run()["status"] = "interrupted"
    assert online.only_run()["status"] == "succeeded"


def test_the_token_is_the_only_secret_sent_and_only_as_a_header(online):
    with runbench.init() as run:
        run.log({"x": 1.0})
    assert online.tokens_seen == {f"Bearer {TOKEN}"}
    assert not any(TOKEN in path for _, path in online.requests)


def test_a_mistake_in_a_loop_is_said_once_and_many_mistakes_not_for_ever(online, caplog):
    with caplog.at_level(logging.WARNING), runbench.init() as run:
        for number in range(100):
            run.log({"x": 1.0}, step=number + 0.5)
            run.log({"x": [number, number]})
            run.log({f"word{number}": "x"})
    assert caplog.text.count("whole number") == 1
    assert caplog.text.count("'x' is a list") == 1
    assert 30 < len(caplog.records) <= 40
    assert "further warnings are not shown" in caplog.text


def test_requests_in_the_background_do_not_fill_the_script_s_log(online):
    text = """
import logging, httpx, runbench
logging.basicConfig(level=logging.DEBUG)
with runbench.init() as run:
    run.log({"x": 1.0})
    run.flush(sent=True)
httpx.get(run._settings.url + "/health")
"""
    _, said = script(text).communicate(timeout=60)
    assert said.count("HTTP Request") == 1
    assert "/health" in said


@needs_root
def test_a_spool_folder_that_somebody_else_put_there_is_not_used(monkeypatch, tmp_path):
    monkeypatch.delenv("RUNBENCH_DIR")
    (tmp_path / "work").mkdir()
    (tmp_path / ".runbench").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert settings.home() == tmp_path / ".runbench"
    os.chown(tmp_path / ".runbench", 12345, 12345)
    assert settings.home() != tmp_path / ".runbench"

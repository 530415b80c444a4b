import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"


def run(name, *arguments):
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_quickstart_records_curves(online):
    run("quickstart.py")
    stored = online.only_run()
    assert stored["status"] == "succeeded"
    assert {key for key, *_ in online.points[stored["id"]]} == {
        "train/loss", "train/rate", "val/accuracy",
    }  # fmt: skip
    assert len(online.series(stored["id"], "train/loss")) == 300


def test_the_digits_example_records_one_learning_run_a_grid_point(online):
    pytest.importorskip("sklearn")
    run("digits.py", "--epochs", "3", "--pause", "0.01", "--experiment", "mine")
    assert [run["status"] for run in online.runs.values()] == ["succeeded"] * 4
    assert {run["experiment_name"] for run in online.runs.values()} == {"mine"}
    for stored in online.runs.values():
        losses = [value for _, value in online.series(stored["id"], "train/loss")]
        assert len(losses) == 3
        assert losses[-1] < losses[0]
        assert 0 < stored["metrics"]["val/accuracy"] <= 1
        table = online.files[f"{stored['id']}/confusion.csv"].decode().splitlines()
        assert (len(table), table[1][:2]) == (11, "0,")
        assert online.files[f"{stored['id']}/mistakes.png"].startswith(b"\x89PNG")


def test_the_boosting_example_records_every_round(online):
    pytest.importorskip("xgboost")
    run("boosting.py")
    stored = online.only_run()
    assert stored["status"] == "succeeded"
    losses = [value for _, value in online.series(stored["id"], "val/mlogloss")]
    assert len(losses) == 40
    assert losses[-1] < losses[0]

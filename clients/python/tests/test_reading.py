import math

import pytest

import runbench
from runbench import ApiError, Unreachable


@pytest.fixture
def recorded(online):
    for number in range(3):
        with runbench.init(
            experiment=f"e{number % 2}", name=f"r{number}", config={"n": number}
        ) as run:
            for step in range(10):
                run.log({"loss": number + 1 / (1 + step), "odd": math.nan})
            run.set_tags(kind="test")
    return online


def test_runs_come_back_with_what_was_recorded(recorded):
    found = runbench.runs("bench")
    assert [run.name for run in found] == ["r2", "r1", "r0"]
    run = found[0]
    assert run.params == {"n": 2}
    assert run.tags == {"kind": "test"}
    assert run.status == "succeeded"
    assert run.latest["loss"] == 2.1
    assert math.isnan(run.latest["odd"])
    assert run.url == f"{recorded.url}/p/bench/r/{run.id}"


def test_metrics_and_their_points_can_be_read(recorded):
    run = runbench.runs()[-1]
    metrics = run.metrics()
    assert set(metrics) == {"loss", "odd"}
    assert metrics["loss"].count == 10
    assert metrics["loss"].last_step == 9
    series = run.series("loss", "odd")
    assert series["loss"].step == list(range(10))
    assert series["loss"].value == [1 / (1 + step) for step in range(10)]
    assert all(math.isnan(value) for value in series["odd"].value)


def test_runs_can_be_narrowed_and_made_into_rows(recorded):
    assert [run.name for run in runbench.runs(experiment="E1")] == ["r1"]
    assert [run.name for run in runbench.runs(q="r0")] == ["r0"]
    assert runbench.runs(status="failed") == []
    assert len(runbench.runs(limit=2)) == 2
    row = runbench.runs(limit=1).rows()[0]
    assert row["params.n"] == 2
    assert row["metrics.loss"] == 2.1
    assert row["tags.kind"] == "test"


def test_lists_are_read_over_all_their_pages(online):
    runbench.init(name="one").finish()
    (stored,) = online.runs.values()
    for number in range(2500):
        online.runs[f"extra{number}"] = {**stored, "id": f"extra{number}", "name": f"x{number}"}
    assert len(runbench.runs(limit=None)) == 2501
    assert len(runbench.runs()) == 1000
    assert len(runbench.runs(limit=1001)) == 1001


def test_what_is_not_there_is_said(recorded, monkeypatch):
    with pytest.raises(LookupError, match="no project 'other'"):
        runbench.runs("other")
    with pytest.raises(LookupError, match="no experiment 'other'"):
        runbench.runs(experiment="other")
    monkeypatch.setenv("RUNBENCH_TOKEN", "rb_pat_wrong")
    with pytest.raises(ApiError, match="401"):
        runbench.runs()
    recorded.stop()
    with pytest.raises(Unreachable, match="does not answer"):
        runbench.runs()

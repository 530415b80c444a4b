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


def test_runs_are_searched_in_the_server_s_language(recorded):
    runbench.runs(filter="metrics.loss < 0.2", order_by=["metrics.loss asc", "name"])
    (asked,) = [query for query in recorded.queries if "filter" in query]
    assert asked["filter"] == "metrics.loss < 0.2"
    assert asked["order_by"] == ["metrics.loss asc", "name"]
    assert "sort" not in asked


def test_whole_metrics_are_written_to_a_file_or_nothing_is(recorded, tmp_path):
    run = runbench.runs()[0]
    target = run.export(tmp_path / "points.csv", "loss")
    assert target.read_text().startswith("key,step,value,time\nloss,")
    with pytest.raises(ValueError, match="no format"):
        run.export(tmp_path / "points.txt")
    recorded.fail("GET .*/export", 503)
    with pytest.raises(runbench.ApiError):
        run.export(tmp_path / "other.csv")
    assert [path.name for path in tmp_path.glob("*.csv")] == ["points.csv"]


def test_a_card_shows_a_run_and_escapes_what_people_wrote(recorded):
    run = runbench.runs()[0]
    run.data["name"] = run.data["params"]["<script>"] = "<img src=x onerror=alert(1)>"
    shown = run._repr_html_()
    assert "<svg" in shown
    assert "&lt;img" in shown
    assert "<img" not in shown
    assert "<script" not in shown
    run.url = "javascript:alert(1)"
    assert "javascript:" not in run._repr_html_()


def test_a_run_that_records_shows_a_card_with_and_without_a_server(online, monkeypatch):
    with runbench.init(name="a & b", config={"lr": 1}) as run:
        for step in range(5):
            run.log({"loss": step})
        run.flush(sent=True)
        assert "<svg" in run._repr_html_()
        online.stop()
        shown = run._repr_html_()
        assert "a &amp; b" in shown
        assert "lr" in shown
        online.start()


def test_progress_goes_through_everything_and_says_so_in_a_log(capsys, monkeypatch):
    monkeypatch.setattr("runbench.progress.LINE_SECONDS", 0.0)
    assert list(runbench.track(iter("abc"), "letters", total=3)) == ["a", "b", "c"]
    assert capsys.readouterr().err.splitlines()[-1] == "letters: 3 of 3"
    monkeypatch.setenv("RUNBENCH_QUIET", "1")
    assert list(runbench.track([1, 2])) == [1, 2]
    assert capsys.readouterr().err == ""

"""MLflow's own stores, written by MLflow, brought over by `runbench import mlflow`."""

import json
import math
from pathlib import Path

import mlflow
import pytest
import runbench

from tests.client.test_recording import Bench, bench

__all__ = ["bench"]


def test_an_mlflow_store_arrives_whole_and_twice_adds_nothing(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    before = mlflow.get_tracking_uri()
    for store in (f"file://{tmp_path}/mlruns", f"sqlite:///{tmp_path}/mlflow.db"):
        mlflow.set_tracking_uri(store)
        client = mlflow.MlflowClient()
        name = f"digits {store[:4]}"
        made = client.create_experiment(
            name, artifact_location=f"file://{tmp_path}/files-{store[:4]}"
        )
        parent = client.create_run(made, run_name="parent").info.run_id
        nested = {"mlflow.parentRunId": parent}
        child = client.create_run(made, run_name="child", tags=nested).info.run_id
        client.log_param(parent, "lr", 0.1)
        client.set_tag(parent, "mlflow.note.content", "*n*")
        for step, value in enumerate([0.1 + 0.2, math.nan, -math.inf, 5e-324]):
            client.log_metric(
                child, "val/acc", value, timestamp=1760000000000 + step, step=step - 2
            )
        client.set_terminated(parent)
        client.set_terminated(child, "FAILED")
        place = store.removeprefix("file://")
        first = json.loads(bench.command("import", "mlflow", place, "--json"))
        assert (first["new_runs"], first["points"], first["refused"]) == (2, 4, 0)
        again = json.loads(bench.command("import", "mlflow", place, "--json"))
        assert (again["runs"], again["new_runs"], again["points"]) == (2, 0, 0)
        runs = {run.name: run for run in runbench.runs(experiment=name)}
        assert (runs["parent"].status, runs["child"].status) == ("succeeded", "failed")
        assert runs["child"].data["parent_run_id"] == runs["parent"].id
        assert (runs["parent"].params, runs["parent"].data["notes"]) == ({"lr": "0.1"}, "*n*")
        series = runs["child"].series("val/acc")["val/acc"]
        kept = client.get_metric_history(child, "val/acc")
        assert series.step == [point.step for point in kept]
        assert [repr(value) for value in series.value] == [repr(point.value) for point in kept]
        assert series.time == [point.timestamp * 1000 for point in kept]
    mlflow.set_tracking_uri(before)

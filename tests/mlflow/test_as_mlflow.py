"""What people do with MLflow comes out the same with Runbench, with the same answers on the way."""

import json
import math
import time
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression


def code_of(failing: Any) -> str:
    """The error code that a call ends with."""
    with pytest.raises(MlflowException) as caught:
        failing()
    return caught.value.error_code


def shown(run: Any) -> dict[str, Any]:
    """What a client has of a run, times aside."""
    data, info = run.data, run.info
    return {
        "name": info.run_name,
        "status": info.status,
        "stage": info.lifecycle_stage,
        "metrics": {key: repr(value) for key, value in data.metrics.items()},
        "params": data.params,
        "tags": data.tags,
    }


def test_experiments(both):
    def scenario(_: Path) -> Any:
        client = MlflowClient()
        first = client.create_experiment("experiments", tags={"team": "vision", "größe": "ü"})
        client.set_experiment_tag(first, "mlflow.note.content", "# A note\nof two lines")
        client.set_experiment_tag(first, "gone", "soon")
        client.delete_experiment_tag(first, "gone")
        client.get_experiment(first)
        client.rename_experiment(first, "experiments renamed")
        found = client.get_experiment_by_name("experiments renamed")
        none = client.get_experiment_by_name("experiments")
        client.delete_experiment(first)
        deleted = client.get_experiment(first).lifecycle_stage
        codes = [
            code_of(lambda: client.create_experiment("experiments renamed")),
            code_of(lambda: client.create_experiment("")),
            code_of(lambda: client.delete_experiment(first)),
            code_of(lambda: client.set_experiment_tag(first, "a", "b")),
            code_of(lambda: client.create_run(first)),
        ]
        client.restore_experiment(first)
        codes.append(code_of(lambda: client.restore_experiment(first)))
        codes.append(code_of(lambda: client.delete_experiment_tag(first, "gone")))
        codes.append(code_of(lambda: client.set_experiment_tag(first, "a" * 251, "b")))
        return found.tags, none, deleted, codes

    both(scenario)


def test_experiments_are_found(both):
    def scenario(_: Path) -> Any:
        client = MlflowClient()
        for number in range(5):
            made = client.create_experiment(f"found {number}", tags={"n": str(number % 2)})
        client.delete_experiment(made)
        searches: list[dict[str, Any]] = [
            {"filter_string": "name LIKE 'found%'"},
            {"filter_string": "name ILIKE 'FOUND%'", "order_by": ["name DESC"]},
            {"filter_string": "name = 'found 1'"},
            {"filter_string": "name != 'found 1' AND tags.n = '1'"},
            {"filter_string": "name LIKE 'found%'", "view_type": ViewType.ALL},
            {"filter_string": "name LIKE 'found%'", "view_type": ViewType.DELETED_ONLY},
            {"filter_string": "tags.n IS NOT NULL", "order_by": ["name"]},
            {"filter_string": "creation_time > 1000 AND name LIKE 'found%'"},
        ]
        found = [[one.name for one in client.search_experiments(**search)] for search in searches]
        page = client.search_experiments(
            filter_string="name LIKE 'found%'", max_results=3, order_by=["name"]
        )
        rest = client.search_experiments(
            filter_string="name LIKE 'found%'",
            max_results=3,
            order_by=["name"],
            page_token=page.token,
        )
        codes = [
            code_of(lambda: client.search_experiments(filter_string="nonsense")),
            code_of(lambda: client.search_experiments(filter_string="name = 5")),
            code_of(lambda: client.search_experiments(order_by=["nonsense"])),
            code_of(lambda: client.search_experiments(max_results=0)),
            code_of(lambda: client.search_experiments(max_results=50_001)),
        ]
        return found, [one.name for one in page], [one.name for one in rest], codes

    both(scenario)


def test_a_run_from_its_start_to_its_end(both):
    def scenario(_: Path) -> Any:
        mlflow.set_experiment("a run")
        with mlflow.start_run(run_name="first", description="What it is for", tags={"a": "1"}):
            mlflow.log_param("lr", 0.1)
            mlflow.log_params({"depth": 3, "on": True, "none": None, "text": "naïve – 深い"})
            mlflow.log_metric("loss", 0.5, step=1)
            mlflow.log_metrics({"loss": 0.25, "acc": 0.9}, step=2)
            mlflow.set_tag("b/c", "2")
            mlflow.set_tags({"d": "x" * 6000, "größe": "ü"})
            run_id = mlflow.active_run().info.run_id
        client = MlflowClient()
        client.delete_tag(run_id, "a")
        client.update_run(run_id, name="renamed")
        return shown(client.get_run(run_id))

    outcome = both(scenario)
    assert outcome["status"] == "FINISHED"
    assert outcome["metrics"] == {"loss": "0.25", "acc": "0.9"}


def test_nested_runs(both):
    def scenario(_: Path) -> Any:
        mlflow.set_experiment("nested")
        with mlflow.start_run(run_name="parent") as parent:
            for number in range(2):
                with mlflow.start_run(run_name=f"child {number}", nested=True):
                    mlflow.log_param("number", number)
        parent_id = parent.info.run_id
        children = mlflow.search_runs(
            filter_string=f"tags.mlflow.parentRunId = '{parent_id}'",
            order_by=["params.number"],
            output_format="list",
        )
        return [child.info.run_name for child in children], mlflow.get_parent_run(
            children[0].info.run_id
        ).info.run_name

    assert both(scenario) == (["child 0", "child 1"], "parent")


def test_a_failed_and_a_killed_run(both):
    def scenario(_: Path) -> Any:
        mlflow.set_experiment("failing")
        with pytest.raises(ZeroDivisionError), mlflow.start_run(run_name="fails") as failed:
            raise ZeroDivisionError
        client = MlflowClient()
        killed = client.create_run(failed.info.experiment_id, run_name="killed")
        client.set_terminated(killed.info.run_id, "KILLED", end_time=int(time.time() * 1000))
        with mlflow.start_run(run_id=killed.info.run_id):
            mlflow.log_metric("again", 1)
        scheduled = client.create_run(failed.info.experiment_id, run_name="scheduled")
        client.update_run(scheduled.info.run_id, status="SCHEDULED")
        ids = (failed.info.run_id, killed.info.run_id, scheduled.info.run_id)
        return [shown(client.get_run(run_id)) for run_id in ids]

    both(scenario, calls=False)


def test_deleted_and_restored_runs(both):
    def scenario(_: Path) -> Any:
        experiment = mlflow.set_experiment("deleting").experiment_id
        client = MlflowClient()
        run_id = client.create_run(experiment, run_name="deleted").info.run_id
        client.delete_run(run_id)
        client.delete_run(run_id)
        deleted = client.get_run(run_id).info.lifecycle_stage
        views = [
            [run.info.run_name for run in client.search_runs([experiment], run_view_type=view)]
            for view in (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL)
        ]
        codes = [
            code_of(lambda: client.log_metric(run_id, "a", 1)),
            code_of(lambda: client.log_param(run_id, "a", 1)),
            code_of(lambda: client.set_tag(run_id, "a", 1)),
            code_of(lambda: client.log_batch(run_id, params=[Param("a", "1")])),
            code_of(lambda: client.set_terminated(run_id)),
        ]
        client.restore_run(run_id)
        client.restore_run(run_id)
        client.log_param(run_id, "a", 1)
        return deleted, views, codes, shown(client.get_run(run_id))

    both(scenario)


def test_what_a_batch_may_hold(both):
    def scenario(_: Path) -> Any:
        mlflow.set_experiment("batches")
        with mlflow.start_run(run_name="batch") as run:
            pass
        run_id = run.info.run_id
        client = MlflowClient()
        params = [Param(f"p{number}", str(number)) for number in range(100)]
        tags = [RunTag(f"t{number}", "x") for number in range(100)]
        metrics = [Metric("m", number, number, number) for number in range(800)]
        client.log_batch(run_id, metrics=metrics, params=params, tags=tags)
        client.log_batch(run_id, params=params)
        store = client._tracking_client.store
        codes = [
            code_of(lambda: store.log_batch(run_id, metrics * 2, [], [])),
            code_of(lambda: store.log_batch(run_id, [], [*params, Param("q", "1")], [])),
            code_of(lambda: store.log_batch(run_id, [], [], [*tags, RunTag("q", "1")])),
            code_of(lambda: store.log_batch(run_id, metrics, params, [*tags, tags[0]])),
            code_of(lambda: store.log_batch(run_id, [], [Param("p1", "other")], [])),
            code_of(lambda: store.log_batch(run_id, [], [Param("a", "1"), Param("a", "2")], [])),
            code_of(lambda: store.log_batch(run_id, [], [Param("a*b", "1")], [])),
            code_of(lambda: store.log_batch(run_id, [Metric("../a", 1, 1, 1)], [], [])),
            code_of(lambda: store.log_batch(run_id, [Metric("a", 1, -1, 1)], [], [])),
            code_of(lambda: store.log_batch("0" * 32, [], params, [])),
            code_of(lambda: client.log_param(run_id, "p1", "other")),
            code_of(lambda: client.log_param(run_id, "a" * 251, "1")),
            code_of(lambda: client.set_tag(run_id, "/a", "1")),
            code_of(lambda: client.delete_tag(run_id, "no such")),
            code_of(lambda: client.get_run("0" * 32)),
        ]
        client.log_param(run_id, "long", "x" * 6000)
        return codes, shown(client.get_run(run_id))

    both(scenario)


def test_numbers_of_every_kind(both):
    def scenario(_: Path) -> Any:
        mlflow.set_experiment("numbers")
        with mlflow.start_run(run_name="numbers") as run:
            mlflow.log_metric("tiny", 5e-324, step=-3, timestamp=1)
            mlflow.log_metric("huge", 1.7976931348623157e308, step=2**40, timestamp=2)
            mlflow.log_metric("nan", math.nan, timestamp=3)
            mlflow.log_metric("later", 1, step=5, timestamp=4)
            mlflow.log_metric("later", 2, step=4, timestamp=5)
        client = MlflowClient()
        run_id = run.info.run_id
        history = [
            [repr((one.value, one.step)) for one in client.get_metric_history(run_id, key)]
            for key in ("tiny", "huge", "nan", "later", "none")
        ]
        return shown(client.get_run(run_id)), history

    both(scenario, calls=False)


def test_a_history_over_several_pages(both):
    def scenario(_: Path) -> Any:
        mlflow.set_experiment("history")
        with mlflow.start_run(run_name="history") as run:
            pass
        client = MlflowClient()
        run_id = run.info.run_id
        for begin in range(0, 3000, 1000):
            steps = range(begin, begin + 1000)
            client.log_batch(run_id, [Metric("m", math.sin(step), step, step) for step in steps])
        whole = [one.value for one in client.get_metric_history(run_id, "m")]
        store = client._tracking_client.store
        pages, token = [], None
        while True:
            page = store.get_metric_history(run_id, "m", max_results=1300, page_token=token)
            pages.append(len(page))
            token = page.token
            if not token:
                break
        return whole, pages

    outcome = both(scenario)
    assert outcome[0] == [math.sin(step) for step in range(3000)]


def test_files_go_up_and_come_back(both):
    def scenario(folder: Path) -> Any:
        mlflow.set_experiment("files")
        (folder / "up" / "deep" / "er").mkdir(parents=True)
        names = ["a b.txt", "größe.txt", "deep/100%.txt", "deep/er/x#y.bin", "deep/er/empty"]
        for name in names:
            (folder / "up" / name).write_bytes(b"" if name.endswith("empty") else name.encode())
        figure = Figure()
        figure.subplots().plot([0, 1], [1, 0])
        with mlflow.start_run(run_name="files") as run:
            mlflow.log_artifacts(str(folder / "up"), "up")
            mlflow.log_artifact(str(folder / "up" / "a b.txt"))
            mlflow.log_dict({"a": [1, "ü"]}, "dicts/d.json")
            mlflow.log_dict({"a": 1}, "dicts/d.yaml")
            mlflow.log_text("text", "t.txt")
            mlflow.log_figure(figure, "figures/f.png")
            mlflow.log_image(np.zeros((2, 2, 3), dtype=np.uint8), "images/i.png")
            mlflow.log_table({"a": [1, 2], "b": ["x", "y"]}, "table.json")
        client = MlflowClient()
        run_id = run.info.run_id
        listed = {
            path or "": [(one.path, one.is_dir) for one in client.list_artifacts(run_id, path)]
            for path in (None, "up", "up/deep", "up/deep/er", "dicts", "t.txt", "none")
        }
        down = Path(client.download_artifacts(run_id, "up", str(folder)))
        files = {
            str(path.relative_to(down)): path.read_text()
            for path in sorted(down.rglob("*"))
            if path.is_file()
        }
        loaded = mlflow.artifacts.load_dict(f"runs:/{run_id}/dicts/d.json")
        text = mlflow.artifacts.load_text(f"runs:/{run_id}/t.txt")
        table = mlflow.load_table("table.json", run_ids=[run_id]).to_dict("list")
        return listed, files, loaded, text, table

    both(scenario, calls=False)


def test_scikit_learn_logs_by_itself(both):
    def scenario(folder: Path) -> Any:
        mlflow.set_experiment("autolog")
        mlflow.sklearn.autolog(log_models=True, silent=True, exclusive=False)
        rng = np.random.default_rng(7)
        x = rng.normal(size=(60, 3))
        y = (x[:, 0] > 0).astype(int)
        with mlflow.start_run(run_name="autolog") as run:
            LogisticRegression(max_iter=50, C=0.5).fit(x, y)
        mlflow.sklearn.autolog(disable=True)
        client = MlflowClient()
        found = client.get_run(run.info.run_id)
        [output] = found.outputs.model_outputs
        model = client.get_logged_model(output.model_id)
        again = mlflow.sklearn.load_model(f"models:/{output.model_id}").predict(x[:5]).tolist()
        told = shown(found)
        told["tags"] = sorted(told["tags"])
        return (
            told,
            [
                (one.dataset.name, [tag.value for tag in one.tags])
                for one in found.inputs.dataset_inputs
            ],
            (
                model.name,
                model.status,
                model.params,
                sorted(metric.key for metric in model.metrics),
            ),
            again,
            sorted(one.path for one in client.list_artifacts(run.info.run_id)),
            sorted(one.path for one in client.list_logged_model_artifacts(output.model_id)),
        )

    both(scenario, calls=False)


def test_datasets_of_runs(both):
    def scenario(_: Path) -> Any:
        mlflow.set_experiment("datasets")
        dataset = mlflow.data.from_numpy(np.arange(6.0).reshape(3, 2), name="numbers")
        with mlflow.start_run(run_name="datasets") as run:
            for _ in range(2):
                mlflow.log_input(dataset, context="training")
        client = MlflowClient()
        [found] = client.get_run(run.info.run_id).inputs.dataset_inputs
        by_name = client.search_runs(
            [run.info.experiment_id], "datasets.name = 'numbers' AND datasets.context = 'training'"
        )
        return (
            found.dataset.name,
            found.dataset.digest,
            found.dataset.schema,
            found.dataset.profile,
            [(tag.key, tag.value) for tag in found.tags],
            [one.info.run_name for one in by_name],
        )

    both(scenario)


def test_runs_are_searched_into_a_table(both):
    def scenario(_: Path) -> Any:
        experiment = mlflow.set_experiment("search").experiment_id
        for number in range(6):
            with mlflow.start_run(run_name=f"run {number}", tags={"even": str(number % 2 == 0)}):
                mlflow.log_params({"n": number, "optimizer": "adam" if number < 3 else "SGD"})
                mlflow.log_metric("loss", math.nan if number == 5 else 1 / (number + 1))
                if number % 3 == 0:
                    mlflow.log_metric("val/acc", number)
        with pytest.raises(ZeroDivisionError), mlflow.start_run(run_name="broken"):
            raise ZeroDivisionError
        filters = [
            "",
            "metrics.loss < 0.4",
            "metrics.loss >= 0.25 and params.optimizer = 'adam'",
            "params.optimizer != 'adam'",
            "params.optimizer LIKE 's%'",
            "params.optimizer ILIKE 's%'",
            "tags.even = 'True' AND metrics.`val/acc` > -1",
            'metrics."val/acc" = 3',
            "attributes.status = 'FAILED'",
            "status != 'FINISHED'",
            "run_name = 'run 2'",
            "attributes.run_name LIKE 'run%'",
            "tags.mlflow.runName = 'run 4'",
            "tags.even IS NULL",
            "params.n IS NOT NULL",
            "start_time > 0",
            "attributes.end_time < 0",
        ]
        orders = [
            ["metrics.loss ASC"],
            ["metrics.loss DESC"],
            ["params.optimizer ASC", "metrics.loss DESC"],
            ["attributes.run_name DESC"],
            ["start_time ASC"],
            ["tags.even", "run_name"],
        ]
        client = MlflowClient()

        def names(**search: Any) -> list[str]:
            return [run.info.run_name for run in client.search_runs([experiment], **search)]

        found = {one: names(filter_string=one, order_by=["run_name"]) for one in filters}
        ordered = {str(order): names(order_by=order) for order in orders}
        pages, token = [], None
        while True:
            page = client.search_runs(
                [experiment], order_by=["run_name"], max_results=3, page_token=token
            )
            pages.append([run.info.run_name for run in page])
            token = page.token
            if not token:
                break
        codes = [
            code_of(lambda one=one: names(filter_string=one))
            for one in (
                "nonsense",
                "metrics.loss < 'a'",
                "params.n < 3",
                "metrics.loss < 1 OR metrics.loss > 2",
                "colours.a = 'b'",
                "attributes.colour = 'b'",
                "metrics.loss < ",
            )
        ]
        codes.append(code_of(lambda: names(max_results=50_001)))
        codes.append(code_of(lambda: names(order_by=["colours.a"])))
        table = mlflow.search_runs([experiment], order_by=["run_name"])
        columns = sorted(table.columns)
        losses = [repr(value) for value in table["metrics.loss"]]
        return found, ordered, pages, codes, columns, losses

    both(scenario)


def test_logged_models(both):
    def scenario(folder: Path) -> Any:
        experiment = mlflow.set_experiment("models").experiment_id
        client = MlflowClient()
        made = [
            client.create_logged_model(
                experiment, name=f"m{number}", params={"n": str(number)}, tags={"a": "1"}
            )
            for number in range(3)
        ]
        first = made[0].model_id
        client.finalize_logged_model(first, "READY")
        client.set_logged_model_tags(first, {"b": "ü"})
        client.delete_logged_model_tag(first, "a")
        client._tracking_client.store.log_logged_model_params(first, [])
        (folder / "weights.bin").write_bytes(b"weights")
        client.log_model_artifact(first, str(folder / "weights.bin"))
        with mlflow.start_run(run_name="models") as run:
            mlflow.log_metric("acc", 0.5, model_id=first)
            mlflow.log_metric("acc", 0.7, model_id=made[1].model_id)
        client.log_outputs(run.info.run_id, [mlflow.entities.LoggedModelOutput(first, 3)])
        client.delete_logged_model(made[2].model_id)

        def names(**search: Any) -> list[str]:
            return [one.name for one in client.search_logged_models([experiment], **search)]

        found = client.get_logged_model(first)
        return (
            (found.name, found.status, found.tags, found.params),
            [(one.key, one.value) for one in found.metrics],
            names(order_by=[{"field_name": "name"}]),
            names(filter_string="metrics.acc > 0.6"),
            names(filter_string="params.n = '0'"),
            names(order_by=[{"field_name": "metrics.acc", "ascending": False}]),
            [one.path for one in client.list_logged_model_artifacts(first)],
            code_of(lambda: client.get_logged_model(made[2].model_id)),
            code_of(lambda: client.delete_logged_model_tag(first, "none")),
        )

    both(scenario, calls=False)


def test_logging_in_the_background(both):
    def scenario(_: Path) -> Any:
        mlflow.set_experiment("background")
        with mlflow.start_run(run_name="background") as run:
            waits = [
                mlflow.log_metric("m", step, step=step, synchronous=False) for step in range(200)
            ]
            waits.append(mlflow.log_params({"a": 1, "b": 2}, synchronous=False))
            waits.append(mlflow.set_tags({"c": "3"}, synchronous=False))
            for wait in waits:
                wait.wait()
        client = MlflowClient()
        history = client.get_metric_history(run.info.run_id, "m")
        return shown(client.get_run(run.info.run_id)), [one.value for one in history]

    both(scenario, calls=False)


def test_system_metrics(both):
    def scenario(_: Path) -> Any:
        mlflow.set_experiment("system")
        mlflow.set_system_metrics_sampling_interval(0.1)
        with mlflow.start_run(run_name="system", log_system_metrics=True) as run:
            time.sleep(1.5)
        metrics = MlflowClient().get_run(run.info.run_id).data.metrics
        return sorted(key for key in metrics if "cpu" in key or "memory" in key)

    assert both(scenario, calls=False)


def test_models_as_clients_before_3_record_them(both):
    def scenario(_: Path) -> Any:
        mlflow.set_experiment("history of models")
        with mlflow.start_run(run_name="old") as run:
            pass
        store = MlflowClient()._tracking_client.store
        model = mlflow.models.Model(
            artifact_path="m", run_id="x", utc_time_created="now", model_uuid="u"
        )
        model.add_flavor("sklearn", code=None, config="c")
        store.record_logged_model(run.info.run_id, model)
        [history] = json.loads(
            MlflowClient().get_run(run.info.run_id).data.tags["mlflow.log-model.history"]
        )
        return {key: history[key] for key in ("artifact_path", "run_id", "flavors")}

    both(scenario)

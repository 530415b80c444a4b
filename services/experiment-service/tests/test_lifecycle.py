"""The life of runs and experiments against a plain model of it, in whatever order things happen."""

import asyncio
import os
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from experiment_service.operations.sweeping import sweep_runs
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from servicekit.database import DATABASE

EXAMPLES = int(os.environ.get("LIFECYCLE_EXAMPLES", "20"))
STEPS = 40
RUN_STEPS = {
    ("draft", "running"),
    ("draft", "archived"),
    ("running", "succeeded"),
    ("running", "failed"),
    ("running", "interrupted"),
    ("interrupted", "running"),
    ("succeeded", "archived"),
    ("failed", "archived"),
    ("interrupted", "archived"),
}
EXPERIMENT_STEPS = {
    ("draft", "running"),
    ("running", "succeeded"),
    ("running", "failed"),
    *((source, "archived") for source in ("draft", "running", "succeeded", "failed")),
}
RUN_STATUSES = ["draft", "running", "succeeded", "failed", "interrupted", "archived"]
EXPERIMENT_STATUSES = ["draft", "running", "succeeded", "failed", "archived"]


@dataclass
class Model:
    """What a run or an experiment should be."""

    id: str
    status: str
    experiment: str = ""
    before_archive: str = ""
    hidden_with_experiment: bool = False
    beats: bool = False
    version: int = 1
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, int] = field(default_factory=dict)


class Lifecycle(RuleBasedStateMachine):
    """Does to the service what it does to the model; both must say the same."""

    api: Any
    connection: Any
    loop: asyncio.AbstractEventLoop

    experiments = Bundle("experiments")
    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.model_runs: dict[str, Model] = {}
        self.model_experiments: dict[str, Model] = {}

    def do(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def patch(self, path: str, body: dict[str, Any], *, fine: bool) -> dict[str, Any]:
        return self.do(self.api.patch(path, body, status=200 if fine else 409))

    def post(self, path: str, body: Any = None, *, fine: bool = True, status: int = 200) -> Any:
        return self.do(self.api.post(path, body, status=status if fine else 409))

    @initialize(target=experiments)
    def begin(self) -> Any:
        made = self.do(self.api.experiment(str(uuid4())))
        self.model_experiments[made["id"]] = Model(made["id"], "draft")
        return made["id"]

    @initialize(target=runs, experiment=experiments)
    def begin_with_runs(self, experiment: str) -> Any:
        return multiple(*(self.add_run(experiment, "draft") for _ in range(2)))

    @rule(target=runs, experiment=experiments, status=st.sampled_from(["draft", "running"]))
    def add_run(self, experiment: str, status: str) -> Any:
        owner = self.model_experiments[experiment]
        fine = owner.status != "archived"
        made = self.post(
            f"/api/v1/experiments/{experiment}/runs", {"status": status}, fine=fine, status=201
        )
        if not fine:
            return multiple()
        self.model_runs[made["id"]] = Model(made["id"], status, experiment)
        if (owner.status, status) == ("draft", "running"):
            owner.status = "running"
        return made["id"]

    @rule(run=runs, status=st.sampled_from(RUN_STATUSES))
    def change_run_status(self, run: str, status: str) -> None:
        model = self.model_runs[run]
        step = (model.status, status) in RUN_STEPS
        self.patch(f"/api/v1/runs/{run}", {"status": status}, fine=step or model.status == status)
        if step:
            self._step(model, status)

    @rule(run=runs)
    def archive_run(self, run: str) -> None:
        model = self.model_runs[run]
        step = (model.status, "archived") in RUN_STEPS
        self.post(f"/api/v1/runs/{run}/archive", fine=step or model.status == "archived")
        if step:
            self._step(model, "archived")

    @rule(run=runs)
    def restore_run(self, run: str) -> None:
        model = self.model_runs[run]
        hidden = self.model_experiments[model.experiment].status == "archived"
        fine = model.status == "archived" and not hidden
        self.post(f"/api/v1/runs/{run}/restore", fine=fine)
        if fine:
            self._step(model, model.before_archive)

    @rule(run=runs)
    def send_heartbeat(self, run: str) -> None:
        model = self.model_runs[run]
        if model.status == "interrupted":
            self._step(model, "running")
        model.beats = model.beats or model.status == "running"
        assert self.post(f"/api/v1/runs/{run}/heartbeat") == {"status": model.status}

    @rule(data=st.data())
    def let_runs_fall_silent(self, data: st.DataObject) -> None:
        silent = (
            data.draw(st.sets(st.sampled_from(sorted(self.model_runs))))
            if (self.model_runs)
            else set()
        )
        self.do(
            self.connection.execute(
                """
                UPDATE experiment.runs
                SET last_heartbeat_at = last_heartbeat_at - interval '1 hour'
                WHERE id = ANY($1::text[]::uuid[])
                """,
                list(silent),
            )
        )
        self.do(sweep_runs(self.api.client.app[DATABASE], silence=timedelta(minutes=30)))
        for run in silent:
            model = self.model_runs[run]
            if model.beats and model.status == "running":
                self._step(model, "interrupted")
        # Those that were silent and not running have a fresh sign of life once they run again.

    @rule(runs=st.lists(runs, min_size=1, unique=True), status=st.sampled_from(RUN_STATUSES))
    def change_many_statuses(self, runs: list[str], status: str) -> None:
        stepping = [run for run in runs if (self.model_runs[run].status, status) in RUN_STEPS]
        staying = [run for run in runs if self.model_runs[run].status == status]

        done = self.post(
            f"{self.api.project}/runs/bulk-status", {"run_ids": runs, "status": status}
        )

        assert set(done["updated"]) == {*stepping, *staying}
        assert {failed["run_id"] for failed in done["failed"]} == set(runs) - set(done["updated"])
        for run in stepping:
            self._step(self.model_runs[run], status)

    @rule(run=runs, key=st.sampled_from("ab"), value=st.none() | st.sampled_from("xy"))
    def tag_run(self, run: str, key: str, value: str | None) -> None:
        model = self.model_runs[run]
        after = {name: text for name, text in model.tags.items() if name != key}
        if value is not None:
            after[key] = value
        changes = after != model.tags
        fine = not changes or model.status != "archived"
        self.patch(f"/api/v1/runs/{run}", {"tags": {key: value}}, fine=fine)
        if fine and changes:
            model.tags = after
            model.version += 1

    @rule(run=runs, key=st.sampled_from("ab"), value=st.integers(0, 1))
    def add_param(self, run: str, key: str, value: int) -> None:
        model = self.model_runs[run]
        fine = model.status != "archived" and model.params.get(key, value) == value
        self.post(f"/api/v1/runs/{run}/params", {"params": {key: value}}, fine=fine)
        if fine and key not in model.params:
            model.params[key] = value
            model.version += 1

    @rule(experiment=experiments, status=st.sampled_from(EXPERIMENT_STATUSES))
    def change_experiment_status(self, experiment: str, status: str) -> None:
        model = self.model_experiments[experiment]
        step = (model.status, status) in EXPERIMENT_STEPS
        if status == "archived" and model.status != "archived":
            step = not any(run.status == "running" for run in self._runs_of(experiment))
        self.patch(
            f"/api/v1/experiments/{experiment}",
            {"status": status},
            fine=step or model.status == status,
        )
        if not step:
            return
        if status == "archived":
            model.before_archive = model.status
            for run in self._runs_of(experiment):
                if run.status != "archived":
                    self._step(run, "archived")
                    run.hidden_with_experiment = True
        model.status = status

    @rule(experiment=experiments)
    def archive_experiment(self, experiment: str) -> None:
        self.change_experiment_status(experiment, "archived")

    @rule(experiment=experiments)
    def restore_experiment(self, experiment: str) -> None:
        model = self.model_experiments[experiment]
        fine = model.status == "archived"
        self.post(f"/api/v1/experiments/{experiment}/restore", fine=fine)
        if fine:
            model.status = model.before_archive
            for run in self._runs_of(experiment):
                if run.hidden_with_experiment:
                    self._step(run, run.before_archive)

    @invariant()
    def the_service_says_the_same(self) -> None:
        runs = self.do(self._all("runs"))
        assert {
            run["id"]: (run["status"], run["version"], run["tags"], run["params"]) for run in runs
        } == {
            model.id: (model.status, model.version, model.tags, model.params)
            for model in self.model_runs.values()
        }
        for run in runs:
            ended = run["status"] in {"succeeded", "failed", "interrupted"}
            assert ended <= (run["finished_at"] is not None)
            assert (run["status"] == "archived") == (run["archived_at"] is not None)
            assert run["status"] != "running" or (run["started_at"] and not run["finished_at"])
            assert (run["duration_seconds"] is None) == (run["finished_at"] is None)
        experiments = self.do(self._all("experiments"))
        assert {
            experiment["id"]: (
                experiment["status"],
                experiment["run_count"],
                experiment["running_count"],
            )
            for experiment in experiments
        } == {
            model.id: (
                model.status,
                sum(run.status != "archived" for run in self._runs_of(model.id)),
                sum(run.status == "running" for run in self._runs_of(model.id)),
            )
            for model in self.model_experiments.values()
        }

    async def _all(self, what: str) -> list[dict[str, Any]]:
        page = await self.api.get(
            f"{self.api.project}/{what}", params={"archived": "all", "limit": "1000"}
        )
        return [item for item in page["items"] if item["id"] in self.model_of(what)]

    def model_of(self, what: str) -> dict[str, Model]:
        return self.model_runs if what == "runs" else self.model_experiments

    def _runs_of(self, experiment: str) -> list[Model]:
        return [run for run in self.model_runs.values() if run.experiment == experiment]

    @staticmethod
    def _step(model: Model, status: str) -> None:
        if status == "archived":
            model.before_archive = model.status
        else:
            model.hidden_with_experiment = False
        model.status = status
        model.version += 1


async def test_runs_live_as_the_model_says(api, connection) -> None:
    class Machine(Lifecycle):
        pass

    Machine.api, Machine.connection = api, connection
    Machine.loop = asyncio.get_running_loop()

    await asyncio.to_thread(
        run_state_machine_as_test,
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

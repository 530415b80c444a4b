"""What MLflow clients are answered, over HTTP as they ask."""

import asyncio
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient
from experiment_api import Api, as_
from experiment_service.mlflow import experiment_calls, model_calls, probes, run_calls
from servicekit import policy
from servicekit.mlflow import Call
from servicekit.testing.identity import KnownPeople

BASE = "/api/2.0/mlflow"


class Mlflow:
    """An MLflow client's requests, and their answers or error codes."""

    def __init__(self, client: TestClient, token: str = "rb_program") -> None:
        self.client = client
        self.token = token

    async def post(self, path: str, *, expect: int = 200, method: str = "POST", **body: Any) -> Any:
        response = await self.client.request(
            method, f"{BASE}/{path}", json=body, headers=as_(self.token)
        )
        return await self._answer(response, expect, f"{path} {body}")

    async def get(self, path: str, *, expect: int = 200, **query: Any) -> Any:
        response = await self.client.get(f"{BASE}/{path}", params=query, headers=as_(self.token))
        return await self._answer(response, expect, f"{path} {query}")

    async def _answer(self, response: Any, status: int, asked: str) -> Any:
        text = await response.text()
        assert response.status == status, f"{asked}: {response.status} {text}"
        answer = await response.json()
        if status == 200:
            return answer
        assert set(answer) == {"error_code", "message"}
        return answer["error_code"]

    async def experiment(self, name: str = "digits", **more: Any) -> str:
        return (await self.post("experiments/create", name=name, **more))["experiment_id"]

    async def run(self, experiment_id: str, **more: Any) -> dict[str, Any]:
        answer = await self.post("runs/create", experiment_id=experiment_id, **more)
        return answer["run"]

    async def read(self, run: dict[str, Any]) -> dict[str, Any]:
        return (await self.get("runs/get", run_id=run["info"]["run_id"]))["run"]


def pairs(values: list[dict[str, str]]) -> dict[str, str]:
    return {pair["key"]: pair["value"] for pair in values}


@pytest.fixture
def mlflow(client: TestClient, people: KnownPeople, project_id: UUID) -> Mlflow:
    people.program("rb_program", project_id=project_id, role="editor")
    people.program("rb_reader", project_id=project_id, role="viewer")
    return Mlflow(client)


@pytest.fixture
def reader(client: TestClient, mlflow: Mlflow) -> Mlflow:
    return Mlflow(client, "rb_reader")


# Experiments


async def test_an_experiment_is_made_read_renamed_deleted_and_restored(mlflow: Mlflow) -> None:
    tags = [{"key": "team", "value": "vision"}, {"key": "mlflow.note.content", "value": "A *note*"}]
    made = await mlflow.experiment("digits", tags=tags)
    found = (await mlflow.get("experiments/get", experiment_id=made))["experiment"]

    assert found["name"] == "digits"
    assert found["artifact_location"] == f"mlflow-artifacts:/{made}"
    assert found["lifecycle_stage"] == "active"
    assert isinstance(found["creation_time"], int)
    assert pairs(found["tags"]) == {"team": "vision", "mlflow.note.content": "A *note*"}

    await mlflow.post("experiments/update", experiment_id=made, new_name="letters")
    by_name = await mlflow.get("experiments/get-by-name", experiment_name="letters")
    assert by_name["experiment"]["experiment_id"] == made
    missing = await mlflow.get("experiments/get-by-name", experiment_name="digits", expect=404)
    assert missing == "RESOURCE_DOES_NOT_EXIST"

    await mlflow.post("experiments/delete", experiment_id=made)
    gone = (await mlflow.get("experiments/get", experiment_id=made))["experiment"]
    assert gone["lifecycle_stage"] == "deleted"
    again = await mlflow.post("experiments/delete", experiment_id=made, expect=404)
    assert again == "RESOURCE_DOES_NOT_EXIST"
    await mlflow.post("experiments/restore", experiment_id=made)
    await mlflow.post("experiments/restore", experiment_id=made, expect=404)


async def test_a_name_is_taken_once_in_any_case(mlflow: Mlflow) -> None:
    await mlflow.experiment("digits")

    for name in ("digits", "DIGITS"):
        assert await mlflow.post("experiments/create", name=name, expect=400) == (
            "RESOURCE_ALREADY_EXISTS"
        )
    # So that who sets an experiment by a name of another case finds the one that is there.
    assert await mlflow.get("experiments/get-by-name", experiment_name="Digits")


async def test_the_default_experiment_is_made_when_it_is_first_wanted(
    mlflow: Mlflow, reader: Mlflow, api: Api
) -> None:
    assert await reader.get("experiments/get", experiment_id="0", expect=404)
    runs = await asyncio.gather(*(mlflow.run("0") for _ in range(5)))
    without = (await mlflow.post("runs/create"))["run"]

    default = (await reader.get("experiments/get", experiment_id="0"))["experiment"]
    assert default["name"] == "Default"
    ids = {run["info"]["experiment_id"] for run in [*runs, without]}
    assert ids == {default["experiment_id"]}
    assert await api.names(f"{api.project}/experiments") == ["Default"]


async def test_tags_of_experiments_are_set_and_deleted(mlflow: Mlflow) -> None:
    made = await mlflow.experiment()
    for key, value in [("a", "1"), ("a", "2\n3"), ("mlflow.note.content", "why")]:
        await mlflow.post(
            "experiments/set-experiment-tag", experiment_id=made, key=key, value=value
        )
    await mlflow.post("experiments/delete-experiment-tag", experiment_id=made, key="a")

    found = (await mlflow.get("experiments/get", experiment_id=made))["experiment"]
    assert pairs(found["tags"]) == {"mlflow.note.content": "why"}
    again = await mlflow.post(
        "experiments/delete-experiment-tag", experiment_id=made, key="a", expect=404
    )
    assert again == "RESOURCE_DOES_NOT_EXIST"
    await mlflow.post(
        "experiments/set-experiment-tag",
        experiment_id=made,
        key="a",
        value="x" * 20_001,
        expect=400,
    )
    await mlflow.post("experiments/delete", experiment_id=made)
    await mlflow.post(
        "experiments/set-experiment-tag", experiment_id=made, key="a", value="1", expect=400
    )


async def test_experiments_are_found_by_filter_order_and_page(mlflow: Mlflow) -> None:
    for number in range(5):
        await mlflow.experiment(f"e{number}", tags=[{"key": "even", "value": str(number % 2 == 0)}])
    await mlflow.experiment("Äpfel")

    async def names(**search: Any) -> list[str]:
        found: list[str] = []
        token = ""
        while True:
            page = await mlflow.post(
                "experiments/search", max_results=2, page_token=token, **search
            )
            found += [one["name"] for one in page.get("experiments", [])]
            token = page.get("next_page_token", "")
            if not token:
                return found

    assert await names() == ["Äpfel", "e4", "e3", "e2", "e1", "e0"]
    assert await names(filter="tags.even = 'True'", order_by=["name"]) == ["e0", "e2", "e4"]
    assert await names(filter="name LIKE 'e%' AND name != 'e1'", order_by=["name DESC"]) == [
        "e4",
        "e3",
        "e2",
        "e0",
    ]
    assert await names(filter="attribute.name ILIKE 'äP%'") == ["Äpfel"]
    assert await names(filter="tags.even IS NULL") == ["Äpfel"]
    assert await names(filter="creation_time > 0 and last_update_time < 1") == []
    by_get = await mlflow.get("experiments/search", max_results="1", view_type="3")
    assert len(by_get["experiments"]) == 1


@pytest.mark.parametrize(
    "search",
    [
        {},
        {"max_results": 0},
        {"max_results": 50_001},
        {"max_results": 1, "page_token": "nonsense"},
        {"max_results": 1, "filter": "nonsense"},
        {"max_results": 1, "filter": "name = "},
        {"max_results": 1, "filter": "name = 5"},
        {"max_results": 1, "filter": "name > 'a'"},
        {"max_results": 1, "filter": "creation_time = 'a'"},
        {"max_results": 1, "filter": "metrics.loss < 1"},
        {"max_results": 1, "filter": "name = 'a' OR name = 'b'"},
        {"max_results": 1, "filter": "name = 'a' AND"},
        {"max_results": 1, "filter": "(name = 'a')"},
        {"max_results": 1, "filter": "name = 'a'; DROP TABLE runs"},
        {"max_results": 1, "filter": " AND ".join(["name = 'a'"] * 13)},
        {"max_results": 1, "order_by": ["colour"]},
        {"max_results": 1, "order_by": ["name; DROP TABLE runs"]},
        {"max_results": 1, "order_by": [""]},
        {"max_results": 1, "view_type": "SOME"},
    ],
)
async def test_a_search_that_cannot_be_read_is_an_invalid_parameter(
    mlflow: Mlflow, search: dict[str, Any]
) -> None:
    assert await mlflow.post("experiments/search", expect=400, **search) == (
        "INVALID_PARAMETER_VALUE"
    )


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 201])
async def test_a_name_that_cannot_be_kept_is_refused(mlflow: Mlflow, name: str) -> None:
    assert await mlflow.post("experiments/create", name=name, expect=400) == (
        "INVALID_PARAMETER_VALUE"
    )


async def test_files_may_stay_at_an_address_of_the_client(mlflow: Mlflow) -> None:
    made = await mlflow.experiment(artifact_location="s3://bucket/digits/")
    run = await mlflow.run(made)

    run_id = run["info"]["run_id"]
    assert run["info"]["artifact_uri"] == f"s3://bucket/digits/{run_id}/artifacts"
    for location in ("/etc", "runs:/x", "s3://a b", "x" * 3000):
        await mlflow.post("experiments/create", name="b", artifact_location=location, expect=400)


# Runs


async def test_a_run_is_recorded_and_read_as_mlflow_has_it(mlflow: Mlflow) -> None:
    experiment_id = await mlflow.experiment()
    made = await mlflow.run(
        experiment_id,
        user_id="ada",
        start_time="1700000000123",
        tags=[{"key": "mlflow.user", "value": "ada"}, {"key": "note", "value": "a\nb"}],
    )
    run_id = made["info"]["run_id"]

    assert made | {"outputs": {}} == await mlflow.read(made)
    assert made["info"] == {
        "run_id": run_id,
        "run_uuid": run_id,
        "run_name": made["info"]["run_name"],
        "experiment_id": experiment_id,
        "user_id": "ada",
        "status": "RUNNING",
        "start_time": 1700000000123,
        "artifact_uri": f"mlflow-artifacts:/{experiment_id}/{run_id}/artifacts",
        "lifecycle_stage": "active",
    }
    assert pairs(made["data"]["tags"]) == {
        "mlflow.runName": made["info"]["run_name"],
        "mlflow.user": "ada",
        "note": "a\nb",
    }
    assert made["inputs"] == {}


async def test_the_portal_and_mlflow_show_the_same_things(mlflow: Mlflow, api: Api) -> None:
    parent = await mlflow.run(await mlflow.experiment())
    tags = {
        "mlflow.runName": "first",
        "mlflow.note.content": "# Notes",
        "mlflow.parentRunId": parent["info"]["run_id"],
        "mlflow.source.name": "train.py",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": "0123abc",
        "mlflow.source.git.branch": "main",
    }
    made = await mlflow.run(
        parent["info"]["experiment_id"],
        tags=[{"key": key, "value": value} for key, value in tags.items()],
    )

    assert pairs(made["data"]["tags"]) == tags
    shown = await api.get(f"/api/v1/runs/{UUID(made['info']['run_id'])}")
    assert (shown["name"], shown["notes"], shown["source"]) == ("first", "# Notes", "train.py")
    assert (shown["git_commit"], shown["git_branch"]) == ("0123abc", "main")
    assert UUID(shown["parent_run_id"]).hex == parent["info"]["run_id"]
    assert shown["tags"] == {"mlflow.source.type": "LOCAL"}

    await api.patch(f"/api/v1/runs/{shown['id']}", {"name": "renamed", "notes": "Other notes"})
    again = await mlflow.read(made)
    assert again["info"]["run_name"] == "renamed"
    now = pairs(again["data"]["tags"])
    assert (now["mlflow.runName"], now["mlflow.note.content"]) == ("renamed", "Other notes")


async def test_what_a_column_cannot_hold_stays_a_tag(mlflow: Mlflow, api: Api) -> None:
    tags = {
        "mlflow.runName": "x" * 300,
        "mlflow.parentRunId": uuid4().hex,
        "mlflow.source.git.commit": "two\nlines",
    }
    made = await mlflow.run(
        await mlflow.experiment(),
        tags=[{"key": key, "value": value} for key, value in tags.items()],
    )

    assert pairs(made["data"]["tags"]) == tags
    assert made["info"]["run_name"] == "x" * 300
    shown = await api.get(f"/api/v1/runs/{UUID(made['info']['run_id'])}")
    assert (shown["name"], shown["parent_run_id"]) == ("x" * 200, None)
    run_id = made["info"]["run_id"]
    await mlflow.post("runs/set-tag", run_id=run_id, key="mlflow.parentRunId", value=run_id)
    assert pairs((await mlflow.read(made))["data"]["tags"])["mlflow.parentRunId"] == run_id


async def test_two_names_that_differ_are_refused(mlflow: Mlflow) -> None:
    experiment_id = await mlflow.experiment()
    tag = {"key": "mlflow.runName", "value": "a"}

    same = await mlflow.run(experiment_id, run_name="a", tags=[tag])
    assert same["info"]["run_name"] == "a"
    await mlflow.post(
        "runs/create", experiment_id=experiment_id, run_name="b", tags=[tag], expect=400
    )


@pytest.mark.parametrize(
    ("status", "ours"),
    [("FINISHED", "succeeded"), ("FAILED", "failed"), ("KILLED", "interrupted"), (2, "draft")],
)
async def test_a_run_ends_when_its_client_says_and_may_run_again(
    mlflow: Mlflow, api: Api, status: str | int, ours: str
) -> None:
    run = await mlflow.run(await mlflow.experiment(), start_time=1_000_000)
    run_id = run["info"]["run_id"]
    ended = await mlflow.post(
        "runs/update", run_id=run_id, status=status, end_time=1_060_000, run_name="done"
    )

    info = ended["run_info"]
    assert info["status"] == ("SCHEDULED" if status == 2 else status)
    assert (info["end_time"], info["run_name"]) == (1_060_000, "done")
    shown = await api.get(f"/api/v1/runs/{UUID(run_id)}")
    assert (shown["status"], shown["duration_seconds"]) == (ours, 60)

    again = await mlflow.post("runs/update", run_uuid=run_id, status="RUNNING")
    assert again["run_info"]["status"] == "RUNNING"
    assert "end_time" not in again["run_info"]
    same = await mlflow.post("runs/update", run_id=run_id, status="RUNNING")
    assert same == again
    for mistake in ({"status": "PAUSED"}, {"end_time": 10**18}, {"end_time": "soon"}):
        assert await mlflow.post("runs/update", run_id=run_id, expect=400, **mistake) == (
            "INVALID_PARAMETER_VALUE"
        )


async def test_a_run_is_deleted_and_restored_whatever_it_does(mlflow: Mlflow, api: Api) -> None:
    run = await mlflow.run(await mlflow.experiment())
    run_id = run["info"]["run_id"]
    for _ in range(2):
        await mlflow.post("runs/delete", run_id=run_id)

    info = (await mlflow.read(run))["info"]
    assert (info["lifecycle_stage"], info["status"]) == ("deleted", "RUNNING")
    for path, more in [
        ("runs/update", {"status": "FINISHED"}),
        ("runs/log-parameter", {"key": "a", "value": "1"}),
        ("runs/set-tag", {"key": "a", "value": "1"}),
        ("runs/log-batch", {"params": [{"key": "a", "value": "1"}]}),
    ]:
        assert await mlflow.post(path, run_id=run_id, expect=400, **more) == (
            "INVALID_PARAMETER_VALUE"
        )
    for _ in range(2):
        await mlflow.post("runs/restore", run_id=run_id)
    assert (await mlflow.read(run))["info"] == run["info"]


async def test_deleting_an_experiment_hides_its_running_runs_too(mlflow: Mlflow) -> None:
    experiment_id = await mlflow.experiment()
    run, other = await mlflow.run(experiment_id), await mlflow.run(experiment_id)
    await mlflow.post("runs/delete", run_id=other["info"]["run_id"])
    await mlflow.post("experiments/delete", experiment_id=experiment_id)

    assert (await mlflow.read(run))["info"]["lifecycle_stage"] == "deleted"
    await mlflow.post("runs/create", experiment_id=experiment_id, expect=400)
    await mlflow.post("runs/restore", run_id=run["info"]["run_id"], expect=400)
    await mlflow.post("experiments/restore", experiment_id=experiment_id)
    assert await mlflow.read(run) == run | {"outputs": {}}
    assert (await mlflow.read(other))["info"]["lifecycle_stage"] == "deleted"


async def test_params_keep_their_first_value_and_repeats_change_nothing(
    mlflow: Mlflow, api: Api
) -> None:
    run = await mlflow.run(await mlflow.experiment())
    run_id = run["info"]["run_id"]
    for _ in range(2):
        await mlflow.post("runs/log-parameter", run_id=run_id, key="lr", value="0.1")
    await mlflow.post("runs/log-parameter", run_id=run_id, key="empty", value="")
    await mlflow.post("runs/log-parameter", run_id=run_id, key="long", value="x" * 7000)

    changed = await mlflow.post(
        "runs/log-parameter", run_id=run_id, key="lr", value="0.2", expect=400
    )
    assert changed == "INVALID_PARAMETER_VALUE"
    params = pairs((await mlflow.read(run))["data"]["params"])
    assert params == {"lr": "0.1", "empty": "", "long": "x" * 6000}

    native = await api.post(
        f"/api/v1/runs/{UUID(run_id)}/params", {"params": {"n": 5, "on": True, "none": None}}
    )
    assert native["params"]["n"] == 5
    params = pairs((await mlflow.read(run))["data"]["params"])
    assert (params["n"], params["on"], params["none"]) == ("5", "True", "None")
    await mlflow.post("runs/log-parameter", run_id=run_id, key="n", value="5")


async def test_a_batch_is_logged_as_a_whole_or_not_at_all(mlflow: Mlflow) -> None:
    run = await mlflow.run(await mlflow.experiment())
    run_id = run["info"]["run_id"]
    params = [{"key": f"p{number}", "value": str(number)} for number in range(100)]
    tags = [{"key": f"t/{number}", "value": "ä" * 9000} for number in range(100)]
    for _ in range(2):
        await mlflow.post("runs/log-batch", run_id=run_id, params=params, tags=tags)
    before = await mlflow.read(run)

    for mistake in (
        {"params": [{"key": "new", "value": "1"}, {"key": "p1", "value": "other"}]},
        {"params": [{"key": "new", "value": "1"}, {"key": "new", "value": "2"}]},
        {"params": [{"key": "new", "value": "1"}, {"key": "", "value": "2"}]},
        {"params": [{"key": "new", "value": "1"}], "tags": [{"key": "../x", "value": "2"}]},
        {"params": [{"key": f"q{number}", "value": ""} for number in range(101)]},
        {"tags": [{"key": f"q{number}", "value": ""} for number in range(101)]},
    ):
        await mlflow.post("runs/log-batch", run_id=run_id, expect=400, **mistake)
    assert await mlflow.read(run) == before
    assert pairs(before["data"]["tags"])["t/7"] == "ä" * 8000


@pytest.mark.parametrize("key", ["", "a*b", "../a", "/a", "a//b", "a/../b", ".", "x" * 251])
async def test_keys_that_mlflow_refuses_are_refused(mlflow: Mlflow, key: str) -> None:
    run = await mlflow.run(await mlflow.experiment())
    run_id = run["info"]["run_id"]

    for path in ("runs/log-parameter", "runs/set-tag"):
        assert await mlflow.post(path, run_id=run_id, key=key, value="1", expect=400) == (
            "INVALID_PARAMETER_VALUE"
        )


async def test_tags_of_runs_are_set_and_deleted(mlflow: Mlflow) -> None:
    run = await mlflow.run(await mlflow.experiment())
    run_id = run["info"]["run_id"]
    for key, value in [("a", "1"), ("a", "2"), ("mlflow.note.content", "n"), ("größe", "ü")]:
        await mlflow.post("runs/set-tag", run_id=run_id, key=key, value=value)
    for key in ("a", "mlflow.note.content"):
        await mlflow.post("runs/delete-tag", run_id=run_id, key=key)
        assert await mlflow.post("runs/delete-tag", run_id=run_id, key=key, expect=404) == (
            "RESOURCE_DOES_NOT_EXIST"
        )
    await mlflow.post("runs/set-tag", run_id=run_id, key="mlflow.runName", value="named")

    now = await mlflow.read(run)
    assert now["info"]["run_name"] == "named"
    assert pairs(now["data"]["tags"]) == {"mlflow.runName": "named", "größe": "ü"}


async def test_concurrent_tags_and_params_are_all_kept(mlflow: Mlflow) -> None:
    run = await mlflow.run(await mlflow.experiment())
    run_id = run["info"]["run_id"]
    await asyncio.gather(
        *(mlflow.post("runs/set-tag", run_id=run_id, key=f"t{n}", value="1") for n in range(20)),
        *(
            mlflow.post("runs/log-parameter", run_id=run_id, key=f"p{n}", value="1")
            for n in range(20)
        ),
    )

    data = (await mlflow.read(run))["data"]
    assert (len(data["params"]), len(data["tags"])) == (20, 21)


async def test_the_history_of_models_is_kept_in_a_tag(mlflow: Mlflow) -> None:
    run = await mlflow.run(await mlflow.experiment())
    run_id = run["info"]["run_id"]
    model = (
        '{"artifact_path": "m", "run_id": "x", "utc_time_created": "now", "signature": {},'
        ' "flavors": {"sklearn": {"config": 1, "code": null}}}'
    )
    for _ in range(2):
        await mlflow.post("runs/log-model", run_id=run_id, model_json=model)

    history = pairs((await mlflow.read(run))["data"]["tags"])["mlflow.log-model.history"]
    assert history == (
        '[{"artifact_path": "m", "run_id": "x", "utc_time_created": "now",'
        ' "flavors": {"sklearn": {"code": null}}}, '
        '{"artifact_path": "m", "run_id": "x", "utc_time_created": "now",'
        ' "flavors": {"sklearn": {"code": null}}}]'
    )
    for mistake in ("", "{", "[]", '"text"', '{"run_id": "x"}'):
        await mlflow.post("runs/log-model", run_id=run_id, model_json=mistake, expect=400)


async def test_runs_are_found_by_what_columns_and_tags_say(mlflow: Mlflow, api: Api) -> None:
    experiment_id, other = await mlflow.experiment("a"), await mlflow.experiment("b")
    parent = (await mlflow.run(experiment_id, run_name="parent"))["info"]["run_id"]
    for number in range(4):
        run = await mlflow.run(
            experiment_id if number < 3 else other,
            run_name=f"run {number}",
            user_id="ada" if number else "",
            start_time=1_000 * (number + 1),
            tags=[
                {"key": "mlflow.parentRunId", "value": parent},
                {"key": "mlflow.source.git.commit", "value": f"abc{number}"},
                {"key": "size", "value": str(number)},
            ],
        )
        await mlflow.post(
            "runs/log-parameter", run_id=run["info"]["run_id"], key="n", value=str(10 - number)
        )

    async def names(**search: Any) -> list[str]:
        search = {"experiment_ids": [experiment_id], "order_by": ["run_name"], **search}
        found: list[str] = []
        token = ""
        while True:
            page = await mlflow.post("runs/search", max_results=2, page_token=token, **search)
            found += [run["info"]["run_name"] for run in page.get("runs", [])]
            token = page.get("next_page_token", "")
            if not token:
                return found

    children = ["run 0", "run 1", "run 2"]
    assert await names() == ["parent", *children]
    assert await names(experiment_ids=[experiment_id, other]) == ["parent", *children, "run 3"]
    assert await names(experiment_ids=[]) == []
    assert await names(filter=f"tags.mlflow.parentRunId = '{parent}'") == children
    assert await names(filter="tags.`mlflow.source.git.commit` LIKE 'abc%'") == children
    assert await names(filter="tags.mlflow.runName = 'run 1'") == ["run 1"]
    assert await names(filter="attributes.user_id = 'ada'") == ["run 1", "run 2"]
    assert await names(filter=f"run_id IN ('{parent}', 'nonsense')") == ["parent"]
    assert await names(filter="start_time <= 2000 AND status = 'RUNNING'") == ["run 0", "run 1"]
    assert await names(filter="end_time > 0") == []
    assert await names(filter="params.n = '8'") == ["run 2"]
    assert await names(filter="params.n IS NULL") == ["parent"]
    assert await names(filter="metrics.loss < 1") == []
    assert await names(order_by=["tags.size DESC"]) == ["run 2", "run 1", "run 0", "parent"]
    assert await names(order_by=["params.n"]) == ["run 0", "run 2", "run 1", "parent"]
    assert await names(order_by=["metrics.loss", "start_time ASC"], filter="user_id = 'ada'") == [
        "run 1",
        "run 2",
    ]
    for mistake in (
        {"filter": "attributes.colour = 'red'"},
        {"filter": "params.n > 3"},
        {"filter": "metrics.loss = 'a'"},
        {"filter": "datasets.colour = 'red'"},
        {"order_by": ["run_name", "run_name DESC"]},
        {"order_by": ["datasets.name"]},
        {"max_results": 0},
        {"page_token": "x"},
    ):
        body: dict[str, Any] = {"experiment_ids": [experiment_id], **mistake}
        assert await mlflow.post("runs/search", expect=400, **body) == "INVALID_PARAMETER_VALUE"


_FILTERS = (
    "",
    "metrics.loss < 2",
    "metrics.loss != 1 and params.opt = 'adam'",
    "tags.rig LIKE 'A%' and status = 'RUNNING'",
    "tags.rig IS NULL",
    "status != 'RUNNING'",
    "params.lr = '0.10'",
)
_ORDERS: tuple[list[str], ...] = (
    [],
    ["metrics.loss"],
    ["metrics.loss DESC", "start_time"],
    ["start_time", "metrics.loss DESC"],
    ["metrics.loss", "metrics.acc DESC"],
    ["metrics.nobody DESC"],
)


async def test_the_planned_search_finds_what_mlflows_own_statement_finds(
    mlflow: Mlflow, connection: Any, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ties, NaN and missing metrics, deleted runs: each page of either is the same."""
    await connection.execute(
        """
        CREATE SCHEMA metrics;
        CREATE TABLE metrics.values (project_id uuid, run_id uuid, key text, value float8);
        CREATE VIEW metrics.latest AS
            SELECT project_id, run_id, key, value, 1::bigint AS step, now() AS time
            FROM metrics.values
        """
    )
    experiment_id = await mlflow.experiment()
    for number in range(24):
        run = await mlflow.run(
            experiment_id,
            start_time=1_000 * (number // 3 + 1),
            tags=[{"key": "rig", "value": "AB"[number % 2]}] if number % 5 else [],
        )
        run_id = run["info"]["run_id"]
        for key, value in (
            ("opt", ("adam", "sgd")[number % 2]),
            ("lr", ("0.1", "0.10")[number % 2]),
        ):
            await mlflow.post("runs/log-parameter", run_id=run_id, key=key, value=value)
        for key, value in (
            ("loss", (None, float("nan"), 1.0, 2.0, float("inf"), 1.5)[number % 6]),
            ("acc", number % 4),
        ):
            if value is not None:
                await connection.execute(
                    "INSERT INTO metrics.values SELECT project_id, id, $2, $3"
                    " FROM experiment.runs WHERE id = $1::text::uuid",
                    *(run_id, key, float(value)),
                )
        if number % 7 == 3:
            await mlflow.post("runs/update", run_id=run_id, status="FINISHED")
        if number % 8 == 5:
            await mlflow.post("runs/delete", run_id=run_id)

    async def found(**search: Any) -> list[list[str]]:
        pages: list[list[str]] = []
        token = ""
        while True:
            page = await mlflow.post(
                "runs/search",
                experiment_ids=[experiment_id],
                max_results=5,
                page_token=token,
                **search,
            )
            pages.append([run["info"]["run_id"] for run in page.get("runs", [])])
            token = page.get("next_page_token", "")
            if not token:
                return pages

    for filter_text in _FILTERS:
        for order_by in _ORDERS:
            for view in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL"):
                search = {"filter": filter_text, "order_by": order_by, "run_view_type": view}
                by_plan = await found(**search)
                with monkeypatch.context() as patch:
                    patch.setattr("experiment_service.mlflow.run_search.planned", lambda *_: None)
                    assert by_plan == await found(**search), search
    assert sum(map(len, await found(run_view_type="ALL"))) == 24
    assert sum(map(len, await found(filter="params.lr = '0.10'", run_view_type="ALL"))) == 12


@pytest.mark.parametrize("filter_text", ["", "attributes.run_name != ''"])
async def test_runs_of_another_projects_experiment_are_not_found(
    mlflow: Mlflow, people: KnownPeople, filter_text: str
) -> None:
    """By the plan and by a statement of its own: alone, and beside an experiment that is there."""
    people.program("rb_stranger", project_id=uuid4(), role="owner")
    stranger = Mlflow(mlflow.client, "rb_stranger")
    theirs, ours = await stranger.experiment(), await mlflow.experiment()
    await stranger.run(theirs)
    await mlflow.run(ours)

    for asked, count in (([theirs], 0), ([theirs, ours], 1), ([ours], 1)):
        body = {"experiment_ids": asked, "filter": filter_text}
        found = (await mlflow.post("runs/search", **body)).get("runs", [])
        assert len(found) == count
        assert all(run["info"]["experiment_id"] == ours for run in found)


async def test_the_longest_search_is_still_one(mlflow: Mlflow) -> None:
    experiment_id = await mlflow.experiment()
    for entity in ("tags", "params", "metrics", "datasets"):
        key = "name" if entity == "datasets" else "key"
        value = "1" if entity == "metrics" else "'1'"
        await mlflow.post(
            "runs/search",
            experiment_ids=[experiment_id],
            filter=" and ".join([f"{entity}.{key} = {value}"] * 12),
            order_by=[f"{'metrics' if number % 2 else 'tags'}.k{number}" for number in range(8)],
        )
    await mlflow.post(
        "logged-models/search",
        experiment_ids=[experiment_id],
        filter=" and ".join(["metrics.a < 1"] * 12),
        datasets=[{"dataset_name": "d"}],
        order_by=[{"field_name": "metrics.a", "dataset_name": "d"}] * 8,
    )


async def test_datasets_of_a_run_are_kept_once(mlflow: Mlflow) -> None:
    run = await mlflow.run(await mlflow.experiment())
    dataset = {"name": "d", "digest": "1", "source_type": "local", "source": "{}"}
    inputs = [
        {
            "dataset": dataset | {"schema": '{"a": 1}', "profile": "{}"},
            "tags": [{"key": "mlflow.data.context", "value": "training"}],
        },
        {"dataset": dataset | {"digest": "0"}},
        {"dataset": dataset},
    ]
    run_id = run["info"]["run_id"]
    for _ in range(2):
        await mlflow.post("runs/log-inputs", run_id=run_id, datasets=inputs)

    assert (await mlflow.read(run))["inputs"] == {"dataset_inputs": inputs[:2]}
    found = await mlflow.post(
        "runs/search",
        experiment_ids=[run["info"]["experiment_id"]],
        filter="datasets.name = 'd' AND datasets.context = 'training'",
    )
    assert found["runs"] == [await mlflow.read(run)]
    for mistake in (
        {"dataset": dataset | {"name": ""}},
        {"dataset": dataset | {"name": "x" * 501}},
        {"dataset": dataset | {"digest": "x" * 37}},
        {"dataset": dataset, "tags": [{"key": "k", "value": "x" * 501}]},
        {},
    ):
        await mlflow.post("runs/log-inputs", run_id=run_id, datasets=[mistake], expect=400)


# Logged models


async def test_a_model_is_logged_finalized_tagged_and_deleted(mlflow: Mlflow) -> None:
    experiment_id = await mlflow.experiment()
    run = await mlflow.run(experiment_id)
    run_id = run["info"]["run_id"]
    made = await mlflow.post(
        "logged-models",
        experiment_id=experiment_id,
        name="forest",
        model_type="tree",
        source_run_id=run_id,
        params=[{"key": "depth", "value": "3"}],
        tags=[{"key": "a", "value": "1"}],
    )
    info = made["model"]["info"]
    model_id = info["model_id"]
    path = f"logged-models/{model_id}"

    assert model_id.startswith("m-")
    assert info["artifact_uri"] == f"mlflow-artifacts:/{experiment_id}/models/{model_id}/artifacts"
    assert (info["status"], info["source_run_id"]) == ("LOGGED_MODEL_PENDING", run_id)
    assert await mlflow.get(path) == made

    ready = await mlflow.post(path, method="PATCH", status=2)
    assert ready["model"]["info"]["status"] == "LOGGED_MODEL_READY"
    for _ in range(2):
        await mlflow.post(f"{path}/params", params=[{"key": "leaves", "value": "7"}])
    await mlflow.post(f"{path}/params", params=[{"key": "leaves", "value": "8"}], expect=400)
    await mlflow.post(f"{path}/tags", method="PATCH", tags=[{"key": "b", "value": "2"}])
    await mlflow.post(f"{path}/tags/a", method="DELETE")
    await mlflow.post(f"{path}/tags/a", method="DELETE", expect=404)
    await mlflow.post("runs/outputs", run_id=run_id, models=[{"model_id": model_id, "step": "4"}])
    await mlflow.post("runs/log-inputs", run_id=run_id, models=[{"model_id": model_id}])
    await mlflow.post(
        "runs/log-batch",
        run_id=run_id,
        metrics=[
            {
                "key": "loss",
                "value": "NaN",
                "timestamp": 5,
                "step": 1,
                "model_id": model_id,
                "dataset_name": "d",
            }
        ],
    )

    model = (await mlflow.get(path))["model"]
    assert pairs(model["data"]["params"]) == {"depth": "3", "leaves": "7"}
    assert pairs(model["info"]["tags"]) == {"b": "2"}
    assert model["data"]["metrics"] == [
        {
            "key": "loss",
            "value": "NaN",
            "timestamp": 5,
            "step": 1,
            "model_id": model_id,
            "run_id": run_id,
            "dataset_name": "d",
        }
    ]
    read = await mlflow.read(run)
    assert read["outputs"] == {"model_outputs": [{"model_id": model_id, "step": 4}]}
    assert read["inputs"] == {"model_inputs": [{"model_id": model_id}]}

    await mlflow.post(path, method="DELETE")
    assert await mlflow.get(path, expect=404) == "RESOURCE_DOES_NOT_EXIST"
    assert await mlflow.get(path, allow_deleted="true")


async def test_models_are_found_by_what_was_logged(mlflow: Mlflow) -> None:
    experiment_id = await mlflow.experiment()
    run_id = (await mlflow.run(experiment_id))["info"]["run_id"]
    for number in range(4):
        made = await mlflow.post(
            "logged-models",
            experiment_id=experiment_id,
            name=f"m{number}",
            params=[{"key": "depth", "value": str(number)}],
            tags=[{"key": "even", "value": str(number % 2 == 0)}],
        )
        metric = {"key": "loss", "value": number / 10, "timestamp": 1, "step": 0}
        metric |= {"model_id": made["model"]["info"]["model_id"], "dataset_name": f"d{number % 2}"}
        await mlflow.post("runs/log-batch", run_id=run_id, metrics=[metric])

    async def names(**search: Any) -> list[str]:
        page = await mlflow.post("logged-models/search", experiment_ids=[experiment_id], **search)
        return [model["info"]["name"] for model in page.get("models", [])]

    assert await names() == ["m3", "m2", "m1", "m0"]
    assert await names(filter="metrics.loss < 0.15") == ["m1", "m0"]
    assert await names(filter="params.depth = '2'") == ["m2"]
    assert await names(filter="tags.even = 'True' AND name LIKE 'm%'") == ["m2", "m0"]
    assert await names(filter="name IN ('m1', 'm3')") == ["m3", "m1"]
    assert await names(datasets=[{"dataset_name": "d1"}]) == ["m3", "m1"]
    assert await names(filter="metrics.loss > 0.05", datasets=[{"dataset_name": "d1"}]) == [
        "m3",
        "m1",
    ]
    assert await names(order_by=[{"field_name": "metrics.loss", "ascending": True}]) == [
        "m0",
        "m1",
        "m2",
        "m3",
    ]
    assert await names(order_by=[{"field_name": "name"}], max_results=2) == ["m0", "m1"]
    page = await mlflow.post("logged-models/search", experiment_ids=[experiment_id], max_results=3)
    rest = await mlflow.post(
        "logged-models/search",
        experiment_ids=[experiment_id],
        max_results=3,
        page_token=page["next_page_token"],
    )
    assert [model["info"]["name"] for model in rest["models"]] == ["m0"]
    for mistake in (
        {"filter": "params.depth < 3"},
        {"filter": "colour = 'red'"},
        {"order_by": [{"field_name": "params.depth"}]},
        {"order_by": [{}]},
        {"datasets": [{}]},
        {"max_results": -1},
    ):
        await mlflow.post(
            "logged-models/search", experiment_ids=[experiment_id], expect=400, **mistake
        )


# Who may, and what is not here


async def test_others_see_nothing_and_readers_change_nothing(
    mlflow: Mlflow, reader: Mlflow, client: TestClient, people: KnownPeople
) -> None:
    people.program("rb_stranger", project_id=uuid4(), role="owner")
    stranger = Mlflow(client, "rb_stranger")
    experiment_id = await mlflow.experiment()
    run = await mlflow.run(experiment_id)
    run_id = run["info"]["run_id"]

    assert await reader.read(run) == run | {"outputs": {}}
    assert await reader.post("runs/set-tag", run_id=run_id, key="a", value="1", expect=403) == (
        "PERMISSION_DENIED"
    )
    assert await reader.post("experiments/create", name="b", expect=403)
    for path in ("runs/set-tag", "runs/log-parameter"):
        foreign = await client.post(
            f"{BASE}/{path}",
            json={"run_id": run_id, "key": "a", "value": "1"},
            headers=as_("rb_stranger"),
        )
        missing = await client.post(
            f"{BASE}/{path}",
            json={"run_id": uuid4().hex, "key": "a", "value": "1"},
            headers=as_("rb_stranger"),
        )
        assert foreign.status == missing.status == 404
        assert await foreign.text() == await missing.text()
    assert await stranger.get("experiments/get", experiment_id=experiment_id, expect=404)
    assert await stranger.get("runs/get", run_id="no-such-run", expect=404)
    assert await stranger.get("runs/get", run_id="../x", expect=400)


async def test_a_session_names_its_project_by_prefix(
    client: TestClient, people: KnownPeople, project_id: UUID
) -> None:
    people.slugs["vision"] = project_id
    person = Mlflow(client, "editor")
    made = await person.experiment("vision/digits")

    found = await person.get("experiments/get-by-name", experiment_name="vision/digits")
    assert found["experiment"]["name"] == "vision/digits"
    assert found["experiment"]["experiment_id"] == made
    assert await person.post("experiments/create", name="digits", expect=400) == (
        "INVALID_PARAMETER_VALUE"
    )
    run = await person.run(made)
    assert run["info"]["experiment_id"] == made
    header = {**as_("editor"), "X-Runbench-Project": "vision"}
    response = await client.get(
        f"{BASE}/experiments/get", params={"experiment_id": made}, headers=header
    )
    assert (await response.json())["experiment"]["name"] == "digits"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/2.0/mlflow/registered-models/create"),
        ("GET", "/api/2.0/mlflow/model-versions/search"),
        ("POST", "/api/3.0/mlflow/traces"),
        ("POST", "/api/2.0/mlflow/webhooks"),
        ("GET", "/api/3.0/mlflow/gateway/endpoints/list"),
        ("DELETE", "/api/2.0/mlflow/runs/create"),
        ("GET", "/api/2.0/mlflow/nothing"),
        ("GET", "/ajax-api/2.0/mlflow/nothing"),
    ],
)
async def test_what_is_not_here_says_so(
    mlflow: Mlflow, client: TestClient, method: str, path: str
) -> None:
    response = await client.request(method, path, headers=as_("rb_program"))
    anonymous = await client.request(method, path, headers={"Authorization": ""})

    assert response.status == 404
    error = await response.json()
    assert error["error_code"] == "ENDPOINT_NOT_FOUND"
    assert "Runbench does not have" in error["message"]
    assert anonymous.status == 401


async def test_probes_are_answered_to_anybody(client: TestClient) -> None:
    version = await client.get("/version", headers={"Authorization": ""})
    info = await client.get("/api/3.0/mlflow/server-info", headers={"Authorization": ""})

    assert (await version.text()).startswith("3.")
    assert (await info.json())["workspaces_enabled"] is False


CALLS = [
    (call, path)
    for room in (experiment_calls, run_calls, model_calls, probes)
    for call in room.calls
    for path in call.paths
]


@pytest.mark.parametrize(("call", "path"), CALLS, ids=lambda part: getattr(part, "method", part))
async def test_every_call_refuses_whoever_does_not_say_who_they_are(
    client: TestClient, call: Call, path: str
) -> None:
    method = "POST" if call.method == "*" else call.method
    address = re.sub(r"{(\w+)(:[^}]*)?}", "x", path)
    response = await client.request(method, address, json={}, headers={"Authorization": ""})

    if call.policy == policy.public():
        assert response.status == 200
    else:
        assert response.status == 401, address
        assert (await response.json())["error_code"] == "UNAUTHENTICATED"

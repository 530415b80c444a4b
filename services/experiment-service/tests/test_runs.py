"""Recording, reading and changing runs, through the front door."""

import json
import re
from typing import Any
from uuid import uuid4

import pytest


async def test_a_run_starts_with_everything_that_was_said(api, experiment) -> None:
    said: dict[str, Any] = {
        "name": "  Erster  Versuch ",
        "params": {"lr": 0.1, "layers": 3, "name": "0.1", "bias": True, "none": None},
        "tags": {"rig": "A1"},
        "notes": "# Why",
        "git_commit": "abc",
        "git_branch": "main",
        "git_dirty": True,
        "environment": {"python": "3.13", "packages": ["numpy"]},
        "source": "train.py",
        "host": "lab-1",
        "auto_complete_minutes": 10,
    }

    run = await api.run(experiment, **said)

    assert {key: run[key] for key in said} == {**said, "name": "Erster  Versuch"}
    assert run["status"] == "running"
    assert run["started_at"] == run["created_at"]
    assert run["finished_at"] is run["duration_seconds"] is None
    assert run["experiment_name"] == "digits"
    assert (run["version"], run["child_count"], run["metrics"]) == (1, 0, {})
    assert await api.get(f"/api/v1/runs/{run['id']}") == run


async def test_a_run_without_a_name_gets_a_readable_one(api, experiment) -> None:
    names = [(await api.run(experiment))["name"] for _ in range(30)]

    assert all(re.fullmatch(r"[a-z]+-[a-z]+-\d{1,4}", name) for name in names)
    assert len(set(names)) > 25


async def test_the_server_finishes_a_run_and_measures_it(api, run) -> None:
    path = f"/api/v1/runs/{run['id']}"

    done = await api.patch(path, {"status": "succeeded"})

    assert done["status"] == "succeeded"
    assert done["finished_at"] > done["started_at"]
    assert done["duration_seconds"] > 0
    assert done["version"] == 2


async def test_a_patch_merges_and_null_clears(api, experiment) -> None:
    run = await api.run(experiment, notes="old", tags={"a": "1", "b": "2"}, auto_complete_minutes=5)
    path = f"/api/v1/runs/{run['id']}"

    changed = await api.patch(path, {"name": "New", "tags": {"a": None, "c": "3"}})
    assert (changed["name"], changed["tags"]) == ("New", {"b": "2", "c": "3"})
    assert changed["notes"] == "old"
    assert await api.names(f"{api.project}/runs", tag="a") == []
    assert await api.names(f"{api.project}/runs", tag="c=3") == ["New"]

    cleared = await api.patch(path, {"notes": None, "tags": None, "auto_complete_minutes": None})
    assert (cleared["notes"], cleared["tags"]) == ("", {})
    assert cleared["auto_complete_minutes"] is None
    assert await api.names(f"{api.project}/runs", tag="c") == []

    assert await api.patch(path, {}) == cleared
    assert await api.patch(path, {"name": "New"}) == cleared
    for field in ("name", "status"):
        await api.patch(path, {field: None}, status=422)


async def test_two_editors_do_not_overwrite_each_other(api, run) -> None:
    path = f"/api/v1/runs/{run['id']}"
    etag = {"If-Match": (await api.client.get(path)).headers["ETag"]}

    await api.patch(path, {"notes": "one"}, headers=etag)
    await api.patch(path, {"status": "failed", "notes": "two"}, headers=etag, status=412)
    await api.patch(path, {"notes": "two"}, headers={"If-Match": "two"}, status=400)

    found = await api.get(path)
    assert (found["notes"], found["status"]) == ("one", "running")


async def test_a_param_keeps_its_first_value_and_its_type(api, run) -> None:
    path = f"/api/v1/runs/{run['id']}/params"
    values = {
        "number": 0.1,
        "text": "0.1",
        "one": 1,
        "yes": True,
        "nothing": None,
        "beyond": 2**53 + 1,
        "most": 2**63 - 1,
        "least": -(2**63),
        "tiny": 5e-324,
        "huge": 1.7976931348623157e308,
        "ключ / ~key": "значение\n",
    }

    added = await api.post(path, {"params": values})
    assert added["params"] == values
    assert all(type(added["params"][key]) is type(value) for key, value in values.items())
    assert await api.post(path, {"params": values}) == added
    assert await api.post(path, {"params": {"one": 1.0}}) == added

    for other in ({"number": "0.1"}, {"one": True}, {"yes": 1}, {"nothing": ""}, {"text": 0.1}):
        problem = await api.post(path, {"params": {**other, "new": 1}}, status=409)
        assert problem["type"] == "/problems/param-already-set"
        assert problem["errors"][0]["pointer"] == f"#/params/{next(iter(other))}"
    problem = await api.post(path, {"params": {"ключ / ~key": 1}}, status=409)
    assert problem["errors"][0]["pointer"] == "#/params/ключ ~1 ~0key"
    assert await api.get(f"/api/v1/runs/{run['id']}") == added


@pytest.mark.parametrize(
    "value", [[1], {"a": 1}, 2**63, -(2**63) - 1, 10**50, "x" * 10_001, "a\0b"]
)
async def test_what_is_no_param_is_refused_by_name(api, run, experiment, value) -> None:
    for path, status in (
        (f"/api/v1/runs/{run['id']}/params", 422),
        (f"/api/v1/experiments/{experiment['id']}/runs", 422),
    ):
        problem = await api.post(path, {"params": {"good": 1, "bad": value}}, status=status)
        assert [error["pointer"] for error in problem["errors"]] == ["#/params/bad"]
    assert (await api.get(f"/api/v1/runs/{run['id']}"))["params"] == {}


async def test_a_run_has_room_for_ten_thousand_params(api, run) -> None:
    path = f"/api/v1/runs/{run['id']}/params"
    await api.post(path, {"params": {f"k{number}": number for number in range(10_000)}})

    problem = await api.post(path, {"params": {"one more": 1}}, status=422)

    assert problem["type"] == "/problems/limit-exceeded"
    too_many = {f"n{number}": 1 for number in range(10_001)}
    await api.post(path, {"params": too_many}, status=422)


async def test_params_have_room_for_a_mebibyte(api, run) -> None:
    path = f"/api/v1/runs/{run['id']}/params"
    for part in range(10):
        params = {f"{part}-{number}": "x" * 9_900 for number in range(10)}
        await api.post(path, {"params": params})

    problem = await api.post(
        path, {"params": {f"last-{number}": "x" * 9_900 for number in range(10)}}, status=422
    )

    assert problem["type"] == "/problems/limit-exceeded"


async def test_a_nested_run_has_its_parent_in_the_same_project(
    api, experiment, run, connection
) -> None:
    path = f"/api/v1/experiments/{experiment['id']}/runs"
    child = await api.run(experiment, parent_run_id=run["id"])
    assert child["parent_run_id"] == run["id"]

    problem = await api.post(path, {"parent_run_id": str(uuid4())}, status=422)
    assert problem["errors"][0]["pointer"] == "#/parent_run_id"

    foreign = await _foreign_run(connection)
    await api.post(path, {"parent_run_id": foreign}, status=422)
    # A parent is chosen once, among runs that exist: so no run is its own ancestor.
    await api.patch(f"/api/v1/runs/{run['id']}", {"parent_run_id": child["id"]}, status=422)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "x" * 201}, "#/name"),
        ({"name": ""}, "#/name"),
        ({"name": "a\nb"}, "#/name"),
        ({"name": 5}, "#/name"),
        ({"status": "succeeded"}, "#/status"),
        ({"tags": {"a": 1}}, "#/tags/a"),
        ({"tags": {"a": "x" * 501}}, "#/tags/a"),
        ({"tags": {"": "x"}}, "#/tags/"),
        ({"params": []}, "#/params"),
        ({"notes": "x" * 100_001}, "#/notes"),
        ({"environment": {"a": "x" * 65_536}}, "#/environment"),
        ({"auto_complete_minutes": 0}, "#/auto_complete_minutes"),
        ({"auto_complete_minutes": 1.5}, "#/auto_complete_minutes"),
        ({"git_dirty": "yes"}, "#/git_dirty"),
        ({"parent_run_id": "first"}, "#/parent_run_id"),
        ({"started_at": "2026-01-01T00:00:00Z"}, "#/started_at"),
        ({"project_id": str(uuid4())}, "#/project_id"),
        ({"created_by": str(uuid4())}, "#/created_by"),
    ],
)
async def test_a_field_that_does_not_fit_is_named(api, experiment, body, pointer) -> None:
    path = f"/api/v1/experiments/{experiment['id']}/runs"

    problem = await api.post(path, body, status=422)

    assert pointer in [error["pointer"] for error in problem["errors"]], problem
    assert (await api.get(path))["items"] == []


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b'{"params": {"a": NaN}}', 400),
        (b'{"params": {"a": 1e999}}', 400),
        (b'{"params": {"a": ' + b"9" * 5000 + b"}}", 400),
        (b'{"name": "\\ud800"}', 400),
        (b'{"environment": {"a": ' + b"[" * 2000 + b"]" * 2000 + b"}}", 400),
        (b'{"params": {"a\\u0000": 1}}', 422),
        (b'{"environment": {"a": ["\\u0000"]}}', 422),
    ],
)
async def test_a_body_that_is_no_proper_json_is_explained(api, experiment, raw, status) -> None:
    await api.ask(
        "POST",
        f"/api/v1/experiments/{experiment['id']}/runs",
        status=status,
        data=raw,
        headers={"Content-Type": "application/json"},
    )


async def test_a_creation_names_its_creator(api, people, run) -> None:
    assert run["created_by"] == str(people.principals["editor"].user_id)


async def test_numbers_are_answered_as_they_were_written(api, experiment) -> None:
    raw = b'{"params": {"a": 9007199254740993, "b": 0.30000000000000004, "c": 1e-7}}'
    response = await api.client.post(
        f"/api/v1/experiments/{experiment['id']}/runs",
        data=raw,
        headers={"Content-Type": "application/json"},
    )

    params = json.loads(await response.text())["params"]

    assert params == {"a": 9007199254740993, "b": 0.30000000000000004, "c": 1e-7}


async def _foreign_run(connection) -> str:
    project, experiment, run = uuid4(), uuid4(), uuid4()
    await connection.execute(
        """
        INSERT INTO experiment.experiments
            (id, project_id, name, name_key, created_by, created_at, updated_at, status_changed_at)
        VALUES ($1, $2, 'x', 'x', $1, now(), now(), now())
        """,
        experiment,
        project,
    )
    await connection.execute(
        """
        INSERT INTO experiment.runs
            (id, project_id, experiment_id, name, name_key, status, change, created_by,
             created_at, updated_at, status_changed_at)
        VALUES ($1, $2, $3, 'x', 'x', 'draft', 1, $1, now(), now(), now())
        """,
        run,
        project,
        experiment,
    )
    return str(run)

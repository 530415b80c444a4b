"""Creating and changing experiments, through the front door."""

from uuid import uuid4

import pytest


async def test_an_experiment_has_what_was_said_of_it(api) -> None:
    said = {
        "name": "Digits Ω",
        "description": "# Why\n\nBecause.",
        "type": "training",
        "tags": {"team": "vision"},
        "metadata": {"budget": 10, "nested": {"a": [1, None]}},
    }

    experiment = await api.experiment(**said)

    assert {key: experiment[key] for key in said} == said
    assert (experiment["status"], experiment["version"]) == ("draft", 1)
    assert experiment["run_count"] == experiment["running_count"] == 0
    assert experiment["last_run_at"] is experiment["started_at"] is None
    assert await api.get(f"/api/v1/experiments/{experiment['id']}") == experiment


@pytest.mark.parametrize("again", ["digits", "DIGITS", " Digits ", "ﬁne", "FINE", "straße"])
async def test_a_name_is_used_once_in_a_project_in_any_case(api, again) -> None:
    for name in ("Digits", "FIne", "STRASSE"):
        await api.experiment(name)

    problem = await api.post(f"{api.project}/experiments", {"name": again}, status=409)

    assert problem["type"] == "/problems/experiment-name-taken"


async def test_names_are_kept_in_one_normal_form(api) -> None:
    await api.experiment("Cafe\u0301")

    await api.post(f"{api.project}/experiments", {"name": "caf\u00e9"}, status=409)
    assert await api.names(f"{api.project}/experiments", name="CAFÉ") == ["Caf\u00e9"]


async def test_the_name_of_an_archived_experiment_is_kept_for_it(api, experiment) -> None:
    await api.post(f"/api/v1/experiments/{experiment['id']}/archive")

    problem = await api.post(f"{api.project}/experiments", {"name": "Digits"}, status=409)

    assert "archived" in problem["detail"]


async def test_the_first_run_sets_an_experiment_running(api, experiment) -> None:
    path = f"/api/v1/experiments/{experiment['id']}"
    await api.run(experiment, status="draft")
    assert (await api.get(path))["status"] == "draft"

    run = await api.run(experiment)

    found = await api.get(path)
    assert (found["status"], found["run_count"], found["running_count"]) == ("running", 2, 1)
    assert found["started_at"] == found["last_run_at"] == run["started_at"]
    done = await api.patch(path, {"status": "succeeded"})
    assert done["finished_at"]


async def test_a_patch_merges_and_null_clears(api) -> None:
    experiment = await api.experiment(
        description="old", type="t", tags={"a": "1", "b": "2"}, metadata={"x": {"y": 1, "z": 2}}
    )
    path = f"/api/v1/experiments/{experiment['id']}"

    changed = await api.patch(
        path,
        {"tags": {"a": None, "c": "3"}, "metadata": {"x": {"y": None, "w": [1]}}, "name": "New"},
    )
    assert changed["tags"] == {"b": "2", "c": "3"}
    assert changed["metadata"] == {"x": {"z": 2, "w": [1]}}
    assert (changed["name"], changed["description"], changed["type"]) == ("New", "old", "t")
    assert changed["version"] == 2

    cleared = await api.patch(
        path, {"tags": None, "metadata": None, "description": None, "type": None}
    )
    assert (cleared["tags"], cleared["metadata"]) == ({}, {})
    assert (cleared["description"], cleared["type"]) == ("", None)

    assert await api.patch(path, {}) == cleared
    await api.patch(path, {"name": None}, status=422)
    await api.patch(path, {"status": None}, status=422)


async def test_a_patch_that_fails_in_part_changes_nothing(api, experiment) -> None:
    await api.experiment("taken")
    path = f"/api/v1/experiments/{experiment['id']}"

    await api.patch(path, {"status": "running", "name": "TAKEN"}, status=409)
    await api.patch(path, {"description": "x", "status": "failed"}, status=409)

    assert await api.get(path) == experiment


async def test_two_editors_do_not_overwrite_each_other(api, experiment) -> None:
    path = f"/api/v1/experiments/{experiment['id']}"
    response = await api.client.get(path)
    etag = {"If-Match": response.headers["ETag"]}

    await api.patch(path, {"description": "one"}, headers=etag)
    problem = await api.patch(path, {"description": "two"}, headers=etag, status=412)

    assert problem["type"] == "/problems/precondition-failed"
    assert (await api.get(path))["description"] == "one"


async def test_metadata_and_tags_have_limits(api, experiment) -> None:
    create, change = f"{api.project}/experiments", f"/api/v1/experiments/{experiment['id']}"
    for metadata in ({"a": "x" * 65_536}, {"a": 2**64}, {"a": [10**40]}):
        problem = await api.post(create, {"name": "big", "metadata": metadata}, status=422)
        assert problem["errors"][0]["pointer"] == "#/metadata"
        problem = await api.patch(change, {"metadata": metadata}, status=422)
        assert problem["errors"][0]["pointer"] == "#/metadata"
    await api.patch(change, {"metadata": {"a": "x" * 40_000}})
    await api.patch(change, {"metadata": {"b": "x" * 40_000}}, status=422)
    many = {f"k{number}": "v" for number in range(150)}
    await api.patch(change, {"tags": many})
    more = {f"m{number}": "v" for number in range(51)}
    problem = await api.patch(change, {"tags": more}, status=422)
    assert problem["type"] == "/problems/limit-exceeded"
    assert (await api.get(change))["tags"] == many


async def test_a_creation_with_a_key_happens_once(api) -> None:
    path, key = f"{api.project}/experiments", {"Idempotency-Key": str(uuid4())}

    first = await api.post(path, {"name": "once"}, headers=key, status=201)
    again = await api.post(path, {"name": "once"}, headers=key, status=201)
    await api.post(path, {"name": "other"}, headers=key, status=422)

    assert first == again
    runs = f"/api/v1/experiments/{first['id']}/runs"
    one = await api.post(runs, {"params": {"a": 1}}, headers=key, status=201)
    assert await api.post(runs, {"params": {"a": 1}}, headers=key, status=201) == one
    assert len((await api.get(runs))["items"]) == 1

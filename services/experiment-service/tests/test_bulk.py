"""Tags and statuses on many runs at once."""

from uuid import uuid4

import pytest


@pytest.fixture
async def runs(api, experiment) -> list[dict]:
    return [await api.run(experiment, name=name, tags={"old": "1"}) for name in "abc"]


async def test_many_runs_are_tagged_at_once(api, runs) -> None:
    ids = [run["id"] for run in runs]
    path = f"{api.project}/runs/bulk-tag"

    done = await api.post(path, {"run_ids": ids, "set": {"new": "2"}, "remove": ["old"]})

    assert done == {"updated": 3}
    assert await api.names(f"{api.project}/runs", tag="new=2") == ["c", "b", "a"]
    assert await api.names(f"{api.project}/runs", tag="old") == []
    found = await api.get(f"/api/v1/runs/{ids[0]}")
    assert (found["tags"], found["version"]) == ({"new": "2"}, 2)
    again = await api.post(path, {"run_ids": ids * 2, "set": {"new": "2"}, "remove": ["old"]})
    assert again == {"updated": 0}
    assert await api.get(f"/api/v1/runs/{ids[0]}") == found
    both = {"run_ids": ids, "set": {"new": "3"}, "remove": ["new"]}
    assert await api.post(path, both) == {"updated": 3}
    assert await api.names(f"{api.project}/runs", tag="new=3") == ["c", "b", "a"]


async def test_bulk_tags_go_on_all_runs_or_on_none(api, runs) -> None:
    path = f"{api.project}/runs/bulk-tag"
    ids = [run["id"] for run in runs]

    problem = await api.post(
        path, {"run_ids": [*ids, str(uuid4())], "set": {"new": "2"}}, status=422
    )
    assert [error["pointer"] for error in problem["errors"]] == ["#/run_ids/3"]

    await api.patch(f"/api/v1/runs/{ids[1]}", {"status": "failed"})
    await api.post(f"/api/v1/runs/{ids[1]}/archive")
    problem = await api.post(path, {"run_ids": ids, "set": {"new": "2"}}, status=409)
    assert problem["type"] == "/problems/run-archived"
    assert ids[1] in problem["detail"]

    many = {f"k{number}": "v" for number in range(200)}
    problem = await api.post(path, {"run_ids": ids[:1], "set": many}, status=422)
    assert problem["type"] == "/problems/limit-exceeded"
    assert await api.names(f"{api.project}/runs", tag="new", archived="all") == []
    assert await api.names(f"{api.project}/runs", tag="k0") == []


async def test_a_status_for_many_runs_names_those_that_cannot_take_it(
    api, experiment, runs
) -> None:
    ids = [run["id"] for run in runs]
    path = f"{api.project}/runs/bulk-status"
    draft = (await api.run(experiment, status="draft"))["id"]
    unknown = str(uuid4())
    await api.patch(f"/api/v1/runs/{ids[0]}", {"status": "succeeded"})

    done = await api.post(path, {"run_ids": [*ids, draft, unknown, ids[1]], "status": "succeeded"})

    assert done["updated"] == ids
    assert {failed["run_id"]: failed["type"] for failed in done["failed"]} == {
        draft: "/problems/transition-not-allowed",
        unknown: "/problems/not-found",
    }
    archived = await api.post(path, {"run_ids": [*ids, draft], "status": "archived"})
    assert archived == {"updated": [*ids, draft], "failed": []}
    assert await api.names(f"{api.project}/runs") == []
    refused = await api.post(path, {"run_ids": ids, "status": "running"})
    assert [failed["run_id"] for failed in refused["failed"]] == ids


@pytest.mark.parametrize(
    "body",
    [
        {"run_ids": [], "status": "failed"},
        {"run_ids": [str(uuid4())] * 1001, "status": "failed"},
        {"run_ids": ["x"], "status": "failed"},
        {"run_ids": [str(uuid4())], "status": "done"},
        {"status": "failed"},
    ],
)
async def test_a_bulk_request_that_does_not_fit_is_refused(api, body) -> None:
    await api.post(f"{api.project}/runs/bulk-status", body, status=422)

"""Recording, reading and changing runs, through the front door."""

from typing import Any

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


async def test_the_server_finishes_a_run_and_measures_it(api, run) -> None:
    path = f"/api/v1/runs/{run['id']}"

    done = await api.patch(path, {"status": "succeeded"})

    assert done["status"] == "succeeded"
    assert done["finished_at"] > done["started_at"]
    assert done["duration_seconds"] > 0
    assert done["version"] == 2


@pytest.mark.parametrize("sort", ["created_at", "started_at", "name", "status"])
async def test_lists(api, experiment, sort) -> None:
    for name in "abc":
        await api.run(experiment, name=name)
    path = f"/api/v1/experiments/{experiment['id']}/runs"
    assert await api.names(path, sort=sort) == ["a", "b", "c"]
    assert await api.names(path, sort=f"-{sort}") == ["c", "b", "a"]
    assert await api.names(f"{api.project}/runs", sort=f"-{sort}") == ["c", "b", "a"]

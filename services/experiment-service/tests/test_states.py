"""The states of runs and experiments, archiving, and who wins a race."""

import asyncio
from itertools import cycle, islice
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientSession
from experiment_api import eventually
from servicekit.observability import ACTIVE

STEPS = {
    "draft": {"running", "archived"},
    "running": {"succeeded", "failed", "interrupted"},
    "succeeded": {"archived"},
    "failed": {"archived"},
    "interrupted": {"running", "archived"},
    "archived": set(),
}
WAY = {
    "draft": [],
    "running": ["running"],
    "succeeded": ["running", "succeeded"],
    "failed": ["running", "failed"],
    "interrupted": ["running", "interrupted"],
    "archived": ["archived"],
}


@pytest.mark.parametrize("source", STEPS)
async def test_a_run_takes_the_documented_steps_and_no_others(api, experiment, source) -> None:
    for target in STEPS:
        run = await api.run(experiment, status="draft")
        path = f"/api/v1/runs/{run['id']}"
        for status in WAY[source]:
            before = await api.patch(path, {"status": status})
        before = await api.get(path)

        allowed = target in STEPS[source] or target == source
        answer = await api.patch(path, {"status": target}, status=200 if allowed else 409)

        if target == source:
            assert answer == before
        elif allowed:
            assert (answer["status"], answer["version"]) == (target, before["version"] + 1)
        else:
            assert answer["type"] == "/problems/transition-not-allowed"
            assert source in answer["detail"]
            assert target in answer["detail"]
            assert await api.get(path) == before


async def test_an_ended_run_has_an_end_and_a_resumed_one_has_none(api, run) -> None:
    path = f"/api/v1/runs/{run['id']}"

    interrupted = await api.patch(path, {"status": "interrupted"})
    assert interrupted["duration_seconds"] > 0

    resumed = await api.patch(path, {"status": "running"})
    assert resumed["finished_at"] is resumed["duration_seconds"] is None
    assert resumed["started_at"] == run["started_at"]


async def test_archiving_hides_a_run_until_it_is_restored_as_it_was(api, run, experiment) -> None:
    path = f"/api/v1/runs/{run['id']}"
    await api.post(f"{path}/archive", status=409)
    done = await api.patch(path, {"status": "failed"})

    archived = await api.post(f"{path}/archive")
    assert archived["status"] == "archived"
    assert archived["archived_at"]
    assert archived["duration_seconds"] == done["duration_seconds"]
    assert await api.names(f"{api.project}/runs") == []
    assert await api.names(f"{api.project}/runs", archived="true") == ["first"]
    assert await api.names(f"{api.project}/runs", status="archived") == ["first"]
    assert (await api.get(f"/api/v1/experiments/{experiment['id']}"))["run_count"] == 0

    assert (await api.post(f"{path}/archive")) == archived
    refused = await api.patch(path, {"notes": "x"}, status=409)
    assert refused["type"] == "/problems/run-archived"
    await api.post(f"{path}/params", {"params": {"a": 1}}, status=409)

    restored = await api.post(f"{path}/restore")
    volatile = {"version", "updated_at"}
    assert {k: v for k, v in restored.items() if k not in volatile} == {
        k: v for k, v in done.items() if k not in volatile
    }
    refused = await api.post(f"{path}/restore", status=409)
    assert refused["type"] == "/problems/not-archived"


async def test_an_experiment_hides_its_runs_and_restoring_brings_back_just_those(
    api, experiment
) -> None:
    path = f"/api/v1/experiments/{experiment['id']}"
    runs = {name: await api.run(experiment, name=name) for name in ("kept", "old", "live")}
    draft = await api.run(experiment, name="draft", status="draft")
    for name in ("kept", "old"):
        await api.patch(f"/api/v1/runs/{runs[name]['id']}", {"status": "succeeded"})
    await api.post(f"/api/v1/runs/{runs['old']['id']}/archive")

    refused = await api.post(f"{path}/archive", status=409)
    assert refused["type"] == "/problems/transition-not-allowed"
    assert (await api.get(f"/api/v1/runs/{draft['id']}"))["status"] == "draft"

    await api.patch(f"/api/v1/runs/{runs['live']['id']}", {"status": "failed"})
    archived = await api.post(f"{path}/archive")
    assert (archived["status"], archived["run_count"]) == ("archived", 0)
    assert await api.names(f"{api.project}/runs") == []
    assert await api.names(f"{api.project}/experiments") == []
    await api.post(f"{path}/runs", {}, status=409)
    await api.patch(path, {"name": "other"}, status=409)
    hidden = await api.post(f"/api/v1/runs/{draft['id']}/restore", status=409)
    assert hidden["type"] == "/problems/experiment-archived"

    restored = await api.post(f"{path}/restore")
    assert (restored["status"], restored["run_count"]) == ("running", 3)
    states = {
        name: (await api.get(f"/api/v1/runs/{run['id']}"))["status"]
        for name, run in {**runs, "draft": draft}.items()
    }
    assert states == {"kept": "succeeded", "old": "archived", "live": "failed", "draft": "draft"}
    await api.post(f"/api/v1/runs/{runs['old']['id']}/restore")


@pytest.mark.parametrize(
    "targets", [["succeeded"], ["succeeded", "failed", "interrupted"]], ids=["same", "mixed"]
)
async def test_of_fifty_parallel_transitions_one_wins(
    api, run, database_url, targets, people
) -> None:
    path = str(api.client.make_url(f"/api/v1/runs/{run['id']}"))
    answers = await _race(
        database_url,
        run,
        path,
        [{"status": status} for status in islice(cycle(targets), 50)],
    )

    statuses = [status for status, _ in answers]
    assert statuses.count(200) == 1
    assert statuses.count(409) == 49
    assert {body["type"] for status, body in answers if status == 409} == {
        "/problems/status-conflict"
    }
    winner = next(body for status, body in answers if status == 200)
    assert winner == await api.get(f"/api/v1/runs/{run['id']}")
    assert winner["version"] == 2


async def test_asking_again_for_what_is_already_so_changes_nothing(api, run) -> None:
    path = f"/api/v1/runs/{run['id']}"
    done = await api.patch(path, {"status": "succeeded"})

    answers = await asyncio.gather(*(api.patch(path, {"status": "succeeded"}) for _ in range(20)))

    assert answers == [done] * 20


async def test_of_parallel_archivings_of_an_experiment_one_wins(
    api, experiment, database_url
) -> None:
    path = str(api.client.make_url(f"/api/v1/experiments/{experiment['id']}"))
    answers = await _race(
        database_url, experiment, path, [{"status": "archived"}] * 20, table="experiments"
    )

    assert sorted(status for status, _ in answers) == [200] + [409] * 19


async def _race(
    database_url: str,
    row: dict[str, Any],
    url: str,
    bodies: list[dict[str, str]],
    *,
    table: str = "runs",
) -> list[tuple[int, dict[str, Any]]]:
    """Send every body over a connection of its own while the row is held, then let go."""
    holder = await asyncpg.connect(database_url)
    hold = holder.transaction()
    await hold.start()
    await holder.execute(f"SELECT FROM experiment.{table} WHERE id = $1 FOR UPDATE", row["id"])

    async def send(body: dict[str, str]) -> tuple[int, dict[str, Any]]:
        async with (
            ClientSession(headers={"Authorization": "Bearer editor"}) as session,
            session.patch(url, json=body) as response,
        ):
            return response.status, await response.json()

    tasks = [asyncio.create_task(send(body)) for body in bodies]

    async def all_are_in() -> bool:
        return ACTIVE.collect()[0].samples[0].value >= len(bodies)

    await eventually(all_are_in)
    assert not any(task.done() for task in tasks)
    await hold.rollback()
    await holder.close()
    return await asyncio.gather(*tasks)

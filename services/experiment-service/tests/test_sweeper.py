"""Heartbeats, and the runs that end by themselves."""

import asyncio
from datetime import timedelta

import pytest
from experiment_api import eventually
from experiment_service.app import create_app
from experiment_service.operations.sweeping import sweep_runs
from experiment_service.settings import Settings
from servicekit.database import DATABASE

MINUTE = timedelta(seconds=60)


@pytest.fixture
def database(client):
    return client.app[DATABASE]


async def test_a_silent_run_is_interrupted_as_of_its_last_sign_of_life(
    api, run, database, connection
) -> None:
    path = f"/api/v1/runs/{run['id']}"
    assert await api.post(f"{path}/heartbeat") == {"status": "running"}
    alive = await api.get(path)
    assert alive["last_heartbeat_at"] > run["started_at"]
    assert alive["version"] == run["version"]

    assert await sweep_runs(database, silence=MINUTE) == []
    await _pass_time(connection, run)
    swept = await sweep_runs(database, silence=MINUTE)

    assert [str(run_id) for run_id in swept[0].interrupted] == [run["id"]]
    lost = await api.get(path)
    assert lost["status"] == "interrupted"
    assert lost["finished_at"] == lost["last_heartbeat_at"]
    assert lost["version"] == run["version"] + 1


async def test_a_run_resumes_when_its_heartbeat_returns(
    api, run, experiment, database, connection
) -> None:
    path = f"/api/v1/runs/{run['id']}"
    await api.post(f"{path}/heartbeat")
    await _pass_time(connection, run)
    await sweep_runs(database, silence=MINUTE)
    counts = await api.get(f"/api/v1/experiments/{experiment['id']}")
    assert counts["running_count"] == 0

    assert await api.post(f"{path}/heartbeat") == {"status": "running"}

    resumed = await api.get(path)
    assert (resumed["status"], resumed["finished_at"]) == ("running", None)
    assert await sweep_runs(database, silence=MINUTE) == []
    counts = await api.get(f"/api/v1/experiments/{experiment['id']}")
    assert counts["running_count"] == 1
    assert (await api.patch(path, {"status": "succeeded"}))["duration_seconds"] > 0


async def test_a_heartbeat_of_a_run_that_has_ended_changes_nothing(api, run) -> None:
    path = f"/api/v1/runs/{run['id']}"
    done = await api.patch(path, {"status": "failed"})

    assert await api.post(f"{path}/heartbeat") == {"status": "failed"}
    assert await api.get(path) == done


async def test_a_run_that_never_sent_a_heartbeat_is_left_alone(
    api, run, database, connection
) -> None:
    await connection.execute("UPDATE experiment.runs SET started_at = now() - interval '1 day'")

    assert await sweep_runs(database, silence=MINUTE) == []
    assert (await api.get(f"/api/v1/runs/{run['id']}"))["status"] == "running"


async def test_a_run_succeeds_by_itself_when_its_time_is_over(
    api, experiment, database, connection
) -> None:
    run = await api.run(experiment, auto_complete_minutes=5)
    assert await sweep_runs(database, silence=MINUTE) == []
    await connection.execute(
        "UPDATE experiment.runs SET started_at = started_at - interval '5 minutes'"
    )

    swept = await sweep_runs(database, silence=MINUTE)

    assert [str(run_id) for run_id in swept[0].completed] == [run["id"]]
    done = await api.get(f"/api/v1/runs/{run['id']}")
    assert done["status"] == "succeeded"
    assert done["duration_seconds"] >= 300


async def test_of_many_processes_one_sweeps(api, run, database, connection) -> None:
    await api.post(f"/api/v1/runs/{run['id']}/heartbeat")
    await _pass_time(connection, run)

    swept = await asyncio.gather(*(sweep_runs(database, silence=MINUTE) for _ in range(8)))

    assert sorted(len(projects) for projects in swept) == [0] * 7 + [1]
    assert (await api.get(f"/api/v1/runs/{run['id']}"))["version"] == run["version"] + 1


async def test_the_service_sweeps_by_itself(
    aiohttp_client, api, run, database_url, people, connection
) -> None:
    await api.post(f"/api/v1/runs/{run['id']}/heartbeat")
    await _pass_time(connection, run)
    settings = Settings.model_validate({"database_url": database_url, "run_sweep_every_sec": 0.1})
    await aiohttp_client(create_app(settings, people))

    async def interrupted() -> bool:
        return (await api.get(f"/api/v1/runs/{run['id']}"))["status"] == "interrupted"

    await eventually(interrupted)


async def _pass_time(connection, run) -> None:
    """Let an hour pass for the run."""
    await connection.execute(
        """
        UPDATE experiment.runs
        SET started_at = started_at - interval '1 hour',
            last_heartbeat_at = last_heartbeat_at - interval '1 hour'
        WHERE id = $1
        """,
        run["id"],
    )

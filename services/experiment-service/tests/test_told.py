"""What is told of what nobody does by hand: once, in the change itself, and by whom it happened."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from experiment_service.operations.sweeping import sweep_runs
from servicekit.database import DATABASE

type Events = list[dict[str, Any]]
type Told = Callable[[str], Awaitable[Events]]

MINUTE = timedelta(seconds=60)
SYSTEM = ("system", None)


@pytest.fixture
async def told(client) -> Told:
    """The events of a kind, in their order; nobody relays to the audit here, so they stay."""
    async with client.app[DATABASE].acquire() as connection:
        await connection.execute("INSERT INTO outbox_sinks (name) VALUES ('audit')")

    async def told(kind: str) -> Events:
        async with client.app[DATABASE].acquire() as connection:
            rows = await connection.fetch(
                "SELECT event FROM outbox WHERE event->>'type' = $1 ORDER BY position", kind
            )
        return [row["event"] for row in rows]

    return told


@pytest.fixture
def editor(people) -> tuple[str, str]:
    return "user", str(people.principals["editor"].user_id)


async def record(api, run, sensor, **more) -> dict[str, Any]:
    body = {"sensor_ids": [sensor["id"]], **more}
    return await api.post(f"/api/v1/runs/{run['id']}/capture-sessions", body, status=201)


def ends(events: Events) -> list[tuple[str, str, tuple[str, str | None]]]:
    """Which recording ended, why, and by whom."""
    return [
        (
            event["subject"]["id"],
            event["data"]["reason"],
            (event["actor"]["kind"], event["actor"]["id"]),
        )
        for event in events
    ]


async def make_due(connection) -> None:
    await connection.execute(
        """
        UPDATE experiment.capture_sessions
        SET started_at = started_at - interval '2 minutes', stop_at = stop_at - interval '2 minutes'
        """
    )


async def test_a_recording_that_is_stopped_by_hand_is_told_once(
    api, client, told, run, sensor, editor
) -> None:
    capture = await record(api, run, sensor)
    path = f"/api/v1/capture-sessions/{capture['id']}/stop"
    await asyncio.gather(*(client.post(path) for _ in range(5)))
    await api.patch(f"/api/v1/runs/{run['id']}", {"status": "succeeded"})

    stops = await told("capture.stopped")
    assert ends(stops) == [(capture["id"], "person", editor)]
    assert stops[0]["data"] == {
        "run_id": run["id"], "ordinal": 1, "sensor_ids": [sensor["id"]], "reason": "person"
    }  # fmt: skip
    assert len(await told("capture.started")) == 1


async def test_a_recording_whose_time_is_over_is_told_as_of_its_end_and_by_nobody(
    api, client, told, run, sensor, connection
) -> None:
    capture = await record(api, run, sensor, stop_after_seconds=60)
    await make_due(connection)
    database = client.app[DATABASE]
    await asyncio.gather(*(sweep_runs(database, silence=MINUTE) for _ in range(3)))

    (stop,) = stops = await told("capture.stopped")
    assert ends(stops) == [(capture["id"], "time", SYSTEM)]
    shown = await api.get(f"/api/v1/capture-sessions/{capture['id']}")
    assert stop["occurred_at"] == shown["stopped_at"] == shown["stop_at"]


@pytest.mark.parametrize("notices", ["next", "stop", "run"])
async def test_time_ends_a_recording_whoever_comes_by_first(
    api, told, run, sensor, connection, notices
) -> None:
    capture = await record(api, run, sensor, stop_after_seconds=60)
    await make_due(connection)
    if notices == "next":
        await record(api, run, sensor)
    elif notices == "stop":
        await api.post(f"/api/v1/capture-sessions/{capture['id']}/stop")
    else:
        await api.patch(f"/api/v1/runs/{run['id']}", {"status": "failed"})

    assert ends(await told("capture.stopped")) == [(capture["id"], "time", SYSTEM)]
    shown = await api.get(f"/api/v1/capture-sessions/{capture['id']}")
    assert (shown["stop_reason"], shown["stopped_at"]) == ("time", shown["stop_at"])


async def test_recordings_that_end_with_their_runs_are_told_by_whoever_ended_those(
    api, told, experiment, run, sensor, editor
) -> None:
    other, third = [await api.run(experiment, name=name) for name in ("other", "third")]
    captures = [await record(api, one, sensor) for one in (run, other, third)]
    await api.patch(f"/api/v1/runs/{run['id']}", {"status": "succeeded"})
    body = {"run_ids": [run["id"], other["id"], third["id"]], "status": "failed"}
    await api.post(f"{api.project}/runs/bulk-status", body)
    # What has ended does not end again.
    await api.post(f"/api/v1/runs/{run['id']}/archive")
    await api.post(f"/api/v1/runs/{run['id']}/restore")

    stops = ends(await told("capture.stopped"))
    assert stops[:1] == [(captures[0]["id"], "run", editor)]
    assert sorted(stops[1:]) == sorted((one["id"], "run", editor) for one in captures[1:])


async def test_a_recording_goes_on_over_a_silence_and_ends_with_the_archiving(
    api, told, experiment, run, sensor, editor
) -> None:
    """Of the run, or of its experiment, which tells of no single run."""
    other = await api.run(experiment, name="other")
    captures = [await record(api, one, sensor) for one in (run, other)]
    for one in (run, other):
        await api.patch(f"/api/v1/runs/{one['id']}", {"status": "interrupted"})
    assert await told("capture.stopped") == []

    await api.post(f"/api/v1/runs/{run['id']}/archive")
    assert ends(await told("capture.stopped")) == [(captures[0]["id"], "run", editor)]
    await api.post(f"/api/v1/experiments/{experiment['id']}/archive")
    assert ends(await told("capture.stopped"))[1:] == [(captures[1]["id"], "run", editor)]
    assert [event["subject"]["id"] for event in await told("run.archived")] == [run["id"]]


async def test_a_run_that_completes_by_itself_ends_its_recording_by_itself(
    api, client, told, experiment, sensor, connection
) -> None:
    run = await api.run(experiment, auto_complete_minutes=5)
    capture = await record(api, run, sensor)
    await connection.execute(
        "UPDATE experiment.runs SET started_at = started_at - interval '5 minutes'"
    )
    for _ in range(2):
        await sweep_runs(client.app[DATABASE], silence=MINUTE)

    (done,) = await told("run.succeeded")
    assert (done["actor"]["kind"], done["actor"]["id"]) == SYSTEM
    assert ends(await told("capture.stopped")) == [(capture["id"], "run", SYSTEM)]


async def test_a_run_that_falls_silent_is_told_of_once_and_by_nobody(
    api, client, told, run, connection
) -> None:
    await api.post(f"/api/v1/runs/{run['id']}/heartbeat")
    await connection.execute(
        "UPDATE experiment.runs SET last_heartbeat_at = last_heartbeat_at - interval '1 hour'"
    )
    database = client.app[DATABASE]
    await asyncio.gather(*(sweep_runs(database, silence=MINUTE) for _ in range(3)))

    (event,) = await told("run.interrupted")
    assert (event["actor"]["kind"], event["actor"]["id"]) == SYSTEM
    assert event["subject"]["id"] == run["id"]


async def test_what_mlflow_does_to_an_experiment_is_told_too(
    api, client, told, experiment, run, sensor, editor
) -> None:
    capture = await record(api, run, sensor)
    headers = {"X-Runbench-Project": api.project.rpartition("/")[2]}
    door = "/api/2.0/mlflow/experiments"
    tag = {"experiment_id": experiment["id"], "key": "rig", "value": "A"}
    for _ in range(2):
        await api.post(f"{door}/set-experiment-tag", tag, headers=headers)
    await api.post(f"{door}/delete-experiment-tag", tag, headers=headers)
    deleted = {"experiment_id": experiment["id"]}
    await api.post(f"{door}/delete", deleted, headers=headers)

    changes = await told("experiment.changed")
    assert [event["data"] for event in changes] == [{"fields": ["tags"]}] * 2
    (archived,) = await told("experiment.archived")
    assert archived["subject"]["name"] == experiment["name"]
    assert archived["actor"]["id"] == editor[1]
    assert ends(await told("capture.stopped")) == [(capture["id"], "run", editor)]


async def test_nothing_is_told_of_an_end_that_was_taken_back(
    api, told, experiment, run, sensor
) -> None:
    """A running run keeps its experiment from being archived, after others were already."""
    other = await api.run(experiment, name="other")
    await record(api, other, sensor)
    await api.patch(f"/api/v1/runs/{other['id']}", {"status": "interrupted"})
    await api.post(f"/api/v1/experiments/{experiment['id']}/archive", status=409)

    assert await told("capture.stopped") == []
    assert await told("experiment.archived") == []

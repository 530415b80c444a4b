"""Capture sessions: one at a time in a run, started and stopped by the server."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from experiment_api import as_
from experiment_service.operations.sweeping import sweep_runs
from servicekit.database import DATABASE

MINUTE = timedelta(seconds=60)


@pytest.fixture
def sessions(run) -> str:
    return f"/api/v1/runs/{run['id']}/capture-sessions"


async def finish(api, run, status="succeeded"):
    return await api.patch(f"/api/v1/runs/{run['id']}", {"status": status})


async def test_a_session_records_the_sensors_of_its_run(api, run, sensor, sessions) -> None:
    second = await api.sensor("TC-2")
    for wanted in (second, sensor):
        await api.ask("PUT", f"/api/v1/runs/{run['id']}/sensors/{wanted['id']}")
        await api.ask("PUT", f"/api/v1/runs/{run['id']}/sensors/{wanted['id']}")
    attached = await api.get(f"/api/v1/runs/{run['id']}/sensors")
    assert [item["name"] for item in attached["items"]] == ["TC-2", "TC-1"]

    made = await api.post(sessions, {"note": "warm"}, status=201)

    assert [item["name"] for item in made["sensors"]] == ["TC-2", "TC-1"]
    assert made["sensors"][0]["signals"] == second["signals"]
    assert (made["ordinal"], made["status"], made["profiles"]) == (1, "running", {})
    assert await api.get(f"/api/v1/capture-sessions/{made['id']}") == made
    shown = await api.get(f"/api/v1/runs/{run['id']}")
    assert shown["active_capture_session_id"] == made["id"]
    assert shown["version"] == run["version"]
    await api.ask("DELETE", f"/api/v1/runs/{run['id']}/sensors/{second['id']}", status=204)
    await api.ask("DELETE", f"/api/v1/runs/{run['id']}/sensors/{second['id']}", status=404)


async def test_of_fifty_starts_at_once_one_wins(client, api, sensor, sessions) -> None:
    body = {"sensor_ids": [sensor["id"]]}
    answers = await asyncio.gather(*(client.post(sessions, json=body) for _ in range(50)))

    assert sorted(answer.status for answer in answers) == [201] + [409] * 49
    lost = next(answer for answer in answers if answer.status == 409)
    assert (await lost.json())["type"] == "/problems/capture-session-active"
    assert len((await api.get(sessions))["items"]) == 1


async def test_of_many_stops_at_once_one_wins_and_a_later_one_changes_nothing(
    client, api, capture
) -> None:
    path = f"/api/v1/capture-sessions/{capture['id']}"
    answers = await asyncio.gather(*(client.post(f"{path}/stop") for _ in range(20)))

    assert {answer.status for answer in answers} <= {200, 409}
    stopped = await api.get(path)
    assert stopped["status"] == "stopped"
    assert stopped["stopped_at"] > stopped["started_at"]
    assert (stopped["version"], stopped["stop_reason"]) == (2, "person")
    assert await api.post(f"{path}/stop") == stopped


async def test_the_server_counts_the_sessions_of_a_run(api, capture, sensor, sessions) -> None:
    for _ in range(2):
        active = (await api.get(sessions, params={"status": "running"}))["items"]
        await api.post(f"/api/v1/capture-sessions/{active[0]['id']}/stop")
        await api.post(sessions, {"sensor_ids": [sensor["id"]]}, status=201)

    first = await api.get(sessions, params={"limit": "2"})
    rest = await api.get(sessions, params={"limit": "2", "cursor": first["next_cursor"]})
    assert [item["ordinal"] for item in first["items"] + rest["items"]] == [3, 2, 1]
    oldest = await api.get(sessions, params={"sort": "ordinal"})
    assert [item["ordinal"] for item in oldest["items"]] == [1, 2, 3]


@pytest.mark.parametrize("status", ["succeeded", "failed"])
async def test_the_end_of_a_run_stops_its_session(api, run, capture, connection, status) -> None:
    done = await finish(api, run, status)

    stopped = await api.get(f"/api/v1/capture-sessions/{capture['id']}")
    assert (stopped["status"], stopped["stop_reason"]) == ("stopped", "run")
    assert (stopped["stopped_at"], stopped["stopped_by"]) == (done["finished_at"], None)
    assert done["active_capture_session_id"] is None
    window = await connection.fetchrow("SELECT * FROM experiment.capture_windows")
    assert window["stopped_at"] is not None


async def test_a_session_ends_with_its_run_whoever_ends_that(
    api, client, run, experiment, sensor, capture, connection
) -> None:
    body = {"run_ids": [run["id"]], "status": "failed"}
    await api.post(f"{api.project}/runs/bulk-status", body)
    other = await api.run(experiment, auto_complete_minutes=5)
    second = await api.post(
        f"/api/v1/runs/{other['id']}/capture-sessions", {"sensor_ids": [sensor["id"]]}, status=201
    )
    await connection.execute(
        "UPDATE experiment.runs SET started_at = started_at - interval '5 minutes'"
    )
    await sweep_runs(client.app[DATABASE], silence=MINUTE)

    for session in (capture, second):
        stopped = await api.get(f"/api/v1/capture-sessions/{session['id']}")
        assert (stopped["status"], stopped["stop_reason"]) == ("stopped", "run")


async def test_a_session_goes_on_while_its_run_is_silent_and_ends_with_its_archiving(
    api, run, capture
) -> None:
    path = f"/api/v1/capture-sessions/{capture['id']}"
    await finish(api, run, "interrupted")
    assert (await api.get(path))["status"] == "running"

    await api.post(f"/api/v1/runs/{run['id']}/archive")

    assert (await api.get(path))["stop_reason"] == "run"


async def test_only_a_running_run_records(api, run, sensor, sessions) -> None:
    await finish(api, run)

    problem = await api.post(sessions, {"sensor_ids": [sensor["id"]]}, status=409)
    assert problem["type"] == "/problems/run-not-running"


async def test_a_session_stops_by_itself_when_its_time_is_over(
    api, client, run, sensor, sessions, connection
) -> None:
    body = {"sensor_ids": [sensor["id"]], "stop_after_seconds": 60}
    made = await api.post(sessions, body, status=201)
    database = client.app[DATABASE]
    assert await sweep_runs(database, silence=MINUTE) == []
    await connection.execute(
        """
        UPDATE experiment.capture_sessions
        SET started_at = started_at - interval '2 minutes', stop_at = stop_at - interval '2 minutes'
        """
    )
    before = await api.get(f"/api/v1/runs/{run['id']}")

    swept = await sweep_runs(database, silence=MINUTE)

    assert [str(found) for found in swept[0].captures] == [made["id"]]
    stopped = await api.get(f"/api/v1/capture-sessions/{made['id']}")
    assert (stopped["stop_reason"], stopped["stopped_by"]) == ("time", None)
    assert stopped["stopped_at"] == stopped["stop_at"]
    assert (await api.get(f"/api/v1/runs/{run['id']}"))["updated_at"] > before["updated_at"]
    await api.post(sessions, body, status=201)


async def test_a_session_whose_time_is_over_does_not_stand_in_the_way(
    api, sensor, sessions, connection
) -> None:
    body = {"sensor_ids": [sensor["id"]], "stop_after_seconds": 60}
    await api.post(sessions, body, status=201)
    await connection.execute(
        """
        UPDATE experiment.capture_sessions
        SET started_at = started_at - interval '2 minutes', stop_at = stop_at - interval '2 minutes'
        """
    )

    assert (await api.post(sessions, body, status=201))["ordinal"] == 2


async def test_sensors_come_and_go_while_it_records(api, sensor, capture) -> None:
    path = f"/api/v1/capture-sessions/{capture['id']}"
    other = await api.sensor("TC-2")
    added = await api.ask("PUT", f"{path}/sensors/{other['id']}")
    await api.ask("PUT", f"{path}/sensors/{other['id']}")
    assert [item["name"] for item in added["sensors"]] == ["TC-1", "TC-2"]
    await api.ask("DELETE", f"{path}/sensors/{sensor['id']}", status=204)
    await api.ask("DELETE", f"{path}/sensors/{sensor['id']}", status=404)
    await api.ask("PUT", f"{path}/sensors/{uuid4()}", status=404)
    events = (await api.get(f"{path}/events"))["items"]
    assert [(event["kind"], event["text"]) for event in events] == [
        ("sensor_added", "TC-2"),
        ("sensor_removed", "TC-1"),
    ]
    await api.post(f"{path}/stop")
    for method in ("PUT", "DELETE"):
        problem = await api.ask(method, f"{path}/sensors/{other['id']}", status=409)
        assert problem["type"] == "/problems/capture-session-stopped"


async def test_a_sensor_that_is_recorded_stays_in_use(api, sensor, capture) -> None:
    path = f"/api/v1/sensors/{sensor['id']}"
    problem = await api.ask("DELETE", path, status=409)
    assert problem["type"] == "/problems/sensor-in-use"

    await api.post(f"/api/v1/capture-sessions/{capture['id']}/stop")
    await api.ask("DELETE", path, status=204)


async def test_events_are_kept_in_the_order_of_their_times(api, run, capture) -> None:
    path = f"/api/v1/capture-sessions/{capture['id']}/events"
    await finish(api, run)
    now = await api.post(path, {"text": "valve open"}, status=201)
    early = await api.post(
        path, {"time": "2026-01-01T00:00:00.000001+02:00", "kind": "note"}, status=201
    )
    assert early["time"] == "2025-12-31T22:00:00.000001Z"

    first = await api.get(path, params={"limit": "1"})
    rest = await api.get(path, params={"limit": "1", "cursor": first["next_cursor"]})

    assert (first["items"], rest["items"]) == ([early], [now])


async def test_a_session_is_renamed_and_noted_by_who_saw_its_latest_version(api, capture) -> None:
    path = f"/api/v1/capture-sessions/{capture['id']}"
    changed = await api.patch(path, {"name": "Sweep"}, headers={"If-Match": '"1"'})

    assert (changed["name"], changed["version"]) == ("Sweep", 2)
    await api.patch(path, {"note": "x"}, status=412, headers={"If-Match": '"1"'})
    assert (await api.patch(path, {"name": None}))["name"] == ""


async def test_a_repeated_start_is_the_same_session(api, sensor, sessions) -> None:
    key = {"Idempotency-Key": "once"}
    body = {"sensor_ids": [sensor["id"]]}
    first = await api.post(sessions, body, status=201, headers=key)

    assert await api.post(sessions, body, status=201, headers=key) == first


async def test_live_views_of_runs_hear_of_a_recording(api, run, sensor, sessions) -> None:
    stream = await api.client.get(f"{api.project}/runs/stream")
    try:

        async def until(session_id: str | None) -> None:
            async for line in stream.content:
                if line.startswith(b"data: "):
                    told = json.loads(line.removeprefix(b"data: "))
                    active = told.get("active_capture_session_id")
                    if told.get("id") == run["id"] and active == session_id:
                        return

        async with asyncio.timeout(20):
            await until(None)
            made = await api.post(sessions, {"sensor_ids": [sensor["id"]]}, status=201)
            await until(made["id"])
            await api.post(f"/api/v1/capture-sessions/{made['id']}/stop")
            await until(None)
    finally:
        stream.close()


async def test_only_sensors_of_the_project_are_recorded(
    api, client, people, run, sensor, sessions
) -> None:
    people.person("stranger", project_id=(elsewhere := uuid4()), role="owner")
    foreign = await api.post(
        f"/api/v1/projects/{elsewhere}/sensors",
        {"name": "theirs"},
        status=201,
        headers=as_("stranger"),
    )
    gone = await api.sensor("gone")
    await api.ask("DELETE", f"/api/v1/sensors/{gone['id']}", status=204)

    problem = await api.post(
        sessions, {"sensor_ids": [sensor["id"], foreign["id"], gone["id"]]}, status=422
    )

    assert [(error["pointer"], error["detail"]) for error in problem["errors"]] == [
        ("#/sensor_ids/1", "there is no such sensor in this project"),
        ("#/sensor_ids/2", "the sensor is decommissioned"),
    ]
    await api.ask("PUT", f"/api/v1/runs/{run['id']}/sensors/{foreign['id']}", status=404)
    await api.ask("PUT", f"/api/v1/runs/{run['id']}/sensors/{gone['id']}", status=409)


async def test_raw_sql_cannot_record_a_sensor_of_another_project(
    run, sensor, capture, connection
) -> None:
    for statement in (
        "UPDATE experiment.capture_sessions SET project_id = gen_random_uuid()",
        "UPDATE experiment.capture_session_sensors SET project_id = gen_random_uuid()",
        "UPDATE experiment.capture_session_sensors SET sensor_id = gen_random_uuid()",
        "INSERT INTO experiment.run_sensors SELECT r.id, gen_random_uuid(), s.id, r.created_by,"
        " now() FROM experiment.runs r, experiment.sensors s",
    ):
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await connection.execute(statement)


async def test_other_services_learn_what_a_session_spans(
    run, sensor, capture, project_id, connection
) -> None:
    row = await connection.fetchrow("SELECT * FROM experiment.capture_windows")

    assert row["capture_session_id"] == UUID(capture["id"])
    assert (row["run_id"], row["project_id"]) == (UUID(run["id"]), project_id)
    assert row["sensor_ids"] == [UUID(sensor["id"])]
    assert (row["ordinal"], row["stopped_at"], row["profiles"]) == (1, None, "{}")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/sensor_ids"),
        ({"sensor_ids": []}, "#/sensor_ids"),
        ({"sensor_ids": ["x"]}, "#/sensor_ids/0"),
        ({"name": ""}, "#/name"),
        ({"stop_after_seconds": 0}, "#/stop_after_seconds"),
        ({"stop_after_seconds": 1e300}, "#/stop_after_seconds"),
        ({"ordinal": 5}, "#/ordinal"),
        ({"profiles": {"x": {}}}, "#/profiles/x"),
    ],
)
async def test_what_is_no_recording_is_refused_with_its_place(api, sessions, body, pointer) -> None:
    problem = await api.post(sessions, body, status=422)

    assert problem["errors"][0]["pointer"].startswith(pointer)


@pytest.mark.parametrize(
    "body",
    [
        {"time": "1989-12-31T23:59:59Z"},
        {"time": (datetime.now(UTC) + timedelta(hours=25)).isoformat()},
        {"time": "0001-01-01T00:00:00+14:00"},
        {"time": "9999-12-31T23:59:59-14:00"},
        {"time": "yesterday"},
        {"kind": "sensor_added"},
        {"text": "x" * 2001},
        {"text": "a\0"},
    ],
)
async def test_what_is_no_event_is_refused(api, capture, body) -> None:
    path = f"/api/v1/capture-sessions/{capture['id']}/events"

    problem = await api.post(path, body, status=422)

    assert problem["errors"][0]["pointer"] == f"#/{next(iter(body))}"

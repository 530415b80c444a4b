"""Sensors: registered, changed, shared, healthy by what the server received, decommissioned."""

import asyncio
import hashlib
from uuid import UUID, uuid4

import asyncpg
import pytest
from experiment_api import as_
from servicekit.machine_tokens import parse_machine_token

SIGNALS = [
    {"name": "acc.x", "title": "Acceleration", "input_unit": "counts", "display_unit": "m/s²",
     "expected_rate_hz": 500},
    {"name": "acc.y"},
]  # fmt: skip


@pytest.fixture
def sensors(api) -> str:
    return f"{api.project}/sensors"


@pytest.fixture
def other(people) -> UUID:
    """A project in which the editor is an editor, the guest a viewer."""
    project_id = uuid4()
    people.roles[people.principals["editor"].user_id, project_id] = "editor"
    people.person("guest", project_id=project_id, role="editor")
    people.roles[people.principals["editor"].user_id, project_id] = people.roles[
        people.principals["guest"].user_id, project_id
    ]
    return project_id


async def activity(connection, rows) -> None:
    """What telemetry-ingest-service publishes of sensors: id, seconds ago, readings."""
    await connection.execute(
        """
        CREATE SCHEMA telemetry;
        CREATE TABLE telemetry.sensor_activity (
            sensor_id uuid, last_received_at timestamptz, last_reading_at timestamptz,
            readings bigint
        )
        """
    )
    await connection.executemany(
        """
        INSERT INTO telemetry.sensor_activity
        SELECT $1, now() - make_interval(secs => $2), now(), $3
        """,
        rows,
    )


async def test_a_sensor_is_registered_with_its_signals_and_a_token(
    api, sensors, connection
) -> None:
    made = await api.post(
        sensors,
        {"name": "IMU", "type": "imu", "tags": {"rig": "A"}, "signals": SIGNALS},
        status=201,
    )
    token = parse_machine_token(made.pop("token"))
    path = f"/api/v1/sensors/{made['id']}"

    assert await api.get(path) == made
    assert made["signals"][0] == SIGNALS[0]
    assert made["signals"][1] == {
        "name": "acc.y", "title": "", "input_unit": "", "display_unit": "",
        "expected_rate_hz": None,
    }  # fmt: skip
    assert (made["health"], made["readings"], made["shared_with"]) == ("never", 0, [])
    row = await connection.fetchrow("SELECT * FROM experiment.ingest_tokens")
    assert token.kind == "sensor"
    assert row["key_id"] == token.key_id
    assert row["secret_hash"] == hashlib.sha256(token.secret.encode()).digest()
    assert (str(row["sensor_id"]), row["expires_at"]) == (made["id"], None)


async def test_a_repeated_registration_shows_no_secret_and_stores_none(
    api, sensors, connection
) -> None:
    key = {"Idempotency-Key": "once"}
    first = await api.post(sensors, {"name": "a"}, status=201, headers=key)
    again = await api.post(sensors, {"name": "a"}, status=201, headers=key)

    assert again == first | {"token": None}
    kept = await connection.fetchval("SELECT body FROM experiment.idempotency_keys")
    assert first["token"].encode() not in kept


async def test_of_many_registrations_under_one_name_one_wins(client, sensors) -> None:
    answers = await asyncio.gather(
        *(client.post(sensors, json={"name": name}) for name in ["Probe", "PROBE"] * 10)
    )

    assert sorted(answer.status for answer in answers) == [201] + [409] * 19


async def test_sensors_are_found_by_part_of_name_health_and_status(
    api, sensors, connection
) -> None:
    ids = [(await api.sensor(name))["id"] for name in ("B", "a", "C", "d 1")]
    await activity(connection, [(ids[0], 1, 5), (ids[1], 60, 6), (ids[2], 600, 7)])

    assert await api.names(sensors) == ["a", "B", "C", "d 1"]
    assert await api.names(sensors, sort="-name") == ["d 1", "C", "B", "a"]
    assert await api.names(sensors, sort="created_at") == ["B", "a", "C", "d 1"]
    assert await api.names(sensors, sort="-last_received_at") == ["B", "a", "C", "d 1"]
    assert await api.names(sensors, sort="last_received_at") == ["d 1", "C", "a", "B"]
    assert await api.names(sensors, q="D ") == ["d 1"]
    for health, name in (("online", "B"), ("delayed", "a"), ("offline", "C"), ("never", "d 1")):
        assert await api.names(sensors, health=health) == [name]
    await api.ask("DELETE", f"/api/v1/sensors/{ids[0]}", status=204)
    assert await api.names(sensors) == ["a", "C", "d 1"]
    assert await api.names(sensors, status="decommissioned") == ["B"]
    assert await api.names(sensors, status="all") == ["a", "B", "C", "d 1"]
    assert (await api.get(f"/api/v1/sensors/{ids[1]}"))["readings"] == 6


async def test_a_change_names_what_it_changes_and_loses_to_an_earlier_one(api, sensor) -> None:
    path = f"/api/v1/sensors/{sensor['id']}"
    changed = await api.patch(
        path, {"name": "TC-2", "tags": {"a": "b"}, "type": "k"}, headers={"If-Match": '"1"'}
    )

    assert (changed["name"], changed["tags"], changed["version"]) == ("TC-2", {"a": "b"}, 2)
    await api.patch(path, {"name": "TC-3"}, status=412, headers={"If-Match": '"1"'})
    assert (await api.patch(path, {"type": None}))["type"] is None
    await api.sensor("Other")
    problem = await api.patch(path, {"name": "oTHER"}, status=409)
    assert problem["type"] == "/problems/sensor-name-taken"


async def test_signals_come_change_and_go_while_nothing_was_sent(api, sensor, connection) -> None:
    path = f"/api/v1/sensors/{sensor['id']}/signals"
    await api.post(path, {"name": "pressure", "input_unit": "V"}, status=201)
    await api.post(path, {"name": "Pressure"}, status=409)
    changed = await api.patch(f"{path}/pressure", {"title": "Wall", "input_unit": None})
    assert changed["signals"][1]["title"] == "Wall"
    assert changed["signals"][1]["input_unit"] == ""
    await api.ask("DELETE", f"{path}/temperature", status=204)
    await api.ask("DELETE", f"{path}/temperature", status=404)
    await api.patch(f"{path}/nothing", {"title": "x"}, status=404)
    await activity(connection, [(sensor["id"], 1, 5)])
    problem = await api.ask("DELETE", f"{path}/pressure", status=409)
    assert problem["type"] == "/problems/signal-in-use"
    row = await connection.fetchrow("SELECT * FROM experiment.ingest_signals")
    assert (row["signal"], row["input_unit"]) == ("pressure", "")


async def test_a_rotated_token_stays_valid_for_its_grace(api, sensor, connection) -> None:
    path = f"/api/v1/sensors/{sensor['id']}/tokens"

    async def valid() -> set[str]:
        rows = await connection.fetch("SELECT key_id FROM experiment.ingest_tokens")
        return {row["key_id"] for row in rows}

    first = parse_machine_token(sensor["token"]).key_id
    second = await api.post(path, {"grace_seconds": 60}, status=201)
    assert second["key_id"] == parse_machine_token(second["token"]).key_id
    assert await valid() == {first, second["key_id"]}
    listed = (await api.get(path))["items"]
    assert [token["state"] for token in listed] == ["current", "grace"]
    assert "token" not in listed[0]
    third = await api.post(path, {"grace_seconds": 3600}, status=201)
    ends = {token["key_id"]: token["expires_at"] for token in (await api.get(path))["items"]}
    assert ends[first] < ends[second["key_id"]]
    fourth = await api.post(path, {"grace_seconds": 0}, status=201)
    assert await valid() == {fourth["key_id"]}
    await api.ask("DELETE", f"{path}/{fourth['id']}", status=204)
    await api.ask("DELETE", f"{path}/{fourth['id']}", status=204)
    assert await valid() == set()
    await api.ask("DELETE", f"{path}/{uuid4()}", status=404)
    assert third["expires_at"] is None


async def test_of_many_rotations_at_once_one_token_is_current(api, sensor, connection) -> None:
    path = f"/api/v1/sensors/{sensor['id']}/tokens"

    await asyncio.gather(*(api.post(path, {"grace_seconds": 0}, status=201) for _ in range(20)))

    assert await connection.fetchval("SELECT count(*) FROM experiment.ingest_tokens") == 1


async def test_a_decommissioned_sensor_sends_no_more_and_leaves_its_name(
    api, sensor, connection
) -> None:
    path = f"/api/v1/sensors/{sensor['id']}"
    await api.ask("DELETE", path, status=204)
    await api.ask("DELETE", path, status=204)

    assert (await api.get(path))["status"] == "decommissioned"
    assert await connection.fetchval("SELECT count(*) FROM experiment.ingest_tokens") == 0
    for method, rest, body in (
        ("PATCH", "", {"name": "x"}),
        ("POST", "/signals", {"name": "x"}),
        ("POST", "/tokens", {}),
    ):
        problem = await api.ask(method, path + rest, json=body, status=409)
        assert problem["type"] == "/problems/sensor-decommissioned"
    await api.sensor(sensor["name"])


async def test_a_shared_sensor_is_seen_from_there_and_changed_from_home(
    api, sensor, other, connection
) -> None:
    path = f"/api/v1/sensors/{sensor['id']}"
    await api.get(path, status=404, headers=as_("guest"))
    shared = await api.ask("PUT", f"{path}/projects/{other}")
    assert shared["shared_with"] == [str(other)]
    await api.ask("PUT", f"{path}/projects/{other}")

    assert (await api.get(path, headers=as_("guest")))["id"] == sensor["id"]
    there = await api.get(f"/api/v1/projects/{other}/sensors", headers=as_("guest"))
    assert [item["id"] for item in there["items"]] == [sensor["id"]]
    await api.patch(path, {"name": "mine"}, status=403, headers=as_("guest"))
    await api.post(f"{path}/tokens", {}, status=403, headers=as_("guest"))
    assert await connection.fetchval("SELECT count(*) FROM experiment.sensor_projects") == 2
    await api.ask("DELETE", f"{path}/projects/{other}", status=204)
    await api.ask("DELETE", f"{path}/projects/{other}", status=404)
    await api.get(path, status=404, headers=as_("guest"))
    await api.ask("PUT", f"{path}/projects/{other}")
    await api.get(path, headers=as_("guest"))


async def test_a_sensor_is_shared_only_where_one_may_write(
    api, sensor, other, people, project_id
) -> None:
    path = f"/api/v1/sensors/{sensor['id']}/projects"

    await api.ask("PUT", f"{path}/{uuid4()}", status=404)
    await api.ask("PUT", f"{path}/{project_id}", status=422)
    await api.ask("DELETE", f"{path}/{project_id}", status=404)
    people.archived.add(other)
    await api.ask("PUT", f"{path}/{other}", status=409)


async def test_raw_sql_cannot_take_a_sensor_to_another_project(sensor, connection) -> None:
    for statement in (
        "UPDATE experiment.sensors SET project_id = gen_random_uuid()",
        "UPDATE experiment.sensor_signals SET project_id = gen_random_uuid()",
        "UPDATE experiment.sensor_tokens SET project_id = gen_random_uuid()",
        "UPDATE experiment.sensor_places SET home_project_id = gen_random_uuid()",
    ):
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await connection.execute(statement)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": ""}, "#/name"),
        ({"name": "a\0"}, "#/name"),
        ({"name": "a", "id": "x"}, "#/id"),
        ({"name": "a", "signals": [{"name": "with space"}]}, "#/signals/0/name"),
        ({"name": "a", "signals": [{"name": "a"}, {"name": "A"}]}, "#/signals"),
        ({"name": "a", "signals": [{"name": "a\n"}]}, "#/signals/0/name"),
        ({"name": "a", "signals": [{"name": "a", "expected_rate_hz": 0}]},
         "#/signals/0/expected_rate_hz"),
        ({"name": "a", "signals": [{"name": "a", "input_unit": "x" * 51}]},
         "#/signals/0/input_unit"),
        ({"name": "a", "tags": {"x": 1}}, "#/tags/x"),
    ],
)  # fmt: skip
async def test_what_is_no_sensor_is_refused_with_its_place(api, sensors, body, pointer) -> None:
    problem = await api.post(sensors, body, status=422)

    assert [error["pointer"] for error in problem["errors"]] == [pointer]


@pytest.mark.parametrize("grace", [-1, 604_801, "1h", 1.5, None])
async def test_a_grace_is_a_week_at_most(api, sensor, grace) -> None:
    path = f"/api/v1/sensors/{sensor['id']}/tokens"

    problem = await api.post(path, {"grace_seconds": grace}, status=422)

    assert problem["errors"][0]["pointer"] == "#/grace_seconds"

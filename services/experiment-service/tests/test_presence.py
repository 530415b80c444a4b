"""Sensors that go silent, and come back, are told of once each."""

from uuid import UUID, uuid4

import pytest
from experiment_api import as_, eventually
from experiment_service.app import create_app
from receivers import receiver


@pytest.fixture
async def there():
    async with receiver() as there:
        yield there


@pytest.fixture
async def hook(api, there):
    body = {"name": "CI", "url": there.url, "event_types": ["sensor.offline", "sensor.online"]}
    return await api.post(f"{api.project}/webhooks", body, status=201, headers=as_("owner"))


@pytest.fixture
async def heard(connection):
    """What telemetry-ingest-service publishes of sensors, with a way to say when one was heard."""
    await connection.execute(
        """
        CREATE SCHEMA telemetry;
        CREATE TABLE telemetry.sensor_activity (
            sensor_id uuid PRIMARY KEY, last_received_at timestamptz,
            last_reading_at timestamptz, readings bigint
        )
        """
    )

    async def say(sensor, seconds_ago: float) -> None:
        await connection.execute(
            """
            INSERT INTO telemetry.sensor_activity
            VALUES ($1, now() - make_interval(secs => $2), now(), 1)
            ON CONFLICT (sensor_id) DO UPDATE SET last_received_at = excluded.last_received_at
            """,
            UUID(sensor["id"]),
            seconds_ago,
        )

    return say


@pytest.fixture
async def known(connection):
    """Waits until the service has noted how a sensor is."""

    async def wait(sensor, *, offline: bool) -> None:
        async def holds() -> bool:
            return offline is await connection.fetchval(
                "SELECT offline FROM experiment.sensor_presence WHERE sensor_id = $1",
                UUID(sensor["id"]),
            )

        await eventually(holds)

    return wait


async def test_a_sensor_is_told_of_once_when_it_falls_silent_and_once_when_it_is_back(
    api, hook, there, heard, known, settings, people, aiohttp_client
) -> None:
    await aiohttp_client(create_app(settings, people))
    alive, dead, fresh, slow = [await api.sensor(name) for name in ("A", "B", "C", "D")]
    gone = await api.sensor("E")
    await heard(alive, 1)
    await heard(slow, 200)
    await heard(dead, 100_000)  # silent since before anybody looked
    await heard(gone, 1)
    for one in (alive, slow, gone):
        await known(one, offline=False)
    await known(dead, offline=True)

    await api.ask("DELETE", f"/api/v1/sensors/{gone['id']}", status=204)
    await heard(gone, 301)
    await heard(alive, 301)
    await known(alive, offline=True)
    await heard(alive, 2)
    await known(alive, offline=False)
    await heard(slow, 301)
    await known(slow, offline=True)

    async def told() -> bool:
        return len(there.calls) >= 3

    await eventually(told)
    events = sorted((call.event for call in there.calls), key=lambda one: one["occurred_at"])
    assert [(one["subject"]["name"], one["type"]) for one in events] == [
        ("A", "sensor.offline"),
        ("A", "sensor.online"),
        ("D", "sensor.offline"),
    ]
    assert events[0]["subject"] == {"kind": "sensor", "id": alive["id"], "name": "A"}
    assert events[1]["data"]["offline_since"] == events[0]["occurred_at"]
    assert events[1]["data"]["last_received_at"] > events[0]["data"]["last_received_at"]
    assert fresh["health"] == "never"


async def test_a_change_survives_a_restart_and_reaches_each_project_that_sees_the_sensor(
    api, hook, there, heard, known, people, project_id, settings, aiohttp_client
) -> None:
    sensor, other = await api.sensor("A"), uuid4()
    for role in ("editor", "owner"):
        user_id = people.principals[role].user_id
        people.roles[user_id, other] = people.roles[user_id, project_id]
    await api.ask("PUT", f"/api/v1/sensors/{sensor['id']}/projects/{other}")
    body = {"name": "CI", "url": there.url, "event_types": ["sensor.offline"]}
    await api.post(f"/api/v1/projects/{other}/webhooks", body, status=201, headers=as_("owner"))
    await heard(sensor, 1)
    await known(sensor, offline=False)
    await api.client.close()
    await heard(sensor, 400)

    await aiohttp_client(create_app(settings, people))

    async def told() -> bool:
        return {call.event["project_id"] for call in there.calls} == {str(project_id), str(other)}

    await eventually(told)
    assert len(there.calls) == 2

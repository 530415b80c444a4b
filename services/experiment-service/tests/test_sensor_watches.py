"""Limits on signals: set by editors, told of once to each project that sees the sensor."""

import asyncio
from uuid import UUID, uuid4

import pytest
from experiment_api import as_, eventually
from experiment_service.app import create_app
from receivers import receiver


async def limit(api, sensor, *, status=201, who="editor", **other):
    body = {"signal": "temperature", "direction": "above", "threshold": 80.0} | other
    path = f"/api/v1/sensors/{sensor['id']}/watches"
    return await api.post(path, body, status=status, headers=as_(who))


@pytest.fixture
async def cross(connection):
    """What telemetry-ingest-service publishes, with a way to say that a limit was crossed."""
    await connection.execute(
        """
        CREATE SCHEMA telemetry;
        CREATE TABLE telemetry.signal_crossings (
            position bigint GENERATED ALWAYS AS IDENTITY, watch_id uuid, value float8, most float8,
            unit text, taken_at timestamptz, found_at timestamptz
        )
        """
    )

    async def say(watch_id: UUID | str, value: float) -> None:
        await connection.execute(
            "INSERT INTO telemetry.signal_crossings (watch_id, value, most, unit, taken_at,"
            " found_at) VALUES ($1, $2, $2::float8 + 1, '°C', now(), now())",
            UUID(str(watch_id)),
            value,
        )

    return say


async def test_a_crossing_is_told_of_once_by_any_number_of_processes(
    api, sensor, cross, settings, people, aiohttp_client
) -> None:
    async with receiver() as there:
        await aiohttp_client(create_app(settings, people))
        body = {"name": "CI", "url": there.url, "event_types": ["sensor.threshold_crossed"]}
        await api.post(f"{api.project}/webhooks", body, status=201, headers=as_("owner"))
        watch = await limit(api, sensor, rearm_at=70.0)
        await cross(uuid4(), 1.0)
        for value in (81.0, 90.0):
            await cross(watch["id"], value)

        async def told() -> bool:
            return len(there.calls) >= 2

        await eventually(told)
        events = sorted((one.event for one in there.calls), key=lambda one: one["data"]["value"])
    assert [one["data"]["value"] for one in events] == [81.0, 90.0]
    first = events[0]
    assert first["subject"] == {"kind": "sensor", "id": sensor["id"], "name": sensor["name"]}
    taken_at = first["data"].pop("taken_at")
    assert taken_at <= first["occurred_at"]
    assert first["data"] == {
        "watch_id": watch["id"],
        "signal": "temperature",
        "direction": "above",
        "threshold": 80.0,
        "value": 81.0,
        "most": 82.0,
        "unit": "°C",
    }


async def test_limits_are_listed_for_all_and_set_and_forgotten_by_editors(api, sensor) -> None:
    await limit(api, sensor, who="viewer", status=403)
    one, other = await limit(api, sensor), await limit(api, sensor, direction="below", rearm_at=99)
    path = f"/api/v1/sensors/{sensor['id']}/watches"
    assert (await api.get(path, headers=as_("viewer")))["items"] == [one, other]
    await api.ask("DELETE", f"{path}/{one['id']}", status=403, headers=as_("viewer"))
    other_sensor = await api.sensor("other")
    wrong = f"/api/v1/sensors/{other_sensor['id']}/watches/{one['id']}"
    await api.ask("DELETE", wrong, status=404)
    await api.ask("DELETE", f"{path}/{one['id']}", status=204)
    assert (await api.get(path))["items"] == [other]


@pytest.mark.parametrize(
    "wrong",
    [
        {"signal": "nothing"},
        {"direction": "beside"},
        {"threshold": "high"},
        {"rearm_at": 80.5},
        {"direction": "below", "rearm_at": 79},
    ],
)
async def test_what_is_no_limit_is_refused(api, sensor, wrong) -> None:
    await limit(api, sensor, status=422, **wrong)


async def test_a_signal_goes_with_its_limits_and_there_are_so_many_and_no_more(api, sensor) -> None:
    await asyncio.gather(*(limit(api, sensor) for _ in range(50)))
    await limit(api, sensor, status=422)
    await api.ask("DELETE", f"/api/v1/sensors/{sensor['id']}/signals/temperature", status=204)
    assert (await api.get(f"/api/v1/sensors/{sensor['id']}/watches"))["items"] == []

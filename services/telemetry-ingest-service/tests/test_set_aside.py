"""A batch that cannot be stored goes aside with its reason, is visible, and stops nothing."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from buffer_api import batch, record_of, settled, url
from telemetry_api import T0, Sensor, column, new_sensor, send, stored
from telemetry_ingest_service.jobs.stream import Stream

MOST = 1 << 30


async def poison(connection, signal: str) -> None:
    """Let the database refuse whatever holds this signal."""
    await connection.execute(
        f"ALTER TABLE telemetry.series ADD CONSTRAINT poison CHECK (key <> '{signal}') NOT VALID"
    )


async def ask(client, method: str, path: str, person: str = "owner", status: int = 200) -> Any:
    headers = {"Authorization": f"Bearer {person}"}
    async with client.request(method, path, headers=headers) as response:
        answer = await response.json() if response.status != 204 else None
        assert response.status == status, answer
        return answer


async def listed(client, sensor: Sensor, person: str = "viewer", **query: Any) -> Any:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    path = f"/api/v1/projects/{sensor.project_id}/telemetry/set-aside?{asked}"
    return await ask(client, "GET", path, person)


async def one_aside(client, sensor: Sensor) -> Any:
    async with asyncio.timeout(15):
        while not (items := (await listed(client, sensor))["items"]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    (one,) = items
    return one


BAD = {
    "batch_id": "6f0e9f86-31bb-4c53-9a5d-5d2d1a40f9a1",
    "series": [column("pressure", [T0], [1])],
}


async def test_directly_a_batch_that_cannot_be_stored_is_answered_for_itself_alone(
    client, sensor, connection
) -> None:
    await poison(connection, "pressure")
    answers = await asyncio.gather(
        *(send(client, sensor, batch(n)) for n in range(20)),
        send(client, sensor, BAD),
        *(send(client, sensor, batch(n)) for n in range(20, 40)),
    )
    assert [answer["accepted"] for answer in answers] == [1] * 20 + [0] + [1] * 20
    assert [n for n, answer in enumerate(answers) if answer["set_aside"]] == [20]
    assert len((await stored(connection, sensor))["temperature"]) == 40

    assert (await send(client, sensor, BAD))["set_aside"]
    one = await one_aside(client, sensor)
    assert (one["sensor_id"], one["batch_id"]) == (str(sensor.id), BAD["batch_id"])
    assert (one["readings"], one["signals"]) == (1, ["pressure"])
    assert "CheckViolationError" in one["reason"]


async def test_in_the_buffer_it_stops_nobody(start, sensor, connection, project_id) -> None:
    client = await start(telemetry_buffer_shards="1")
    other = await new_sensor(connection, project_id, "other", ("temperature",))
    await poison(connection, "pressure")
    bodies = [batch(n, producer="p", sequence=n) for n in range(30)]
    await asyncio.gather(
        *(send(client, each, body) for body in bodies for each in (sensor, other)),
        send(client, sensor, BAD),
        send(client, sensor, BAD),
    )
    for each in (sensor, other):
        assert len(await settled(connection, each, 30)) == 30
    one = await one_aside(client, sensor)
    assert one["batch_id"] == BAD["batch_id"]
    async with client.get("/metrics") as response:
        assert "telemetry_batches_set_aside_total" in await response.text()


@pytest.mark.parametrize("mode", ["off", "stream"])
async def test_it_is_stored_after_all_or_discarded(start, sensor, connection, mode) -> None:
    client = await start(telemetry_buffer=mode)
    await poison(connection, "pressure")
    await send(client, sensor, BAD)
    one = await one_aside(client, sensor)
    path = f"/api/v1/telemetry/set-aside/{one['id']}"

    await ask(client, "POST", f"{path}/retry", "viewer", status=403)
    await ask(client, "POST", f"{path}/retry", "outsider", status=404)
    await ask(client, "DELETE", path, "editor", status=403)
    answer = await ask(client, "POST", f"{path}/retry", "editor", status=409)
    assert "CheckViolationError" in answer["detail"]
    assert await one_aside(client, sensor) == one

    await connection.execute("ALTER TABLE telemetry.series DROP CONSTRAINT poison")
    answer = await ask(client, "POST", f"{path}/retry", "editor")
    assert answer == {"stored": 1, "duplicate": False}
    assert await stored(connection, sensor) == {"pressure": [(T0, 1.0)]}
    assert (await listed(client, sensor))["items"] == []
    await ask(client, "POST", f"{path}/retry", "editor", status=404)

    await poison(connection, "temperature")
    await send(client, sensor, batch(0))
    one = await one_aside(client, sensor)
    await ask(client, "DELETE", f"/api/v1/telemetry/set-aside/{one['id']}", "owner", status=204)
    assert (await listed(client, sensor))["items"] == []
    assert "temperature" not in await stored(connection, sensor)


async def test_a_repeat_that_could_be_stored_meanwhile_is_not_stored_twice(
    client, sensor, connection
) -> None:
    await poison(connection, "pressure")
    await send(client, sensor, BAD)
    await connection.execute("ALTER TABLE telemetry.series DROP CONSTRAINT poison")
    assert (await send(client, sensor, BAD))["accepted"] == 1
    one = await one_aside(client, sensor)
    answer = await ask(client, "POST", f"/api/v1/telemetry/set-aside/{one['id']}/retry", "editor")
    assert answer == {"stored": 1, "duplicate": True}
    assert await stored(connection, sensor) == {"pressure": [(T0, 1.0)]}


async def test_records_that_cannot_be_read_go_aside_and_the_rest_is_stored(
    start, sensor, connection, broker
) -> None:
    stream = Stream(url(broker[1]), most_bytes=MOST)
    good = [record_of(sensor, batch(n, batch_id=str(uuid4()))) for n in range(3)]
    newer = good[0].replace(b"RBB1", b"RBB9")
    shard = sensor.id.int % 2
    client = await start()
    records = [good[0], newer, b"nonsense", good[1], good[1][:-9], good[2]]
    assert await stream.add(shard, records) == 6
    await stream.close()

    assert len(await settled(connection, sensor, 3)) == 3
    async with asyncio.timeout(10):
        while (  # noqa: ASYNC110 - they come by themselves
            await connection.fetchval("SELECT count(*) FROM telemetry.set_aside") < 3
        ):
            await asyncio.sleep(0.05)
    rows = await connection.fetch("SELECT sensor_id, reason FROM telemetry.set_aside ORDER BY id")
    assert [row["sensor_id"] for row in rows] == [sensor.id, None, sensor.id]
    assert "RBB9" in rows[0]["reason"]
    assert len((await listed(client, sensor))["items"]) == 2


async def test_the_list_goes_page_by_page_and_is_for_members(
    client, sensor, connection, project_id
) -> None:
    other = await new_sensor(connection, project_id, "other", ("pressure",))
    await poison(connection, "pressure")
    for each in (sensor, sensor, other):
        await send(client, each, {"series": BAD["series"]})
    first = await listed(client, sensor, limit=2)
    second = await listed(client, sensor, limit=2, cursor=first["next_cursor"])
    assert [len(page["items"]) for page in (first, second)] == [2, 1]
    assert second["next_cursor"] is None
    assert len((await listed(client, sensor, sensor_id=other.id))["items"]) == 1
    path = f"/api/v1/projects/{project_id}/telemetry/set-aside"
    await ask(client, "GET", path, "outsider", status=404)
    await ask(client, "GET", f"{path}?cursor=x", status=400)

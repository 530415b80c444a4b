"""Sending readings: columns and rows, mistakes by their place, repeats, who may."""

import asyncio
import math
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from servicekit.machine_tokens import new_machine_token
from telemetry_api import T0, Sensor, column, new_sensor, new_token, send, stored


async def test_columns_are_stored_as_they_were_sent(client, sensor, connection) -> None:
    body = {
        "series": [
            column("temperature", [T0, T0 + 10, T0 + 20], [20.5, None, -0.0]),
            column("pressure", [T0 + 5], [1e300]),
        ]
    }
    answer = await send(client, sensor, body)

    assert answer == {
        "accepted": 4, "duplicate": False, "set_aside": False, "rejected": [], "rejected_count": 0,
    }  # fmt: skip
    found = await stored(connection, sensor)
    assert found["pressure"] == [(T0 + 5, 1e300)]
    (first, gap, zero) = found["temperature"]
    assert first == (T0, 20.5)
    assert gap[0] == T0 + 10
    assert math.isnan(gap[1])
    assert zero == (T0 + 20, 0.0)
    assert math.copysign(1, zero[1]) == -1


async def test_rows_are_taken_too_and_times_in_words(client, sensor, connection) -> None:
    said = datetime.fromtimestamp(T0 / 1e6, UTC).isoformat()
    rows = [
        {"signal": "temperature", "t": said, "v": 1},
        {"signal": "pressure", "t": T0 + 1, "v": 2.5},
        {"signal": "temperature", "t": T0 + 2, "v": "NaN"},
    ]
    assert (await send(client, sensor, {"readings": rows}))["accepted"] == 3

    found = await stored(connection, sensor)
    assert found["temperature"][0] == (T0, 1.0)
    assert found["pressure"] == [(T0 + 1, 2.5)]


async def test_a_reading_that_is_none_is_named_and_the_rest_is_taken(
    client, sensor, connection
) -> None:
    ahead = int((datetime.now(UTC) + timedelta(hours=25)).timestamp() * 1e6)
    body = {
        "series": [
            column(
                "temperature",
                [T0, 0, ahead, T0 + 3, "soon", T0 + 5, T0 + 6],
                [1.0, 2.0, 3.0, "Infinity", 5.0, True, 7.0],
            ),
            column("humidity", [T0, T0 + 1], [1.0, 2.0]),
        ]
    }
    answer = await send(client, sensor, body)

    assert (answer["accepted"], answer["rejected_count"]) == (2, 7)
    by_place = {(item["signal"], item["index"]): item["reason"] for item in answer["rejected"]}
    assert by_place.keys() == {
        *(("temperature", index) for index in (1, 2, 3, 4, 5)),
        ("humidity", None),
    }
    assert "1990" in by_place["temperature", 1]
    assert "ahead" in by_place["temperature", 2]
    assert "infinite" in by_place["temperature", 3]
    assert "not a time" in by_place["temperature", 4]
    assert "not a number" in by_place["temperature", 5]
    assert await stored(connection, sensor) == {"temperature": [(T0, 1.0), (T0 + 6, 7.0)]}
    errors = await connection.fetch(
        "SELECT signal, reason, count FROM telemetry.errors WHERE sensor_id = $1", sensor.id
    )
    assert sum(row["count"] for row in errors) == 7


@pytest.mark.parametrize(
    "name", [{"batch_id": str(uuid4())}, {"producer": "rig-1", "sequence": 7}], ids=str
)
async def test_a_repeat_changes_nothing(client, sensor, connection, name) -> None:
    body = {**name, "series": [column("temperature", [T0], [1.0])]}
    assert (await send(client, sensor, body))["duplicate"] is False
    assert await send(client, sensor, body) == {
        "accepted": 1, "duplicate": True, "set_aside": False, "rejected": [], "rejected_count": 0,
    }  # fmt: skip
    assert await stored(connection, sensor) == {"temperature": [(T0, 1.0)]}
    heard = "SELECT readings FROM telemetry.sensor_activity WHERE sensor_id = $1"
    assert await connection.fetchval(heard, sensor.id) == 1


async def test_the_same_name_of_another_sensor_is_another_batch(
    client, sensor, connection, project_id
) -> None:
    other = await new_sensor(connection, project_id, "thermo-2", ("temperature",))
    body = {"producer": "p", "sequence": 0, "series": [column("temperature", [T0], [1.0])]}
    for each in (sensor, other):
        assert (await send(client, each, body))["duplicate"] is False
    assert await stored(connection, other) == {"temperature": [(T0, 1.0)]}


async def test_fifty_that_send_at_once_lose_and_double_nothing(client, sensor, connection) -> None:
    bodies = [
        {"producer": "p", "sequence": n, "series": [column("temperature", [T0 + n], [float(n)])]}
        for n in range(50)
    ]
    answers = await asyncio.gather(*(send(client, sensor, body) for body in [*bodies, *bodies]))
    assert sum(not answer["duplicate"] for answer in answers) == 50
    found = await stored(connection, sensor)
    assert found["temperature"] == [(T0 + n, float(n)) for n in range(50)]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#"),
        ([], "#"),
        ({"series": [], "readings": []}, "#"),
        ({"series": [], "more": 1}, "#/more"),
        ({"series": {}}, "#/series"),
        ({"series": [1]}, "#/series/0"),
        ({"series": [{"signal": "temperature", "t": [1]}]}, "#/series/0"),
        ({"series": [column("temperature", [T0], [1, 2])]}, "#/series/0"),
        ({"series": [column("", [T0], [1])]}, "#/series/0/signal"),
        ({"series": [{"signal": "temperature", "t": "x", "v": []}]}, "#/series/0/t"),
        ({"series": [column("temperature", [T0] * 10_001, [1] * 10_001)]}, "#/series/0/t"),
        (
            {"series": [column(f"s{n}", [T0] * 9000, [1] * 9000) for n in range(6)]},
            "#/series",
        ),
        ({"readings": [{"signal": "temperature", "t": T0}]}, "#/readings/0"),
        ({"readings": [{"signal": [], "t": T0, "v": 1}]}, "#/readings/0/signal"),
        ({"batch_id": "x", "series": []}, "#/batch_id"),
        ({"batch_id": 1, "series": []}, "#/batch_id"),
        ({"producer": "p", "series": []}, "#/sequence"),
        ({"sequence": 1, "series": []}, "#/producer"),
        ({"producer": "p", "sequence": -1, "series": []}, "#/sequence"),
        ({"producer": "p", "sequence": True, "series": []}, "#/sequence"),
    ],
)
async def test_a_form_that_is_wrong_is_refused_whole_and_named(
    client, sensor, connection, body, pointer
) -> None:
    answer = await send(client, sensor, body, status=422)
    assert [error["pointer"] for error in answer["errors"]] == [pointer]
    assert await stored(connection, sensor) == {}


async def test_what_is_no_json_is_refused(client, sensor) -> None:
    for data, kind, status in (
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"{}", "text/plain", 415),
    ):
        headers = {**sensor.headers, "Content-Type": kind}
        async with client.post("/api/v1/telemetry", data=data, headers=headers) as response:
            assert response.status == status, data[:10]
    headers = {**sensor.headers, "Content-Type": "application/json"}
    large = b" " * ((16 << 20) + 1)
    async with client.post("/api/v1/telemetry", data=large, headers=headers) as response:
        assert response.status == 413


async def test_only_a_sensor_may_send(client, sensor, connection) -> None:
    body = {"series": [column("temperature", [T0], [1.0])]}
    tokens = {
        "": 401,
        "rb_sensor_nonsense": 401,
        new_machine_token("sensor").text: 401,
        sensor.token[:-1] + ("0" if sensor.token[-1] != "0" else "1"): 401,
        "editor": 403,
        "owner": 403,
    }
    for token, status in tokens.items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with client.post("/api/v1/telemetry", json=body, headers=headers) as response:
            assert response.status == status, token[:10]
    assert await stored(connection, sensor) == {}


async def test_a_token_that_is_revoked_or_over_is_refused_within_seconds(
    start_app, sensor, connection
) -> None:
    client = await start_app()
    body = {"series": [column("temperature", [T0], [1.0])]}
    soon = datetime.now(UTC) + timedelta(seconds=1)
    token = await new_token(connection, sensor.id, sensor.project_id, expires_at=soon)
    brief = Sensor(sensor.id, sensor.project_id, token)
    for each in (sensor, brief):
        await send(client, each, body)
    await connection.execute(
        "UPDATE experiment.sensor_tokens SET revoked_at = now() WHERE sensor_id = $1", sensor.id
    )
    async with asyncio.timeout(6):
        for each in (sensor, brief):
            while True:
                async with client.post(
                    "/api/v1/telemetry", json=body, headers=each.headers
                ) as response:
                    if response.status == 401:
                        break
                await asyncio.sleep(0.2)


async def test_a_sensor_that_was_decommissioned_sends_no_more(client, sensor, connection) -> None:
    await connection.execute(
        """
        UPDATE experiment.sensors SET status = 'decommissioned', decommissioned_at = now()
        WHERE id = $1
        """,
        sensor.id,
    )
    body = {"series": [column("temperature", [T0], [1.0])]}
    await send(client, sensor, body, status=401)


async def test_activity_and_heartbeats_count_what_came(client, sensor, connection) -> None:
    now = int(datetime.now(UTC).timestamp() * 1e6)
    for n in range(3):
        body = {"series": [column("temperature", [now - 1_000_000, now + n], [1.0, 2.0])]}
        await send(client, sensor, body)
    heard = await connection.fetchrow(
        "SELECT * FROM telemetry.sensor_activity WHERE sensor_id = $1", sensor.id
    )
    assert heard["readings"] == 6
    assert heard["last_reading_at"] == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        microseconds=now + 2
    )
    assert datetime.now(UTC) - heard["last_received_at"] < timedelta(seconds=10)
    beats = await connection.fetch(
        "SELECT * FROM telemetry.heartbeats WHERE sensor_id = $1", sensor.id
    )
    assert sum(row["readings"] for row in beats) == 6
    assert sum(row["batches"] for row in beats) == 3
    assert max(row["max_latency_us"] for row in beats) >= 1_000_000


async def test_heartbeats_of_long_ago_are_forgotten(start_app, sensor, connection) -> None:
    for days in (1, 89, 91, 400):
        await connection.execute(
            """
            INSERT INTO telemetry.heartbeats
            VALUES ($1, date_trunc('minute', now() - make_interval(days => $2)), 1, 1, 0)
            """,
            sensor.id, days,
        )  # fmt: skip
    await start_app()
    async with asyncio.timeout(10):
        while True:
            if await connection.fetchval("SELECT count(*) FROM telemetry.heartbeats") == 2:
                break
            await asyncio.sleep(0.05)

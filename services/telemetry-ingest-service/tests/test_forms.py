"""The other forms of readings: packed, compressed, over a WebSocket; and their limits."""

import gzip
import json
import math
import struct
import sys
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from telemetry_api import T0, column, new_token, send, stored

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKED = "application/x-runbench-readings"


def packed(producer: str, sequence: int, series: dict[str, tuple[list[int], list[float]]]) -> bytes:
    name = producer.encode()
    parts = [struct.pack("<4sIQHH", b"RBR1", len(series), sequence, len(name), 0), name]
    for signal, (t, v) in series.items():
        key = signal.encode()
        parts += [struct.pack("<HHI", len(key), 0, len(t)), key]
        parts += [struct.pack(f"<{len(t)}q", *t), struct.pack(f"<{len(v)}d", *v)]
    return b"".join(parts)


async def post(client, sensor, data: bytes, kind: str = PACKED, **headers: str):
    headers = {**sensor.headers, "Content-Type": kind, **headers}
    async with client.post("/api/v1/telemetry", data=data, headers=headers) as response:
        return response.status, await response.json()


async def test_packed_readings_are_stored_bit_for_bit_and_once(client, sensor, connection) -> None:
    values = [0.1, math.nan, -0.0, 5e-324]
    body = packed(
        "rig ä",
        2**63 - 1,
        {"temperature": ([T0 + n for n in range(4)], values), "pressure": ([T0], [1.5])},
    )
    first, again = await post(client, sensor, body), await post(client, sensor, body)

    said = {"accepted": 5, "duplicate": False, "set_aside": False}
    assert first == (200, said | {"rejected": [], "rejected_count": 0})
    assert again[1]["duplicate"]
    found = await stored(connection, sensor)
    assert [struct.pack("<d", v) for _, v in found["temperature"]] == [
        struct.pack("<d", v) for v in values
    ]
    assert found["pressure"] == [(T0, 1.5)]


async def test_the_same_sequence_in_json_and_packed_is_the_same_batch(client, sensor) -> None:
    said = {"producer": "p", "sequence": 0, "series": [column("temperature", [T0], [1.0])]}
    await send(client, sensor, said)
    _, answer = await post(client, sensor, packed("p", 0, {"temperature": ([T0], [1.0])}))
    assert answer["duplicate"]


async def test_a_packed_reading_that_is_none_is_named_and_the_rest_is_taken(client, sensor) -> None:
    columns = ([T0, 0, T0 + 2, 2**63 - 1], [1.0, 2.0, math.inf, 4.0])
    _, answer = await post(
        client, sensor, packed("", 0, {"temperature": columns, "no": ([T0], [1])})
    )
    assert (answer["accepted"], answer["rejected_count"]) == (1, 4)
    assert {(item["signal"], item["index"]) for item in answer["rejected"]} == {
        ("temperature", 1),
        ("temperature", 2),
        ("temperature", 3),
        ("no", None),
    }


async def test_packed_bytes_cut_or_changed_anywhere_are_refused_and_nothing_is_stored(
    client, sensor, connection
) -> None:
    body = packed("p", 1, {"temperature": ([T0, T0 + 1], [1.0, 2.0])})
    for end in range(len(body)):
        assert (await post(client, sensor, body[:end]))[0] == 400, end
    head = struct.Struct("<4sIQHH")
    wrong = [
        body + b"\0",
        b"RBR2" + body[4:],
        head.pack(b"RBR1", 1, 1, 1, 7) + body[20:],
        head.pack(b"RBR1", 0, 5, 0, 0),
        packed("p", 1, {"": ([T0], [1.0])}),
        packed("p", 1, {"a\0b": ([T0], [1.0])}),
        body.replace(b"temperature", b"temper\xff\xfeure"),
    ]
    for data in wrong:
        assert (await post(client, sensor, data))[0] == 400, data[:40]
    for data in (
        head.pack(b"RBR1", 1001, 0, 0, 0),
        packed("p", 1, {"temperature": ([T0] * 10_001, [1.0] * 10_001)}),
        packed("p", 1, {f"s{n}": ([T0] * 10_000, [1.0] * 10_000) for n in range(6)}),
        packed("p", 2**63, {"temperature": ([T0], [1.0])}),
    ):
        assert (await post(client, sensor, data))[0] == 422
    assert await stored(connection, sensor) == {}


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
async def test_bodies_may_be_compressed_and_are_bounded_unpacked(
    client, sensor, connection, name, pack
) -> None:
    body = json.dumps({"series": [column("temperature", [T0], [1.0])]}).encode()
    encoding = {"Content-Encoding": name}
    status, _ = await post(client, sensor, pack(body), "application/json", **encoding)
    assert status == 200
    status, _ = await post(
        client, sensor, pack(packed("", 0, {"pressure": ([T0], [2.0])})), **encoding
    )
    assert status == 200
    assert await stored(connection, sensor) == {"temperature": [(T0, 1.0)], "pressure": [(T0, 2.0)]}

    bomb = pack(b" " * (64 << 20))
    assert (await post(client, sensor, bomb, "application/json", **encoding))[0] == 413
    broken = pack(body)[:-9] + b"\0" * 9
    assert (await post(client, sensor, broken, "application/json", **encoding))[0] == 400


async def test_a_socket_takes_both_forms_and_acknowledges_what_is_stored(
    client, sensor, connection
) -> None:
    async with client.ws_connect("/api/v1/telemetry/socket", headers=sensor.headers) as socket:
        await socket.send_bytes(packed("p", 41, {"temperature": ([T0], [1.0])}))
        assert await socket.receive_json() == {
            "ack": 41, "accepted": 1, "duplicate": False, "set_aside": False,
            "rejected": [], "rejected_count": 0,
        }  # fmt: skip
        await socket.send_json({"series": [column("temperature", [T0 + 1, 0], [2.0, 3.0])]})
        answer = await socket.receive_json()
        assert (answer["ack"], answer["accepted"], answer["rejected_count"]) == (2, 1, 1)
        await socket.send_str("{")
        answer = await socket.receive_json()
        assert (answer["sequence"], answer["error"]["status"]) == (3, 400)
        await socket.send_bytes(packed("p", 41, {"temperature": ([T0], [1.0])}))
        assert (await socket.receive_json())["duplicate"]
    assert await stored(connection, sensor) == {"temperature": [(T0, 1.0), (T0 + 1, 2.0)]}


async def test_many_frames_at_once_are_all_acknowledged(client, sensor, connection) -> None:
    async with client.ws_connect("/api/v1/telemetry/socket", headers=sensor.headers) as socket:
        for n in range(200):
            await socket.send_bytes(packed("p", n, {"temperature": ([T0 + n], [float(n)])}))
        acks = {(await socket.receive_json(timeout=20))["ack"] for _ in range(200)}
    assert acks == set(range(200))
    assert len((await stored(connection, sensor))["temperature"]) == 200


async def test_a_token_that_ends_closes_its_socket(client, sensor, connection) -> None:
    async with client.ws_connect("/api/v1/telemetry/socket", headers=sensor.headers) as socket:
        await connection.execute(
            "UPDATE experiment.sensor_tokens SET revoked_at = now() WHERE sensor_id = $1", sensor.id
        )
        said = {}
        while "error" not in said:
            await socket.send_bytes(packed("", 0, {"temperature": ([T0], [1.0])}))
            said = await socket.receive_json(timeout=6)
        assert said["error"]["status"] == 401
        await socket.receive(timeout=6)
        assert socket.close_code == 1008


async def test_a_socket_is_for_sensors_alone(client) -> None:
    for token, status in (("", 401), ("owner", 403)):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with client.get("/api/v1/telemetry/socket", headers=headers) as response:
            assert response.status == status


async def test_a_sensor_that_sends_too_much_is_told_when_to_come_again(
    start_app, sensor, connection
) -> None:
    client = await start_app(sensor_readings_per_sec="1000")
    columns = [column("temperature", range(T0, T0 + 10_000), [1.0] * 10_000)]
    statuses = []
    for _ in range(12):
        async with client.post(
            "/api/v1/telemetry", json={"series": columns}, headers=sensor.headers
        ) as response:
            statuses.append(response.status)
            wait = response.headers.get("Retry-After")
    # Alone, without Valkey, a process lets in a quarter of the rate.
    assert statuses[:5] == [200] * 5
    assert statuses[5:] == [429] * 7
    assert wait
    assert int(wait) >= 10
    assert len((await stored(connection, sensor))["temperature"]) == 50_000


async def test_a_wrong_token_is_refused_however_much_its_sensor_has_sent(
    start_app, sensor, connection
) -> None:
    client = await start_app(sensor_readings_per_sec="1")
    columns = [column("temperature", range(T0, T0 + 10_000), [1.0] * 10_000)]
    forged = sensor.token[:-50] + ("0" if sensor.token[-50] != "0" else "1") + sensor.token[-49:]
    for _ in range(20):
        async with client.post(
            "/api/v1/telemetry",
            json={"series": columns},
            headers={"Authorization": f"Bearer {forged}"},
        ) as response:
            assert response.status == 401
    await send(client, sensor, {"series": columns})


async def test_members_see_what_was_refused_and_when_a_sensor_sent(
    client, sensor, connection
) -> None:
    for n in range(3):
        said = [column("temperature", [T0, 0], [1.0, 2.0]), column(f"wrong {n}", [T0], [1.0])]
        await send(client, sensor, {"series": said})
    at = f"/api/v1/sensors/{sensor.id}"
    viewer = {"Authorization": "Bearer viewer"}
    async with client.get(f"{at}/errors", headers=viewer) as response:
        assert response.status == 200
        items = (await response.json())["items"]
    assert sum(item["count"] for item in items if item["signal"] == "temperature") == 3
    assert {item["signal"] for item in items} == {"temperature", "wrong 0", "wrong 1", "wrong 2"}
    async with client.get(f"{at}/heartbeats", headers=viewer) as response:
        beats = (await response.json())["items"]
    assert sum(beat["readings"] for beat in beats) == 3
    since = datetime.fromtimestamp(T0 / 1e6, UTC).isoformat().replace("+00:00", "Z")
    async with client.get(
        f"{at}/heartbeats", params={"from": since, "to": since}, headers=viewer
    ) as response:
        assert (await response.json())["items"] == []
    # There is no hour before the first one of the calendar.
    first = {"to": "0001-01-01T00:00:00Z"}
    async with client.get(f"{at}/heartbeats", params=first, headers=viewer) as response:
        assert (await response.json())["items"] == []
    outsider = {"Authorization": "Bearer outsider"}
    for path in (f"{at}/errors", f"{at}/heartbeats", f"/api/v1/sensors/{uuid4()}/errors"):
        async with client.get(path, headers=outsider) as response:
            assert response.status == 404
        async with client.get(path, headers=sensor.headers) as response:
            assert response.status in {403, 404}


async def test_errors_are_kept_to_the_last_of_each_sensor(client, sensor, connection) -> None:
    await connection.execute(
        """
        INSERT INTO telemetry.errors (sensor_id, minute, signal, reason, count, example, last_at)
        SELECT $1, timestamptz '2026-01-01' + n * interval '1 minute', 's', 'r', 1, '', now()
        FROM generate_series(1, 300) AS n
        """,
        sensor.id,
    )
    await send(client, sensor, {"series": [column("temperature", [0], [1.0])]})
    rows = await connection.fetch(
        "SELECT minute, signal FROM telemetry.errors WHERE sensor_id = $1 ORDER BY 1", sensor.id
    )
    assert len(rows) == 200
    assert rows[-1]["signal"] == "temperature"


async def test_a_socket_of_a_rotated_token_in_grace_goes_on(client, sensor, connection) -> None:
    soon = datetime(2100, 1, 1, tzinfo=UTC)
    token = await new_token(connection, sensor.id, sensor.project_id, expires_at=soon)
    headers = {"Authorization": f"Bearer {token}"}
    async with client.ws_connect("/api/v1/telemetry/socket", headers=headers) as socket:
        await socket.send_bytes(packed("", 0, {"temperature": ([T0], [1.0])}))
        assert (await socket.receive_json())["accepted"] == 1

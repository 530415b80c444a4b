"""Files of readings recorded offline: what is taken, refused by row, or no such file at all."""

import asyncio
import io
import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from aiohttp.test_utils import TestClient
from pyarrow import parquet
from servicekit.database import Connection
from telemetry_api import T0, Sensor, column, new_sensor, send, stored

CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"


async def bring(
    client: TestClient,
    sensor: Sensor,
    content: bytes | str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **query: str,
) -> dict[str, Any]:
    """Import a file with the sensor's own token; the answer."""
    raw = content.encode() if isinstance(content, str) else content
    async with client.post(
        "/api/v1/telemetry/imports",
        data=raw,
        params=query,
        headers={"Content-Type": CSV, **sensor.headers, **(headers or {})},
    ) as response:
        answer = await response.json()
        assert response.status == status, answer
        return answer


def packed(**columns: Any) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file)
    return file.getvalue()


async def test_a_wide_file_has_a_column_for_each_signal(
    client: TestClient, connection: Connection, sensor: Sensor
) -> None:
    rows = "\n".join(f"{T0 + i},{20 + i},{i / 8}" for i in range(1000))

    answer = await bring(client, sensor, f"t,temperature,pressure\n{rows}\n")

    assert answer == {
        "sensor_id": str(sensor.id),
        "rows": 1000,
        "accepted": 2000,
        "duplicates": 0,
        "signals": ["pressure", "temperature"],
        "ignored": [],
        "rejected": [],
        "rejected_count": 0,
        "set_aside": 0,
    }
    assert await stored(connection, sensor) == {
        "temperature": [(T0 + i, 20.0 + i) for i in range(1000)],
        "pressure": [(T0 + i, i / 8) for i in range(1000)],
    }


@pytest.mark.parametrize(
    ("times", "unit"),
    [
        (["1700000000", "1700000001"], "auto"),
        (["1700000000.0", "1700000001.000000"], "auto"),
        (["1700000000000", "1700000001000"], "auto"),
        (["1700000000000000", "1700000001000000"], "auto"),
        (["1700000000000000000", "1700000001000000000"], "auto"),
        (["2023-11-14T22:13:20Z", "2023-11-14T22:13:21Z"], "auto"),
        (["2023-11-15T01:13:20+03:00", "2023-11-14T22:13:21.000000+00:00"], "auto"),
        (["1700000000", "1700000001"], "s"),
    ],
)
async def test_times_come_in_every_usual_unit(
    client: TestClient, connection: Connection, sensor: Sensor, times: list[str], unit: str
) -> None:
    text = "time,temperature\n" + "".join(f"{time},1\n" for time in times)

    await bring(client, sensor, text, time_unit=unit)

    assert await stored(connection, sensor) == {"temperature": [(T0, 1.0), (T0 + 1_000_000, 1.0)]}


async def test_what_cannot_be_taken_is_named_by_its_row_and_the_rest_is_stored(
    client: TestClient, connection: Connection, sensor: Sensor
) -> None:
    cells = [
        (str(T0), "1"),
        ("yesterday", "2"),
        (str(T0 + 2), "warm"),
        (str(T0 + 3), "inf"),
        ("1000", "4"),
        (str(T0 + 5), ""),
        (str(T0 + 6), "NaN"),
        ("", "7"),
        (str(T0 + 8), "8"),
        ("99999999999999999999", "9"),
    ]
    text = "t,temperature\n" + "".join(f"{t},{v}\n" for t, v in cells)

    answer = await bring(client, sensor, text)

    assert answer["accepted"] == 4
    assert answer["rejected_count"] == 6
    assert {(each["index"], each["reason"]) for each in answer["rejected"]} == {
        (1, "not a time: microseconds since 1970, or RFC 3339"),
        (2, "not a number"),
        (3, "infinite"),
        (4, "before 1990; times are microseconds since 1970"),
        (7, "not a time: microseconds since 1970, or RFC 3339"),
        (9, "not a time: microseconds since 1970, or RFC 3339"),
    }
    found = (await stored(connection, sensor))["temperature"]
    assert [t for t, _ in found] == [T0, T0 + 5, T0 + 6, T0 + 8]
    assert [v for _, v in found if not math.isnan(v)] == [1.0, 8.0]


async def test_pieces_that_cannot_be_stored_are_kept_and_said(
    client: TestClient, connection: Connection, sensor: Sensor
) -> None:
    await connection.execute(
        "ALTER TABLE telemetry.series ADD CONSTRAINT poison CHECK (key <> 'pressure') NOT VALID"
    )

    answer = await bring(client, sensor, f"t,pressure\n{T0},1\n{T0 + 1},2\n")

    assert (answer["accepted"], answer["set_aside"]) == (0, 2)
    kept = await connection.fetch("SELECT readings, reason FROM telemetry.set_aside")
    assert [row["readings"] for row in kept] == [2]
    assert "CheckViolationError" in kept[0]["reason"]


async def test_the_same_file_again_changes_nothing_and_says_so(
    client: TestClient, connection: Connection, sensor: Sensor
) -> None:
    text = "t,temperature\n" + "".join(f"{T0 + i},{i}\n" for i in range(90_000))

    first = await bring(client, sensor, text)
    before = await stored(connection, sensor)
    again = await bring(client, sensor, text)

    assert (first["accepted"], first["duplicates"]) == (90_000, 0)
    assert (again["accepted"], again["duplicates"]) == (90_000, 90_000)
    assert await stored(connection, sensor) == before
    assert len(before["temperature"]) == 90_000


@pytest.mark.parametrize("form", ["parquet", "csv"])
async def test_what_was_exported_is_imported_as_it_was(
    client: TestClient,
    connection: Connection,
    sensor: Sensor,
    form: str,
) -> None:
    values = [1.5, math.nan, -0.0, 1e-300, 0.1 + 0.2]
    times = [T0 + i for i in range(len(values))]
    body = [column("temperature", times, values), column("pressure", times, [None, *values[1:]])]
    body[0]["v"][1] = None
    body[1]["v"][1] = None
    await send(client, sensor, {"series": body})
    async with client.get(
        "/api/v1/telemetry/export",
        params={"sensor_id": str(sensor.id), "format": form},
        headers={"Authorization": "Bearer viewer"},
    ) as response:
        assert response.status == 200
        file = await response.read()
    other = await new_sensor(connection, sensor.project_id, "again", ("temperature", "pressure"))

    answer = await bring(client, other, file)

    assert answer["rejected_count"] == 0
    for signal, readings in (await stored(connection, sensor)).items():
        found = (await stored(connection, other))[signal]
        np.testing.assert_array_equal(np.array(readings), np.array(found))


async def test_an_editor_imports_for_a_sensor_and_nobody_below(
    client: TestClient, connection: Connection, sensor: Sensor
) -> None:
    path = f"/api/v1/sensors/{sensor.id}/imports"
    text = f"t,temperature\n{T0},1\n"
    expected = {"editor": 200, "owner": 200, "viewer": 403, "outsider": 404}
    for name, status in expected.items():
        headers = {"Content-Type": CSV, "Authorization": f"Bearer {name}"}
        async with client.post(path, data=text, headers=headers) as response:
            assert response.status == status, name
    async with client.post(path, data=text, headers=sensor.headers) as response:
        assert response.status == 403
    async with client.post(path, data=text) as response:
        assert response.status == 401
    assert await stored(connection, sensor) == {"temperature": [(T0, 1.0)]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "cannot be read"),
        (b"t,temperature", "cannot be read"),
        (b"when,temperature\n1,2\n", "no column of times"),
        (b"t,wind\n1,2\n", "no such signals: wind"),
        (b"t\n1\n", "No column is a signal"),
        (b"t,temperature,temperature\n1,2,3\n", "there twice: temperature"),
        (b"t,signal\n1,temperature\n", "no column of raw values"),
        (b"t,temperature\n1700000000,1\n1700000001,2,3\n", "cannot be read"),
        (b"t,temperature\n\xff\xfe,1\n", "cannot be read"),
        (b"t,temperature\n12,1\n", "no time since 1970"),
        (b"PAR1 and nothing of it", "cannot be read"),
        (b"t," + b",".join(b"s%d" % i for i in range(5000)) + b"\n", "at most 1100 columns"),
        (b"t,temperature\n1700000000," + b"9" * (3 << 20) + b"\n", "cannot be read"),
        (b"sensor_id,t,signal,v\na,1700000000,x,1\nb,1700000000,x,1\n", "several sensors"),
    ],
)
async def test_what_is_no_file_of_readings_is_refused_in_words(
    client: TestClient, connection: Connection, sensor: Sensor, content: bytes, says: str
) -> None:
    answer = await bring(client, sensor, content, status=422)

    assert says in answer["detail"]
    assert await stored(connection, sensor) == {}


async def test_columns_that_are_no_signals_are_left_out_when_that_is_asked(
    client: TestClient, connection: Connection, sensor: Sensor
) -> None:
    text = f"t,temperature,wind\n{T0},1,2\n"

    answer = await bring(client, sensor, text, ignore_unknown="true")

    assert answer["ignored"] == ["wind"]
    assert await stored(connection, sensor) == {"temperature": [(T0, 1.0)]}


async def test_parquet_of_every_kind_of_number_is_read(
    client: TestClient, connection: Connection, sensor: Sensor
) -> None:
    moments = [datetime(2023, 11, 14, 22, 13, 20, 5, tzinfo=UTC), None]
    file = packed(
        timestamp=pa.array(moments, pa.timestamp("ns", tz="UTC")),
        temperature=pa.array([7, 8], pa.int16()),
        pressure=pa.array([True, None], pa.bool_()),
    )

    answer = await bring(client, sensor, file)

    assert answer["rejected_count"] == 2
    assert await stored(connection, sensor) == {
        "temperature": [(T0 + 5, 7.0)],
        "pressure": [(T0 + 5, 1.0)],
    }


async def test_lists_and_structures_are_refused(client: TestClient, sensor: Sensor) -> None:
    file = packed(t=[T0], temperature=pa.array([[1.0, 2.0]]))

    answer = await bring(client, sensor, file, status=422)

    assert "lists or structures" in answer["detail"]


async def test_a_file_of_few_bytes_and_endless_rows_is_refused(
    client: TestClient, sensor: Sensor
) -> None:
    file = io.BytesIO()
    rows = pa.table({"t": pa.array(np.full(5_000_000, T0)), "temperature": np.zeros(5_000_000)})
    with parquet.ParquetWriter(file, rows.schema, compression="zstd") as writer:
        for _ in range(11):
            writer.write_table(rows)
    assert len(file.getvalue()) < 1 << 20

    answer = await bring(client, sensor, file.getvalue(), status=422)

    assert "at most 50000000 rows" in answer["detail"]


async def test_too_large_a_file_is_refused_unread(client: TestClient, sensor: Sensor) -> None:
    headers = sensor.headers | {"Content-Type": CSV, "Content-Length": str((256 << 20) + 1)}
    async with client.post("/api/v1/telemetry/imports", headers=headers) as response:
        assert response.status == 413


async def test_an_upload_that_breaks_off_stores_nothing(
    client: TestClient, connection: Connection, sensor: Sensor
) -> None:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    head = (
        "POST /api/v1/telemetry/imports HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
        f"Content-Length: 1000\r\nAuthorization: {sensor.headers['Authorization']}\r\n\r\n"
        f"t,temperature\n{T0},1\n"
    )
    writer.write(head.encode())
    await writer.drain()
    writer.close()
    await reader.read()
    await asyncio.sleep(0.3)

    assert await stored(connection, sensor) == {}


async def test_a_sensor_that_is_decommissioned_gets_no_more(
    client: TestClient, connection: Connection, sensor: Sensor
) -> None:
    await connection.execute(
        "UPDATE experiment.sensors SET status = 'decommissioned', decommissioned_at = now()"
        " WHERE id = $1",
        sensor.id,
    )
    text = f"t,temperature\n{T0},1\n"
    await bring(client, sensor, text, status=401)  # its tokens went with it
    headers = {"Content-Type": CSV, "Authorization": "Bearer editor"}
    path = f"/api/v1/sensors/{sensor.id}/imports"
    async with client.post(path, data=text, headers=headers) as response:
        assert response.status == 409
        assert (await response.json())["type"].endswith("sensor-decommissioned")


async def test_unknown_settings_are_refused(client: TestClient, sensor: Sensor) -> None:
    await bring(client, sensor, "t,temperature\n", status=422, time_unit="weeks")
    await bring(client, sensor, "t,temperature\n", status=422, other="1")

"""Reading: pictures, converted values, the newest readings, capture sessions, files."""

import io
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from telemetry_api import T0, column, new_sensor, send, share

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us)


async def get(client, path: str, *, as_: str = "viewer", status: int = 200, **params: Any) -> Any:
    headers = {"Authorization": f"Bearer {as_}"}
    given = [
        (name.rstrip("_"), str(value))
        for name, values in params.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    async with client.get(f"/api/v1/{path}", params=given, headers=headers) as response:
        if response.content_type != "application/json" and response.status == 200:
            return await response.read()
        answer = await response.json()
        assert response.status == status, answer
        return answer


async def new_profile(
    connection, sensor, signal: str, kind: str, parameters: object, *, from_: int, to: int | None
) -> UUID:
    """A published profile, as experiment-service stores it."""
    profile_id = uuid4()
    taken = await connection.fetchval(
        "SELECT count(*) FROM experiment.conversion_profiles WHERE sensor_id = $1", sensor.id
    )
    await connection.execute(
        """
        INSERT INTO experiment.conversion_profiles
            (id, sensor_id, project_id, signal, version, kind, parameters, unit, created_by,
             created_at, published_by, published_at, valid_from, valid_to)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'K', $8, now(), $8, now(), $9, $10)
        """,
        profile_id, sensor.id, sensor.project_id, signal, taken + 1, kind, json.dumps(parameters),
        uuid4(), moment(from_), None if to is None else moment(to),
    )  # fmt: skip
    return profile_id


async def new_session(connection, sensor, start: int, stop: int | None) -> UUID:
    """A capture session of the sensor in a run of its project."""
    experiment, run, session, person = uuid4(), uuid4(), uuid4(), uuid4()
    now = datetime.now(UTC)
    await connection.execute(
        """
        INSERT INTO experiment.experiments
            (id, project_id, name, name_key, created_by, created_at, updated_at, status_changed_at)
        VALUES ($1, $2, $3, $3, $4, $5, $5, $5)
        """,
        experiment, sensor.project_id, str(experiment), person, now,
    )  # fmt: skip
    await connection.execute(
        """
        INSERT INTO experiment.runs
            (id, project_id, experiment_id, name, name_key, status, status_changed_at, change,
             created_by, created_at, updated_at)
        VALUES ($1, $2, $3, 'r', 'r', 'running', $5, 1, $4, $5, $5)
        """,
        run, sensor.project_id, experiment, person, now,
    )  # fmt: skip
    await connection.execute(
        """
        INSERT INTO experiment.capture_sessions
            (id, project_id, run_id, ordinal, name, status, started_by, started_at, stopped_at,
             stop_reason)
        VALUES ($1, $2, $3, 1, 's', CASE WHEN $6::timestamptz IS NULL THEN 'running'
                ELSE 'stopped' END, $4, $5, $6,
                CASE WHEN $6::timestamptz IS NOT NULL THEN 'person' END)
        """,
        session, sensor.project_id, run, person, moment(start),
        None if stop is None else moment(stop),
    )  # fmt: skip
    await connection.execute(
        """
        INSERT INTO experiment.capture_session_sensors
            (capture_session_id, project_id, sensor_id, place)
        VALUES ($1, $2, $3, 0)
        """,
        session, sensor.project_id, sensor.id,
    )  # fmt: skip
    return session


async def test_readings_come_back_as_they_were_sent(client, sensor) -> None:
    t = [T0 + n * 1000 for n in range(100)]
    await send(client, sensor, {"series": [column("temperature", t, [*range(99), None])]})

    answer = await get(client, "telemetry/series", sensor_id=sensor.id, from_=T0 + 1000, to=t[-1])

    by_signal = {one["signal"]: one for one in answer["series"]}
    assert by_signal.keys() == {"temperature", "pressure"}
    found = by_signal["temperature"]
    assert found["t"] == t[1:]
    assert found["raw"] == [*map(float, range(1, 99)), None]
    assert (found["count"], found["exact"], found["ordinal"]) == (99, True, 1)
    assert found["physical"] is None
    assert by_signal["pressure"]["t"] == []


async def test_a_picture_keeps_spikes_and_says_how_many_there_are(client, sensor) -> None:
    values = np.zeros(9000)
    values[4321] = 77.0
    t = [T0 + n * 1000 for n in range(9000)]
    await send(client, sensor, {"series": [column("temperature", t, values.tolist())]})

    answer = await get(
        client, "telemetry/series", sensor_id=sensor.id, signal="temperature", points=100
    )

    (found,) = answer["series"]
    assert len(found["t"]) <= 100
    assert max(found["raw"]) == 77.0
    assert (found["count"], found["exact"]) == (9000, False)


async def test_more_points_than_an_answer_holds_are_refused(client, connection, project_id) -> None:
    many = await new_sensor(connection, project_id, "many", [f"s{n}" for n in range(101)])
    body = [column(f"s{n}", [T0], [0.0]) for n in range(101)]
    await send(client, many, {"series": body})
    answer = await get(client, "telemetry/series", sensor_id=many.id, points=10_000, status=422)
    assert "1,000,000 points" in answer["errors"][0]["detail"]
    answer = await get(client, "telemetry/series", sensor_id=many.id, points=9_000)
    assert len(answer["series"]) == 101


async def test_each_reading_is_converted_by_the_profile_of_its_time(
    client, sensor, connection
) -> None:
    line = await new_profile(
        connection, sensor, "temperature", "linear", {"a": 2, "b": 1}, from_=T0 + 10, to=T0 + 20
    )
    table = await new_profile(
        connection, sensor, "temperature", "lookup_table",
        {"table": [[0, 0], [1, 100]], "clamped": False}, from_=T0 + 20, to=None,
    )  # fmt: skip
    t = [T0, T0 + 10, T0 + 19, T0 + 20, T0 + 21, T0 + 22]
    values = [1.0, 2.0, 3.0, 0.5, 7.0, None]
    await send(client, sensor, {"series": [column("temperature", t, values)]})

    answer = await get(
        client, "telemetry/series",
        sensor_id=sensor.id, signal="temperature", values="both",
    )  # fmt: skip

    (found,) = answer["series"]
    assert found["raw"] == values
    assert found["physical"] == [None, 5.0, 7.0, 50.0, None, None]
    assert found["unconverted"] == {"no_profile": 1, "out_of_table": 1, "not_a_number": 1}
    assert found["unconverted_at"] == {"no_profile": [0], "out_of_table": [4], "not_a_number": [5]}
    assert found["profile_ids"] == [str(line), str(table)]
    assert found["unit"] == "K"
    assert found["late"] is None

    answer = await get(
        client, "telemetry/series",
        sensor_id=sensor.id, signal="temperature", values="physical", from_=T0 + 20,
    )  # fmt: skip
    assert answer["series"][0]["profile_ids"] == [str(table)]


async def test_a_profile_that_bends_keeps_the_extremes_of_what_is_shown(
    client, sensor, connection
) -> None:
    """A parabola has its peak where the raw value is neither least nor greatest."""
    await new_profile(
        connection, sensor, "temperature", "polynomial", {"coefficients": [100, 0, -1]},
        from_=T0 - 10, to=None,
    )  # fmt: skip
    raw = np.full(9000, 50.0)
    raw[::2] = -50.0
    raw[5000] = 0.0
    t = [T0 + n * 1000 for n in range(9000)]
    await send(client, sensor, {"series": [column("temperature", t, raw.tolist())]})

    answer = await get(
        client, "telemetry/series",
        sensor_id=sensor.id, signal="temperature", values="physical", points=50,
    )  # fmt: skip

    (found,) = answer["series"]
    assert len(found["t"]) <= 50
    assert max(found["physical"]) == 100.0
    assert found["count"] == 9000


async def test_the_newest_reading_is_that_of_the_latest_time(client, sensor, connection) -> None:
    await new_profile(
        connection, sensor, "temperature", "linear", {"a": 10, "b": 0}, from_=T0 - 1, to=None
    )
    await send(client, sensor, {"series": [column("temperature", [T0 + 5, T0], [2.0, 1.0])]})
    await send(client, sensor, {"series": [column("temperature", [T0 + 1], [9.0])]})

    (found,) = (await get(client, "telemetry/latest", sensor_id=sensor.id))["items"]

    assert (found["t"], found["raw"], found["physical"]) == (T0 + 5, 2.0, 20.0)
    assert abs(found["received_at"] / 1e6 - datetime.now(UTC).timestamp()) < 60
    assert found["reason"] is None


async def test_a_session_holds_what_was_taken_in_its_time_and_counts_what_came_late(
    client, sensor, connection
) -> None:
    now = int(datetime.now(UTC).timestamp() * 1e6)
    start, stop = now - 60_000_000, now - 30_000_000
    session = await new_session(connection, sensor, start, stop)
    t = [start - 1, start, start + 5, stop - 1, stop]
    await send(client, sensor, {"series": [column("temperature", t, [9.0, 1.0, 2.0, 3.0, 9.0])]})

    answer = await get(client, f"capture-sessions/{session}/telemetry/summary")
    by_signal = {one["signal"]: one for one in answer["items"]}
    found = by_signal["temperature"]
    assert (found["count"], found["late_count"]) == (3, 3)
    assert (found["first"], found["last"]) == (start, stop - 1)
    assert (found["min"], found["max"]) == (1.0, 3.0)
    assert by_signal["pressure"]["count"] == 0

    shown = await get(client, f"capture-sessions/{session}/telemetry", signal="temperature")
    assert shown["series"][0]["t"] == [start, start + 5, stop - 1]
    late = shown["series"][0]["late"]
    assert (late["count"], late["shown"]) == (3, [0, 1, 2])
    assert (late["first"], late["last"]) == ([start, stop - 1], [start + 5, stop - 1])
    assert late["readings"] == [2, 1]
    await get(client, f"capture-sessions/{session}/telemetry", sensor_id=uuid4(), status=404)


async def test_what_is_received_before_the_stop_is_not_late(client, sensor, connection) -> None:
    now = int(datetime.now(UTC).timestamp() * 1e6)
    session = await new_session(connection, sensor, now - 10_000_000, now + 3_600_000_000)
    await send(client, sensor, {"series": [column("temperature", [now], [1.0])]})
    answer = await get(client, f"capture-sessions/{session}/telemetry/summary")
    found = {one["signal"]: one for one in answer["items"]}["temperature"]
    assert (found["count"], found["late_count"]) == (1, 0)


async def test_a_session_that_runs_shows_what_it_has(client, sensor, connection) -> None:
    now = int(datetime.now(UTC).timestamp() * 1e6)
    session = await new_session(connection, sensor, now - 1_000_000, None)
    await send(client, sensor, {"series": [column("temperature", [now], [1.0])]})
    shown = await get(client, f"capture-sessions/{session}/telemetry", signal="temperature")
    assert shown["series"][0]["t"] == [now]
    answer = await get(client, f"capture-sessions/{session}/telemetry/summary")
    assert sum(one["count"] for one in answer["items"]) == 1


@pytest.mark.parametrize("form", ["parquet", "arrow", "csv"])
async def test_a_file_holds_every_reading_exactly(client, sensor, connection, form) -> None:
    await new_profile(
        connection, sensor, "temperature", "linear", {"a": 2, "b": 0}, from_=T0, to=None
    )
    values = [0.1, math.nan, -0.0, 1e300, 5e-324]
    t = [T0 - 1, *(T0 + n for n in range(4))]
    sent = [None if math.isnan(value) else value for value in values]
    body = {"series": [column("temperature", t, sent), column("pressure", [T0], [7.0])]}
    await send(client, sensor, body)

    data = await get(client, "telemetry/export", sensor_id=sensor.id, format=form, as_="editor")

    match form:
        case "parquet":
            table = pyarrow.parquet.read_table(io.BytesIO(data))
        case "arrow":
            table = pa.ipc.open_stream(data).read_all()
        case _:
            plain = pyarrow.csv.ConvertOptions(null_values=[""])
            table = pyarrow.csv.read_csv(io.BytesIO(data), convert_options=plain)
    assert table.column_names == [
        "sensor_id", "signal", "time", "received_at", "raw", "physical", "unit", "late",
    ]  # fmt: skip
    rows = [row for row in table.to_pylist() if row["signal"] == "temperature"]
    assert {row["sensor_id"] for row in rows} == {str(sensor.id)}
    assert [str(row["raw"]) for row in rows] == [str(value) for value in values]
    assert [row["physical"] for row in rows] == [None, None, 0.0, 2e300, 1e-323]
    assert len(table) == 6
    assert not any(table["late"].to_pylist())


async def test_a_file_of_a_session_marks_what_came_late(client, sensor, connection) -> None:
    now = int(datetime.now(UTC).timestamp() * 1e6)
    session = await new_session(connection, sensor, now - 60_000_000, now - 30_000_000)
    await send(client, sensor, {"series": [column("temperature", [now - 40_000_000], [1.0])]})
    data = await get(client, f"capture-sessions/{session}/telemetry/export")
    (row,) = pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()
    assert row["late"] is True
    assert row["raw"] == 1.0


async def test_members_read_and_nobody_else(client, sensor, connection, project_id) -> None:
    now = int(datetime.now(UTC).timestamp() * 1e6)
    session = await new_session(connection, sensor, now - 10, None)
    for path in [f"telemetry/{name}" for name in ("series", "latest", "export", "stream")]:
        await get(client, path, sensor_id=sensor.id, as_="outsider", status=404)
        await get(client, path, sensor_id=uuid4(), status=404)
        await get(client, path, sensor_id=sensor.id, as_=sensor.token, status=403)
        await get(client, path, status=422)
    base = f"capture-sessions/{session}/telemetry"
    for path in (base, f"{base}/summary", f"{base}/export"):
        await get(client, path, as_="outsider", status=404)
        await get(client, path, as_=sensor.token, status=403)


async def test_a_sensor_that_is_shared_is_read_by_the_other_project(
    client, connection, people, project_id
) -> None:
    home = uuid4()
    sensor = await new_sensor(connection, home, "guest", ("x",))
    await get(client, "telemetry/series", sensor_id=sensor.id, status=404)
    await share(connection, sensor.id, home, project_id)
    await get(client, "telemetry/series", sensor_id=sensor.id)

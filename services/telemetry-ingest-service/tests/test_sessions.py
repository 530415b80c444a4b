"""What a capture session holds: its edges, what came late, by the profiles that it pins."""

import io
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pyarrow.parquet
import pytest
from telemetry_api import column, send
from test_reading import get, new_profile, new_session


@pytest.fixture
def now() -> int:
    return int(datetime.now(UTC).timestamp() * 1e6)


async def pin(connection, session: UUID, sensor, signal: str, profile_id: UUID) -> None:
    await connection.execute(
        """
        INSERT INTO experiment.capture_session_profiles
            (capture_session_id, sensor_id, signal, profile_id)
        VALUES ($1, $2, $3, $4)
        """,
        session, sensor.id, signal, profile_id,
    )  # fmt: skip


async def summary(client, session: UUID, signal: str = "temperature"):
    items = (await get(client, f"capture-sessions/{session}/telemetry/summary"))["items"]
    return next(one for one in items if one["signal"] == signal)


async def rows(client, session: UUID, **params):
    data = await get(client, f"capture-sessions/{session}/telemetry/export", **params)
    return pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()


async def test_late_are_readings_of_its_time_that_come_after_its_stop(
    client, sensor, connection, now
) -> None:
    stop = now + 1_500_000
    session = await new_session(connection, sensor, now - 1_000_000, stop)
    await send(client, sensor, {"series": [column("temperature", [now, stop - 1], [1.0, 2.0])]})
    found = await summary(client, session)
    assert (found["count"], found["late_count"]) == (2, 0)
    while datetime.now(UTC).timestamp() * 1e6 <= stop:
        await get(client, "telemetry/latest", sensor_id=sensor.id)

    t = [now - 1_000_001, now - 1_000_000, now + 7, stop - 1, stop]
    await send(client, sensor, {"series": [column("temperature", t, [9.0] * 5)]})

    found = await summary(client, session)
    assert (found["count"], found["late_count"]) == (5, 3)
    assert (found["first"], found["last"]) == (now - 1_000_000, stop - 1)
    shown = await get(client, f"capture-sessions/{session}/telemetry", signal="temperature")
    assert shown["series"][0]["late"]["count"] == 3
    assert shown["series"][0]["late"]["shown"] == [0, 2, 4]
    late = [(row["raw"], row["late"]) for row in await rows(client, session)]
    assert late == [(9.0, True), (1.0, False), (9.0, True), (2.0, False), (9.0, True)]


async def test_a_pinned_profile_converts_whatever_holds_now(
    client, sensor, connection, now
) -> None:
    old = await new_profile(
        connection, sensor, "temperature", "linear", {"a": 2, "b": 0},
        from_=now - 9_000_000, to=now - 8_000_000,
    )  # fmt: skip
    await new_profile(
        connection, sensor, "temperature", "linear", {"a": 50, "b": 0},
        from_=now - 8_000_000, to=None,
    )  # fmt: skip
    pinned = await new_session(connection, sensor, now - 5_000_000, now)
    free = await new_session(connection, sensor, now - 5_000_000, now)
    await pin(connection, pinned, sensor, "temperature", old)
    t = [now - 4_000_000, now - 3_000_000]
    await send(client, sensor, {"series": [column("temperature", t, [1.0, 3.0])]})

    for session, factor in ((pinned, 2.0), (free, 50.0)):
        shown = await get(
            client, f"capture-sessions/{session}/telemetry", values="both", signal="temperature"
        )
        assert shown["series"][0]["physical"] == [factor, 3 * factor]
        found = await summary(client, session)
        assert (found["physical_min"], found["physical_max"]) == (factor, 3 * factor)
        assert (found["min"], found["max"], found["physical_unit"]) == (1.0, 3.0, "K")
        exported = [row["physical"] for row in await rows(client, session)]
        assert exported == [factor, 3 * factor]


@pytest.mark.parametrize(
    ("kind", "parameters", "extremes"),
    [
        ("linear", {"a": -1, "b": 0}, (-4.0, 3.0)),
        ("linear", {"a": 1e308, "b": 0}, (-1e308, 1e308)),
        ("polynomial", {"coefficients": [1, 0, -1]}, (-15.0, 1.0)),
        ("lookup_table", {"table": [[-1, 5], [0, 9], [2, 4]]}, (5.0, 9.0)),
        ("lookup_table", {"table": [[10, 5], [20, 9]]}, (None, None)),
    ],
)
async def test_physical_extremes_are_those_of_the_readings_that_convert(
    client, sensor, connection, now, kind, parameters, extremes
) -> None:
    await new_profile(
        connection, sensor, "temperature", kind, parameters, from_=now - 9_000_000, to=None
    )
    session = await new_session(connection, sensor, now - 5_000_000, now)
    values = [-3.0, -1.0, 0.0, 1.0, 4.0, None]
    t = [now - 1000 + n for n in range(len(values))]
    await send(client, sensor, {"series": [column("temperature", t, values)]})
    found = await summary(client, session)
    assert (found["physical_min"], found["physical_max"]) == extremes
    assert (found["min"], found["max"], found["count"]) == (-3.0, 4.0, 6)


async def test_a_part_of_a_session_is_read_and_exported_and_nothing_outside_of_it(
    client, sensor, connection, now
) -> None:
    session = await new_session(connection, sensor, now - 1000, now - 500)
    t = [now - 2000, now - 900, now - 800, now - 700, now - 100]
    await send(client, sensor, {"series": [column("temperature", t, [0.0, 1.0, 2.0, 3.0, 4.0])]})
    for params, raw in (
        ({"from_": now - 850}, [2.0, 3.0]),
        ({"to": now - 800}, [1.0, 2.0]),
        ({"from_": now - 5000, "to": now}, [1.0, 2.0, 3.0]),
        ({"from_": now - 100}, []),
        ({"signal": "pressure"}, []),
    ):
        assert [row["raw"] for row in await rows(client, session, **params)] == raw
        shown = await get(client, f"capture-sessions/{session}/telemetry", **params)
        assert [value for one in shown["series"] for value in one["raw"]] == raw


async def test_a_session_exports_sensors_of_its_own_alone(client, sensor, connection, now) -> None:
    session = await new_session(connection, sensor, now - 1000, now)
    path = f"capture-sessions/{session}/telemetry/export"
    await get(client, path, sensor_id=uuid4(), status=404)

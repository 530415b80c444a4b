"""Limits on signals: every reading that arrives is looked at, a crossing is found once."""

import asyncio
from datetime import UTC, datetime
from time import time
from uuid import UUID, uuid4

import pytest
from telemetry_api import T0, column, send
from test_reading import new_profile


async def eventually(connection, sql: str, sensor_id: UUID) -> None:
    """Wait until a question about the sensor is answered by yes."""
    async with asyncio.timeout(30):
        while not await connection.fetchval(sql, sensor_id):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.fixture
def limit(connection, sensor):
    """Sets a limit as experiment-service stores it, and waits until it is watched."""

    async def add(direction: str, threshold: float, rearm_at: float | None = None) -> UUID:
        watch_id = uuid4()
        await connection.execute(
            """
            INSERT INTO experiment.sensor_watches
                (id, sensor_id, signal, direction, threshold, rearm_at, created_by, created_at)
            VALUES ($1, $2, 'temperature', $3, $4, $5, $6, now() - interval '1 minute')
            """,
            watch_id,
            sensor.id,
            direction,
            threshold,
            rearm_at,
            uuid4(),
        )
        await eventually(
            connection,
            "SELECT EXISTS (SELECT FROM telemetry.limit_places WHERE sensor_id = $1)",
            sensor.id,
        )
        return watch_id

    return add


@pytest.fixture
def arrive(connection, sensor):
    """Sends readings that are taken now, and waits until they were looked at."""
    taken = iter(range(int(time() * 1e6), int(time() * 1e6) + 10**9, 1000))

    async def take(client, *values: float, at: int | None = None) -> None:
        t = [next(taken) if at is None else at + place for place in range(len(values))]
        await send(client, sensor, {"series": [column("temperature", t, values)]})
        await eventually(
            connection,
            """
            SELECT p.ordinal = o.ordinal
            FROM telemetry.limit_places p JOIN telemetry.owners o ON o.id = p.sensor_id
            WHERE p.sensor_id = $1
            """,
            sensor.id,
        )

    return take


@pytest.fixture
def found(connection):
    async def look(watch_id: UUID) -> list[tuple[float, float, str]]:
        rows = await connection.fetch(
            "SELECT value, most, unit FROM telemetry.signal_crossings WHERE watch_id = $1"
            " ORDER BY position",
            watch_id,
        )
        return [tuple(row) for row in rows]

    return look


async def test_each_crossing_is_found_once_by_any_number_of_processes(
    start_app, limit, arrive, found
) -> None:
    client, _ = await start_app(), await start_app()
    high, low = await limit("above", 10.0, rearm_at=5.0), await limit("below", -1.0)
    await arrive(client, 10.0, 1.0)
    assert await found(high) == []
    # A peak between two looks is enough, though the last value is an ordinary one.
    await arrive(client, 9.0, 11.0, 30.0, 12.0, 9.0)
    assert await found(high) == [(11.0, 30.0, "")]
    # Not watched again before a value was back at 5.
    await arrive(client, 6.0, 20.0)
    await arrive(client, 21.0)
    assert len(await found(high)) == 1
    await arrive(client, 5.0)
    await arrive(client, 22.0)
    await arrive(client, 4.0, 23.0)
    assert await found(high) == [(11.0, 30.0, ""), (22.0, 22.0, ""), (23.0, 23.0, "")]
    await arrive(client, -2.0, 0.0, -3.0)
    await arrive(client, -1.0)
    await arrive(client, -4.0)
    assert await found(low) == [(-2.0, -3.0, ""), (-4.0, -4.0, "")]


async def test_readings_are_compared_as_people_read_them_and_old_ones_are_not(
    client, sensor, connection, limit, arrive, found
) -> None:
    await new_profile(
        connection, sensor, "temperature", "linear", {"a": 2, "b": 1}, from_=T0, to=None
    )
    high = await limit("above", 10.0)
    await arrive(client, 100.0, at=int(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1e6))
    await arrive(client, 4.5)
    assert await found(high) == []
    await arrive(client, 5.0)
    assert await found(high) == [(11.0, 11.0, "K")]


async def test_what_came_while_no_process_looked_is_looked_at(
    start_app, sensor, connection, limit, arrive, found
) -> None:
    first = await start_app()
    high = await limit("above", 10.0)
    await arrive(first, 1.0)
    await first.close()
    await connection.execute("SELECT pg_advisory_lock(hashtextextended('telemetry.limits', 0))")
    second = await start_app()
    t = int(time() * 1e6) + 10_000_000
    for place, value in enumerate((50.0, 2.0)):
        await send(second, sensor, {"series": [column("temperature", [t + place], [value])]})
    await connection.execute("SELECT pg_advisory_unlock(hashtextextended('telemetry.limits', 0))")
    await arrive(second, 1.0)
    assert await found(high) == [(50.0, 50.0, "")]

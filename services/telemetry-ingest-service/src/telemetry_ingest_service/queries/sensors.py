"""SQL on what experiment-service publishes of sensors."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from uuid import UUID

import asyncpg
from servicekit.database import Connection
from servicekit.problems import Unavailable

from telemetry_ingest_service.models.sensors import KnownSensor, SensorToken


async def select_tokens(connection: Connection, key_ids: Sequence[str]) -> dict[str, SensorToken]:
    """The tokens of those key ids that are valid now, by key id.

    Raises:
        Unavailable: experiment-service has not made its views yet.
    """
    with published():
        rows = await connection.fetch(
            """
            SELECT key_id, sensor_id, secret_hash, expires_at
            FROM experiment.ingest_tokens
            WHERE key_id = ANY ($1::text[])
            """,
            key_ids,
        )
    return {row["key_id"]: SensorToken.model_validate(dict(row)) for row in rows}


async def select_sensors(
    connection: Connection, sensor_ids: Sequence[UUID]
) -> dict[UUID, KnownSensor]:
    """The sensors and their signals, by id.

    Raises:
        Unavailable: see above.
    """
    with published():
        rows = await connection.fetch(
            """
            SELECT s.sensor_id, s.project_id, s.status,
                   ARRAY(
                       SELECT g.signal FROM experiment.ingest_signals g
                       WHERE g.sensor_id = s.sensor_id
                   ) AS signals
            FROM experiment.ingest_sensors s
            WHERE s.sensor_id = ANY ($1::uuid[])
            """,
            sensor_ids,
        )
    found = [KnownSensor.model_validate(dict(row)) for row in rows]
    return {sensor.sensor_id: sensor for sensor in found}


async def has_published_sensors(connection: Connection) -> bool:
    """Whether experiment-service's views are there."""
    return await connection.fetchval("SELECT to_regclass('experiment.ingest_tokens') IS NOT NULL")


@contextmanager
def published() -> Generator[None]:
    """Say what is missing where a view is not there yet."""
    try:
        yield
    except asyncpg.UndefinedTableError as exc:
        msg = "Sensors are not there yet: experiment-service has not started."
        raise Unavailable(msg) from exc


async def select_sensor_projects(connection: Connection, sensor_id: UUID) -> list[UUID]:
    """The projects whose members see the sensor, its home first.

    Raises:
        Unavailable: see above.
    """
    with published():
        rows = await connection.fetch(
            """
            SELECT p.project_id
            FROM experiment.sensor_projects p
            JOIN experiment.ingest_sensors s USING (sensor_id)
            WHERE p.sensor_id = $1
            ORDER BY p.project_id <> s.project_id, p.project_id
            """,
            sensor_id,
        )
    return [row["project_id"] for row in rows]

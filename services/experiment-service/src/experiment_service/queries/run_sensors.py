"""SQL on the sensors of runs: one function, one statement."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection


async def lock_usable_sensors(
    connection: Connection, *, project_id: UUID, sensor_ids: Sequence[UUID]
) -> dict[UUID, str]:
    """The status of those of the sensors that the project may use; none changes meanwhile."""
    rows = await connection.fetch(
        """
        SELECT s.id, s.status
        FROM experiment.sensors s
        JOIN experiment.sensor_places p ON p.sensor_id = s.id
        WHERE p.project_id = $1 AND p.ended_at IS NULL AND s.id = ANY($2::uuid[])
        ORDER BY s.id
        FOR SHARE OF s, p
        """,
        project_id,
        sensor_ids,
    )
    return {row["id"]: row["status"] for row in rows}


async def select_sensor_ids_of_run(connection: Connection, *, run_id: UUID) -> list[UUID]:
    """The sensors of a run in the order in which they were added."""
    rows = await connection.fetch(
        """
        SELECT sensor_id
        FROM experiment.run_sensors
        WHERE run_id = $1
        ORDER BY added_at, sensor_id
        """,
        run_id,
    )
    return [row["sensor_id"] for row in rows]


async def insert_run_sensor(
    connection: Connection,
    *,
    run_id: UUID,
    project_id: UUID,
    sensor_id: UUID,
    user_id: UUID,
    at: datetime,
) -> bool:
    """Attach a sensor to a run; whether it was not before."""
    added = await connection.fetchval(
        """
        INSERT INTO experiment.run_sensors (run_id, project_id, sensor_id, added_by, added_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (run_id, sensor_id) DO NOTHING
        RETURNING sensor_id
        """,
        run_id,
        project_id,
        sensor_id,
        user_id,
        at,
    )
    return added is not None


async def delete_run_sensor(connection: Connection, *, run_id: UUID, sensor_id: UUID) -> bool:
    """Detach a sensor from a run; whether it was attached."""
    removed = await connection.fetchval(
        """
        DELETE FROM experiment.run_sensors
        WHERE run_id = $1 AND sensor_id = $2
        RETURNING sensor_id
        """,
        run_id,
        sensor_id,
    )
    return removed is not None

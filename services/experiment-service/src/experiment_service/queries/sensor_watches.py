"""SQL on limits of signals: one function, one statement."""

from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_optional

from experiment_service.models.sensor_watches import SensorCrossing, SensorWatch


async def select_sensor_watches(
    connection: Connection, *, sensor_id: UUID, after: UUID | None, limit: int
) -> list[SensorWatch]:
    """A sensor's limits in the order in which they were set, continuing after one."""
    return await fetch_all(
        connection,
        SensorWatch,
        """
        SELECT id, sensor_id, signal, direction, threshold, rearm_at, created_by, created_at
        FROM experiment.sensor_watches
        WHERE sensor_id = $1 AND ($2::uuid IS NULL OR id > $2)
        ORDER BY id
        LIMIT $3
        """,
        sensor_id,
        after,
        limit,
    )


async def count_sensor_watches(connection: Connection, *, sensor_id: UUID) -> int:
    """How many limits the sensor has."""
    return await connection.fetchval(
        "SELECT count(*) FROM experiment.sensor_watches WHERE sensor_id = $1", sensor_id
    )


async def insert_sensor_watch(connection: Connection, watch: SensorWatch) -> None:
    """Store a new limit."""
    await connection.execute(
        """
        INSERT INTO experiment.sensor_watches (
            id, sensor_id, signal, direction, threshold, rearm_at, created_by, created_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        watch.id,
        watch.sensor_id,
        watch.signal,
        watch.direction,
        watch.threshold,
        watch.rearm_at,
        watch.created_by,
        watch.created_at,
    )


async def delete_sensor_watch(
    connection: Connection, *, sensor_id: UUID, watch_id: UUID
) -> SensorWatch | None:
    """Forget a limit of the sensor; what it was, if there was one."""
    return await fetch_optional(
        connection,
        SensorWatch,
        """
        DELETE FROM experiment.sensor_watches
        WHERE id = $1 AND sensor_id = $2
        RETURNING id, sensor_id, signal, direction, threshold, rearm_at, created_by, created_at
        """,
        watch_id,
        sensor_id,
    )


async def select_crossings_published(connection: Connection) -> bool:
    """Whether `telemetry.signal_crossings` is there to be read."""
    return await connection.fetchval(
        """
        SELECT EXISTS (
            SELECT
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'telemetry' AND c.relname = 'signal_crossings'
              AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
        )
        """
    )


async def lock_crossings_told(connection: Connection) -> int | None:
    """Up to where crossings were told of, held until the end; None where another process has it."""
    return await connection.fetchval(
        "SELECT position FROM experiment.sensor_crossings_told FOR UPDATE SKIP LOCKED"
    )


async def update_crossings_told(connection: Connection, *, after: int, limit: int) -> int:
    """Go on by so many crossings at most; up to where that is."""
    return await connection.fetchval(
        """
        UPDATE experiment.sensor_crossings_told
        SET position = coalesce(
            (
                SELECT max(position)
                FROM (
                    SELECT position FROM telemetry.signal_crossings
                    WHERE position > $1 ORDER BY position LIMIT $2
                ) AS next
            ),
            position
        )
        RETURNING position
        """,
        after,
        limit,
    )


async def select_sensor_crossings(
    connection: Connection, *, after: int, upto: int
) -> list[SensorCrossing]:
    """Crossings of limits that there still are, for each project that sees the sensor."""
    return await fetch_all(
        connection,
        SensorCrossing,
        """
        SELECT c.watch_id, w.sensor_id, s.name AS sensor_name, p.project_id, w.signal, w.direction,
               w.threshold, c.value, c.most, c.unit, c.taken_at, c.found_at
        FROM telemetry.signal_crossings AS c
        JOIN experiment.sensor_watches AS w ON w.id = c.watch_id
        JOIN experiment.sensors AS s ON s.id = w.sensor_id
        JOIN experiment.sensor_places AS p ON p.sensor_id = s.id AND p.ended_at IS NULL
        WHERE c.position > $1 AND c.position <= $2
        ORDER BY c.position, p.project_id
        """,
        after,
        upto,
    )

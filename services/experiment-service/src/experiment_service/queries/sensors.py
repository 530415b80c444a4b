"""SQL on sensors, their signals and where they may be used: one function, one statement."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_optional

from experiment_service.models.sensors import Health, NewSignal, Sensor, Signal
from experiment_service.models.values import name_key
from experiment_service.queries.activity import Activity

# now(), not clock_timestamp(): PostgreSQL would work a volatile one out for every sensor there is.
_SENSORS = """
    SELECT s.id, s.project_id, s.name, s.name_key, s.type, s.description, s.tags, s.status,
           s.version, s.created_by, s.created_at, s.updated_at, s.decommissioned_at,
           a.last_received_at, coalesce(a.readings, 0) AS readings,
           CASE WHEN a.last_received_at IS NULL THEN 'never'
                WHEN a.last_received_at > now() - interval '30 seconds' THEN 'online'
                WHEN a.last_received_at > now() - interval '5 minutes' THEN 'delayed'
                ELSE 'offline' END AS health,
           coalesce(
               (
                   SELECT jsonb_agg(
                       jsonb_build_object(
                           'name', g.name, 'title', g.title, 'input_unit', g.input_unit,
                           'display_unit', g.display_unit, 'expected_rate_hz', g.expected_rate_hz
                       )
                       ORDER BY g.position
                   )
                   FROM experiment.sensor_signals g
                   WHERE g.sensor_id = s.id
               ),
               '[]'
           ) AS signals,
           ARRAY(
               SELECT p.project_id
               FROM experiment.sensor_places p
               WHERE p.sensor_id = s.id AND p.project_id <> s.project_id AND p.ended_at IS NULL
               ORDER BY p.shared_at
           ) AS shared_with
    FROM experiment.sensors s
    LEFT JOIN unnest($1::uuid[], $2::timestamptz[], $3::bigint[])
        AS a (sensor_id, last_received_at, readings) ON a.sensor_id = s.id
"""


async def select_sensor_projects(connection: Connection, sensor_id: UUID) -> list[UUID]:
    """The projects whose members see the sensor, its home first."""
    rows = await connection.fetch(
        """
        SELECT project_id
        FROM experiment.sensor_places
        WHERE sensor_id = $1 AND ended_at IS NULL
        ORDER BY project_id <> home_project_id, shared_at
        """,
        sensor_id,
    )
    return [row["project_id"] for row in rows]


async def select_sensor(
    connection: Connection, *, sensor_id: UUID, activity: Activity
) -> Sensor | None:
    """One sensor."""
    return await fetch_optional(
        connection,
        Sensor,
        _SENSORS + "WHERE s.id = $4",
        activity.sensor_ids,
        activity.last_received_at,
        activity.readings,
        sensor_id,
    )


async def select_sensors_of_run(
    connection: Connection, *, run_id: UUID, activity: Activity
) -> list[Sensor]:
    """The sensors of a run in the order in which they were added."""
    return await fetch_all(
        connection,
        Sensor,
        _SENSORS
        + """
        JOIN experiment.run_sensors r ON r.sensor_id = s.id
        WHERE r.run_id = $4
        ORDER BY r.added_at, s.id
        """,
        activity.sensor_ids,
        activity.last_received_at,
        activity.readings,
        run_id,
    )


async def select_sensor_ids(connection: Connection, *, project_id: UUID) -> list[UUID]:
    """Every sensor that may be used in the project."""
    rows = await connection.fetch(
        """
        SELECT sensor_id
        FROM experiment.sensor_places
        WHERE project_id = $1 AND ended_at IS NULL
        """,
        project_id,
    )
    return [row["sensor_id"] for row in rows]


async def select_sensors(
    connection: Connection,
    *,
    sensor_ids: Sequence[UUID],
    activity: Activity,
    part: str | None,
    status: str,
    health: Sequence[Health],
    order: str,
    descending: bool,
    after: tuple[str, UUID] | None,
    limit: int,
) -> list[tuple[str, Sensor]]:
    """Those of the sensors that are asked for, each with what it is ordered by as a text."""
    value, last_id = after or (None, None)
    rows = await connection.fetch(
        "WITH found AS ("  # noqa: S608 - two literals
        + _SENSORS
        + """
        ),
        placed AS (
            SELECT found.*,
                   CASE $4
                       WHEN 'name' THEN name_key
                       WHEN 'created_at'
                           THEN to_char(created_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS')
                       ELSE coalesce(
                           to_char(last_received_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS'), ''
                       )
                   END COLLATE "C" AS place
            FROM found
            WHERE id = ANY($5::uuid[])
              AND ($6::text IS NULL OR strpos(name_key, $6) > 0)
              AND ($7 = 'all' OR status = $7)
              AND (cardinality($8::text[]) = 0 OR health = ANY($8))
        )
        SELECT *
        FROM placed
        WHERE $9::text IS NULL
           OR CASE WHEN $11 THEN (place, id) < ($9, $10::uuid) ELSE (place, id) > ($9, $10) END
        ORDER BY CASE WHEN NOT $11 THEN place END, CASE WHEN NOT $11 THEN id END,
                 place DESC, id DESC
        LIMIT $12
        """,
        activity.sensor_ids,
        activity.last_received_at,
        activity.readings,
        order,
        sensor_ids,
        part,
        status,
        health,
        value,
        last_id,
        descending,
        limit,
    )
    return [(row["place"], Sensor.model_validate(dict(row))) for row in rows]


async def lock_sensor(connection: Connection, sensor_id: UUID) -> str | None:
    """Let changes of a sensor take turns until the transaction ends; answers its status."""
    return await connection.fetchval(
        "SELECT status FROM experiment.sensors WHERE id = $1 FOR NO KEY UPDATE", sensor_id
    )


async def lock_sensors_of_project(connection: Connection, project_id: UUID) -> None:
    """Let registrations in a project take turns until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('sensors ' || $1::text, 0))",
        str(project_id),
    )


async def count_sensors(connection: Connection, *, project_id: UUID) -> int:
    """How many sensors may be used in the project, and were in the past."""
    return await connection.fetchval(
        "SELECT count(*) FROM experiment.sensor_places WHERE project_id = $1", project_id
    )


async def insert_sensor(connection: Connection, sensor: Sensor) -> None:
    """Register a sensor, without its signals."""
    await connection.execute(
        """
        WITH home AS (
            INSERT INTO experiment.sensors (
                id, project_id, name, name_key, type, description, tags, created_by, created_at,
                updated_at
            )
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
            RETURNING id, project_id
        )
        INSERT INTO experiment.sensor_places (
            sensor_id, project_id, home_project_id, shared_by, shared_at
        )
        SELECT id, project_id, project_id, $8, $9 FROM home
        """,
        sensor.id,
        sensor.project_id,
        sensor.name,
        name_key(sensor.name),
        sensor.type,
        sensor.description,
        sensor.tags,
        sensor.created_by,
        sensor.created_at,
    )


async def insert_signals(
    connection: Connection, *, sensor_id: UUID, signals: Sequence[NewSignal]
) -> None:
    """Add signals to a sensor, behind those that it has."""
    await connection.executemany(
        """
        INSERT INTO experiment.sensor_signals (
            sensor_id, project_id, name, name_key, position, title, input_unit, display_unit,
            expected_rate_hz
        )
        SELECT s.id, s.project_id, $2, $3,
               coalesce((SELECT max(g.position) FROM experiment.sensor_signals g
                         WHERE g.sensor_id = s.id), 0) + 1,
               $4, $5, $6, $7
        FROM experiment.sensors s
        WHERE s.id = $1
        """,
        [
            (
                sensor_id,
                signal.name,
                name_key(signal.name),
                signal.title or "",
                signal.input_unit or "",
                signal.display_unit or "",
                signal.expected_rate_hz,
            )
            for signal in signals
        ],
    )


async def update_sensor(connection: Connection, sensor: Sensor, *, at: datetime) -> None:
    """Store what people edit of a sensor, and count the version up."""
    await connection.execute(
        """
        UPDATE experiment.sensors
        SET name = $2, name_key = $3, type = $4, description = $5, tags = $6,
            updated_at = $7, version = version + 1
        WHERE id = $1
        """,
        sensor.id,
        sensor.name,
        name_key(sensor.name),
        sensor.type,
        sensor.description,
        sensor.tags,
        at,
    )


async def update_sensor_touched(connection: Connection, *, sensor_id: UUID, at: datetime) -> None:
    """Count the version of a sensor up whose signals or places changed."""
    await connection.execute(
        "UPDATE experiment.sensors SET updated_at = $2, version = version + 1 WHERE id = $1",
        sensor_id,
        at,
    )


async def update_signal(connection: Connection, *, sensor_id: UUID, signal: Signal) -> None:
    """Store what people edit of a signal."""
    await connection.execute(
        """
        UPDATE experiment.sensor_signals
        SET title = $3, input_unit = $4, display_unit = $5, expected_rate_hz = $6
        WHERE sensor_id = $1 AND name = $2
        """,
        sensor_id,
        signal.name,
        signal.title,
        signal.input_unit,
        signal.display_unit,
        signal.expected_rate_hz,
    )


async def delete_signal(connection: Connection, *, sensor_id: UUID, signal: str) -> None:
    """Forget a signal."""
    await connection.execute(
        "DELETE FROM experiment.sensor_signals WHERE sensor_id = $1 AND name = $2",
        sensor_id,
        signal,
    )


async def update_sensor_decommissioned(
    connection: Connection, *, sensor_id: UUID, at: datetime
) -> None:
    """Take a sensor out of use, and end its tokens."""
    await connection.execute(
        """
        WITH ended AS (
            UPDATE experiment.sensor_tokens SET revoked_at = $2
            WHERE sensor_id = $1 AND revoked_at IS NULL
        )
        UPDATE experiment.sensors
        SET status = 'decommissioned', decommissioned_at = $2, updated_at = $2,
            version = version + 1
        WHERE id = $1
        """,
        sensor_id,
        at,
    )


async def insert_share(
    connection: Connection, *, sensor_id: UUID, project_id: UUID, user_id: UUID, at: datetime
) -> bool:
    """Let the members of a project use a sensor; whether they could not before."""
    added = await connection.fetchval(
        """
        INSERT INTO experiment.sensor_places AS p (
            sensor_id, project_id, home_project_id, shared_by, shared_at
        )
        SELECT id, $2, project_id, $3, $4 FROM experiment.sensors WHERE id = $1
        ON CONFLICT (sensor_id, project_id) DO UPDATE
        SET shared_by = excluded.shared_by, shared_at = excluded.shared_at, ended_at = NULL
        WHERE p.ended_at IS NOT NULL
        RETURNING sensor_id
        """,
        sensor_id,
        project_id,
        user_id,
        at,
    )
    return added is not None


async def update_share_ended(
    connection: Connection, *, sensor_id: UUID, project_id: UUID, at: datetime
) -> bool:
    """End a share; whether there was one."""
    ended = await connection.fetchval(
        """
        UPDATE experiment.sensor_places
        SET ended_at = $3
        WHERE sensor_id = $1 AND project_id = $2 AND ended_at IS NULL
          AND project_id <> home_project_id
        RETURNING sensor_id
        """,
        sensor_id,
        project_id,
        at,
    )
    return ended is not None


async def select_recording_run(
    connection: Connection, *, sensor_id: UUID, project_id: UUID | None
) -> UUID | None:
    """A run whose capture session records the sensor now, in one project or in any."""
    return await connection.fetchval(
        """
        SELECT c.run_id
        FROM experiment.capture_session_sensors m
        JOIN experiment.capture_sessions c ON c.id = m.capture_session_id
        WHERE m.sensor_id = $1 AND c.status = 'running'
          AND ($2::uuid IS NULL OR m.project_id = $2)
        LIMIT 1
        """,
        sensor_id,
        project_id,
    )

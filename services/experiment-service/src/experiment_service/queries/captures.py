"""SQL on capture sessions: one function, one statement."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_one, fetch_optional

from experiment_service.models.captures import CaptureEvent, CaptureSession

type Pin = tuple[UUID, str, UUID]
"""A sensor, one of its signals, and a profile of that."""

_SESSIONS = """
    SELECT c.id, c.run_id, c.project_id, c.ordinal, c.name, c.note, c.status, c.started_at,
           c.started_by, c.stop_at, c.stopped_at, c.stopped_by, c.stop_reason, c.version,
           w.profiles,
           coalesce(
               (
                   SELECT jsonb_agg(
                       jsonb_build_object(
                           'sensor_id', s.id, 'name', s.name, 'signals', coalesce(g.signals, '[]')
                       )
                       ORDER BY m.place
                   )
                   FROM experiment.capture_session_sensors m
                   JOIN experiment.sensors s ON s.id = m.sensor_id
                   CROSS JOIN LATERAL (
                       SELECT jsonb_agg(
                           jsonb_build_object(
                               'name', g.name, 'title', g.title, 'input_unit', g.input_unit,
                               'display_unit', g.display_unit,
                               'expected_rate_hz', g.expected_rate_hz
                           )
                           ORDER BY g.position
                       ) AS signals
                       FROM experiment.sensor_signals g
                       WHERE g.sensor_id = s.id
                   ) AS g
                   WHERE m.capture_session_id = c.id
               ),
               '[]'
           ) AS sensors
    FROM experiment.capture_sessions c
    JOIN experiment.capture_windows w ON w.capture_session_id = c.id
"""


async def select_capture_project(connection: Connection, capture_session_id: UUID) -> UUID | None:
    """The project that the capture session belongs to."""
    return await connection.fetchval(
        "SELECT project_id FROM experiment.capture_sessions WHERE id = $1", capture_session_id
    )


async def select_capture(
    connection: Connection, *, capture_session_id: UUID
) -> CaptureSession | None:
    """One capture session."""
    return await fetch_optional(
        connection, CaptureSession, _SESSIONS + "WHERE c.id = $1", capture_session_id
    )


async def select_captures(
    connection: Connection,
    *,
    run_id: UUID,
    status: str | None,
    after: int | None,
    descending: bool,
    limit: int,
) -> list[CaptureSession]:
    """The capture sessions of a run by their ordinals, continuing after one."""
    return await fetch_all(
        connection,
        CaptureSession,
        _SESSIONS
        + """
        WHERE c.run_id = $1 AND ($2::text IS NULL OR c.status = $2)
          AND ($3::integer IS NULL
               OR CASE WHEN $4 THEN c.ordinal < $3 ELSE c.ordinal > $3 END)
        ORDER BY CASE WHEN $4 THEN -c.ordinal ELSE c.ordinal END
        LIMIT $5
        """,
        run_id,
        status,
        after,
        descending,
        limit,
    )


async def select_captures_by_ids(
    connection: Connection, *, ids: Sequence[UUID]
) -> list[CaptureSession]:
    """Those of the capture sessions that there are."""
    return await fetch_all(
        connection, CaptureSession, _SESSIONS + "WHERE c.id = ANY($1::uuid[])", ids
    )


async def select_captures_ended_in_change(
    connection: Connection, *, project_id: UUID, change: int
) -> list[CaptureSession]:
    """The capture sessions that ended with their runs in a change of the project."""
    return await fetch_all(
        connection,
        CaptureSession,
        _SESSIONS + "WHERE c.project_id = $1 AND c.ended_in_change = $2 ORDER BY c.id",
        project_id,
        change,
    )


async def select_captures_of_runs(
    connection: Connection, *, run_ids: Sequence[UUID], limit: int
) -> list[CaptureSession]:
    """The capture sessions of several runs, the newest first."""
    return await fetch_all(
        connection,
        CaptureSession,
        _SESSIONS + "WHERE c.run_id = ANY($1::uuid[]) ORDER BY c.started_at DESC, c.id LIMIT $2",
        run_ids,
        limit,
    )


async def insert_capture(
    connection: Connection,
    *,
    capture_session_id: UUID,
    run_id: UUID,
    project_id: UUID,
    name: str,
    note: str,
    user_id: UUID,
    at: datetime,
    stop_after_seconds: float | None,
) -> int:
    """Start a capture session as the next of its run; answers its ordinal."""
    return await connection.fetchval(
        """
        INSERT INTO experiment.capture_sessions (
            id, run_id, project_id, ordinal, name, note, started_by, started_at,
            stop_after_seconds, stop_at
        )
        SELECT $1, $2, $3, coalesce(max(c.ordinal), 0) + 1, $4, $5, $6, $7, $8,
               $7::timestamptz + make_interval(secs => $8)
        FROM experiment.capture_sessions c
        WHERE c.run_id = $2
        RETURNING ordinal
        """,
        capture_session_id,
        run_id,
        project_id,
        name,
        note,
        user_id,
        at,
        stop_after_seconds,
    )


async def insert_capture_sensors(
    connection: Connection,
    *,
    capture_session_id: UUID,
    project_id: UUID,
    sensor_ids: Sequence[UUID],
) -> bool:
    """Record sensors too, behind those that are recorded; whether any was not before."""
    rows = await connection.fetch(
        """
        INSERT INTO experiment.capture_session_sensors (
            capture_session_id, project_id, sensor_id, place
        )
        SELECT $1, $2, added.sensor_id, added.place + coalesce(
            (
                SELECT max(m.place)
                FROM experiment.capture_session_sensors m
                WHERE m.capture_session_id = $1
            ),
            0
        )
        FROM unnest($3::uuid[]) WITH ORDINALITY AS added (sensor_id, place)
        ON CONFLICT (capture_session_id, sensor_id) DO NOTHING
        RETURNING sensor_id
        """,
        capture_session_id,
        project_id,
        sensor_ids,
    )
    return bool(rows)


async def delete_capture_sensor(
    connection: Connection, *, capture_session_id: UUID, sensor_id: UUID
) -> None:
    """Record a sensor no longer, nor keep to profiles of it."""
    await connection.execute(
        """
        DELETE FROM experiment.capture_session_profiles
        WHERE capture_session_id = $1 AND sensor_id = $2
        """,
        capture_session_id,
        sensor_id,
    )
    await connection.execute(
        """
        DELETE FROM experiment.capture_session_sensors
        WHERE capture_session_id = $1 AND sensor_id = $2
        """,
        capture_session_id,
        sensor_id,
    )


async def insert_capture_profiles(
    connection: Connection, *, capture_session_id: UUID, pins: Sequence[Pin]
) -> None:
    """Keep to profiles."""
    await connection.executemany(
        """
        INSERT INTO experiment.capture_session_profiles (
            capture_session_id, sensor_id, signal, profile_id
        )
        VALUES ($1, $2, $3, $4)
        """,
        [(capture_session_id, *pin) for pin in pins],
    )


async def select_published_pins(
    connection: Connection, *, sensor_ids: Sequence[UUID], profile_ids: Sequence[UUID]
) -> set[Pin]:
    """Those of the profiles that are published ones of the sensors."""
    rows = await connection.fetch(
        """
        SELECT sensor_id, signal, id
        FROM experiment.conversion_profiles
        WHERE sensor_id = ANY($1::uuid[]) AND id = ANY($2::uuid[]) AND published_at IS NOT NULL
        """,
        sensor_ids,
        profile_ids,
    )
    return {(row["sensor_id"], row["signal"], row["id"]) for row in rows}


async def select_active_pins(
    connection: Connection, *, sensor_ids: Sequence[UUID], at: datetime
) -> list[Pin]:
    """The profiles of the sensors that are valid at a moment."""
    rows = await connection.fetch(
        """
        SELECT sensor_id, signal, id
        FROM experiment.conversion_profiles
        WHERE sensor_id = ANY($1::uuid[]) AND valid_from <= $2
          AND (valid_to IS NULL OR valid_to > $2)
        """,
        sensor_ids,
        at,
    )
    return [(row["sensor_id"], row["signal"], row["id"]) for row in rows]


async def update_capture(connection: Connection, session: CaptureSession) -> None:
    """Store what people edit of a capture session, and count the version up."""
    await connection.execute(
        """
        UPDATE experiment.capture_sessions
        SET name = $2, note = $3, version = version + 1
        WHERE id = $1
        """,
        session.id,
        session.name,
        session.note,
    )


async def update_capture_touched(connection: Connection, *, capture_session_id: UUID) -> None:
    """Count the version of a capture session up whose sensors changed."""
    await connection.execute(
        "UPDATE experiment.capture_sessions SET version = version + 1 WHERE id = $1",
        capture_session_id,
    )


async def update_capture_stopped(
    connection: Connection, *, capture_session_id: UUID, user_id: UUID, at: datetime
) -> bool:
    """Stop a running capture session, as of its own end where that has passed."""
    stopped = await connection.fetchval(
        """
        UPDATE experiment.capture_sessions
        SET status = 'stopped', version = version + 1,
            stopped_at = least($3, stop_at),
            stopped_by = CASE WHEN stop_at <= $3 THEN NULL ELSE $2::uuid END,
            stop_reason = CASE WHEN stop_at <= $3 THEN 'time' ELSE 'person' END
        WHERE id = $1 AND status = 'running'
        RETURNING id
        """,
        capture_session_id,
        user_id,
        at,
    )
    return stopped is not None


async def update_due_captures(
    connection: Connection, *, project_id: UUID, at: datetime, change: int
) -> list[UUID]:
    """Stop the project's capture sessions whose time is over, and count that as changes."""
    rows = await connection.fetch(
        """
        WITH stopped AS (
            UPDATE experiment.capture_sessions
            SET status = 'stopped', stopped_at = stop_at, stop_reason = 'time',
                version = version + 1
            WHERE project_id = $1 AND status = 'running' AND stop_at <= $2
            RETURNING id, run_id
        ),
        told AS (
            UPDATE experiment.runs
            SET change = $3, updated_at = $2
            WHERE id IN (SELECT run_id FROM stopped)
        )
        SELECT id FROM stopped
        """,
        project_id,
        at,
        change,
    )
    return [row["id"] for row in rows]


async def update_run_told(
    connection: Connection, *, run_id: UUID, at: datetime, change: int
) -> None:
    """Let live views hear of a run whose recording changed; its version stays."""
    await connection.execute(
        "UPDATE experiment.runs SET change = $3, updated_at = $2 WHERE id = $1",
        run_id,
        at,
        change,
    )


async def count_events(connection: Connection, *, capture_session_id: UUID) -> int:
    """How many events the capture session has."""
    return await connection.fetchval(
        "SELECT count(*) FROM experiment.capture_session_events WHERE capture_session_id = $1",
        capture_session_id,
    )


async def insert_event(
    connection: Connection, event: CaptureEvent, *, project_id: UUID
) -> CaptureEvent:
    """Remember an event."""
    return await fetch_one(
        connection,
        CaptureEvent,
        """
        INSERT INTO experiment.capture_session_events (
            id, capture_session_id, project_id, time, kind, text, created_by, created_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        RETURNING id, capture_session_id, time, kind, text, created_by, created_at
        """,
        event.id,
        event.capture_session_id,
        project_id,
        event.time,
        event.kind,
        event.text,
        event.created_by,
        event.created_at,
    )


async def select_events(
    connection: Connection,
    *,
    capture_session_id: UUID,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[CaptureEvent]:
    """The events of a capture session by their times, continuing after one."""
    time, event_id = after or (None, None)
    return await fetch_all(
        connection,
        CaptureEvent,
        """
        SELECT id, capture_session_id, time, kind, text, created_by, created_at
        FROM experiment.capture_session_events
        WHERE capture_session_id = $1
          AND ($2::timestamptz IS NULL OR (time, id) > ($2, $3::uuid))
        ORDER BY time, id
        LIMIT $4
        """,
        capture_session_id,
        time,
        event_id,
        limit,
    )

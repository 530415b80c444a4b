"""SQL on running runs that end by themselves: one function, one statement."""

from datetime import datetime, timedelta
from uuid import UUID

from servicekit.database import Connection


async def lock_sweep(connection: Connection) -> bool:
    """Become the one process that sweeps, until `unlock_sweep` or the connection's end."""
    return await connection.fetchval(
        "SELECT pg_try_advisory_lock(hashtextextended('experiment.sweep', 0))"
    )


async def unlock_sweep(connection: Connection) -> None:
    """Let another process sweep."""
    await connection.execute("SELECT pg_advisory_unlock(hashtextextended('experiment.sweep', 0))")


async def select_projects_to_sweep(connection: Connection, *, silence: timedelta) -> list[UUID]:
    """The projects in which a run is silent or due to be completed, or a recording to stop."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT project_id
        FROM experiment.runs
        WHERE status = 'running'
          AND (
              last_heartbeat_at < clock_timestamp() - $1::interval
              OR started_at + make_interval(mins => auto_complete_minutes) <= clock_timestamp()
          )
        UNION
        SELECT project_id
        FROM experiment.capture_sessions
        WHERE status = 'running' AND stop_at <= clock_timestamp()
        """,
        silence,
    )
    return [row["project_id"] for row in rows]


async def update_due_runs(
    connection: Connection, *, project_id: UUID, at: datetime, change: int
) -> list[UUID]:
    """Complete the runs whose time is over."""
    rows = await connection.fetch(
        """
        UPDATE experiment.runs
        SET status = 'succeeded', status_changed_at = $2, finished_at = $2,
            version = version + 1, updated_at = $2, change = $3
        WHERE project_id = $1 AND status = 'running'
          AND started_at + make_interval(mins => auto_complete_minutes) <= $2::timestamptz
        RETURNING id
        """,
        project_id,
        at,
        change,
    )
    return [row["id"] for row in rows]


async def update_silent_runs(
    connection: Connection, *, project_id: UUID, silence: timedelta, at: datetime, change: int
) -> list[UUID]:
    """Interrupt the runs that gave no sign of life for a while, as of their last one."""
    rows = await connection.fetch(
        """
        UPDATE experiment.runs
        SET status = 'interrupted', status_changed_at = $3,
            finished_at = greatest(last_heartbeat_at, started_at),
            version = version + 1, updated_at = $3, change = $4
        WHERE project_id = $1 AND status = 'running'
          AND last_heartbeat_at < $3::timestamptz - $2::interval
        RETURNING id
        """,
        project_id,
        silence,
        at,
        change,
    )
    return [row["id"] for row in rows]

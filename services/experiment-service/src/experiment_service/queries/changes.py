"""SQL on what has changed in a project, for live views: one function, one statement."""

from datetime import datetime, timedelta
from uuid import UUID

from servicekit.database import Connection

from experiment_service.models.changes import Place


async def select_changed_runs(
    connection: Connection, *, project_id: UUID, after: Place, limit: int
) -> list[tuple[Place, int]]:
    """The runs that changed after a place, in the order of their changes, with their weights."""
    rows = await connection.fetch(
        """
        SELECT change, id, weight
        FROM experiment.runs
        WHERE project_id = $1 AND (change, id) > ($2, $3)
        ORDER BY change, id
        LIMIT $4
        """,
        project_id,
        after.change,
        after.run_id,
        limit,
    )
    return [(Place(row["change"], row["id"]), row["weight"]) for row in rows]


async def select_change_before(connection: Connection, *, project_id: UUID, ago: timedelta) -> int:
    """How far the project had come some time ago, as far as its runs show it."""
    return await connection.fetchval(
        """
        SELECT coalesce(
            (
                SELECT change
                FROM experiment.runs
                WHERE project_id = $1 AND updated_at < clock_timestamp() - $2::interval
                ORDER BY change DESC
                LIMIT 1
            ),
            0
        )
        """,
        project_id,
        ago,
    )


async def select_metrics_progress(
    connection: Connection, *, project_id: UUID, limit: int
) -> dict[UUID, tuple[datetime, int]]:
    """How far the metrics of the newest running runs have come."""
    rows = await connection.fetch(
        """
        SELECT running.id, max(l.time) AS time, sum(l.step)::bigint AS steps
        FROM (
            SELECT id
            FROM experiment.runs
            WHERE project_id = $1 AND status = 'running'
            ORDER BY id DESC
            LIMIT $2
        ) AS running
        JOIN metrics.latest l ON l.run_id = running.id
        GROUP BY running.id
        """,
        project_id,
        limit,
    )
    return {row["id"]: (row["time"], row["steps"]) for row in rows}

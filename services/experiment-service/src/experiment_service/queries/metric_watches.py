"""SQL on limits of metrics: one function, one statement."""

from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_optional

from experiment_service.models.metric_watches import Crossing, MetricWatch


async def select_watch_project(connection: Connection, watch_id: UUID) -> UUID | None:
    """The project that the limit belongs to."""
    return await connection.fetchval(
        "SELECT project_id FROM experiment.metric_watches WHERE id = $1", watch_id
    )


async def select_watches(
    connection: Connection, *, project_id: UUID, after: UUID | None, limit: int
) -> list[MetricWatch]:
    """A project's limits in the order in which they were set, continuing after one."""
    return await fetch_all(
        connection,
        MetricWatch,
        """
        SELECT id, project_id, key, direction, threshold, created_by, created_at
        FROM experiment.metric_watches
        WHERE project_id = $1 AND ($2::uuid IS NULL OR id > $2)
        ORDER BY id
        LIMIT $3
        """,
        project_id,
        after,
        limit,
    )


async def lock_watches(connection: Connection, project_id: UUID) -> None:
    """Let new limits of a project take turns, until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('watches ' || $1::text, 0))",
        str(project_id),
    )


async def count_watches(connection: Connection, *, project_id: UUID) -> int:
    """How many limits the project has."""
    return await connection.fetchval(
        "SELECT count(*) FROM experiment.metric_watches WHERE project_id = $1", project_id
    )


async def insert_watch(connection: Connection, watch: MetricWatch) -> None:
    """Store a new limit."""
    await connection.execute(
        """
        INSERT INTO experiment.metric_watches (
            id, project_id, key, direction, threshold, created_by, created_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        watch.id,
        watch.project_id,
        watch.key,
        watch.direction,
        watch.threshold,
        watch.created_by,
        watch.created_at,
    )


async def delete_watch(connection: Connection, watch_id: UUID) -> MetricWatch | None:
    """Forget a limit; what it was, if there was one."""
    return await fetch_optional(
        connection,
        MetricWatch,
        """
        DELETE FROM experiment.metric_watches
        WHERE id = $1
        RETURNING id, project_id, key, direction, threshold, created_by, created_at
        """,
        watch_id,
    )


async def select_watched(connection: Connection) -> bool:
    """Whether there is any limit at all."""
    return await connection.fetchval("SELECT EXISTS (SELECT FROM experiment.metric_watches)")


async def insert_crossings(connection: Connection) -> list[Crossing]:
    """Note the runs that are beyond a limit and were not found so before.

    Looked at are runs that run, and those that ended a short while ago, whose last points may
    have come with their end.
    """
    return await fetch_all(
        connection,
        Crossing,
        """
        WITH watched AS (
            SELECT r.id, r.project_id
            FROM experiment.runs AS r
            WHERE r.status = 'running'
              AND r.project_id IN (SELECT project_id FROM experiment.metric_watches)
            UNION ALL
            SELECT r.id, r.project_id
            FROM experiment.runs AS r
            WHERE r.finished_at > now() - interval '10 minutes' AND r.status <> 'running'
              AND r.project_id IN (SELECT project_id FROM experiment.metric_watches)
        ), added AS (
            INSERT INTO experiment.metric_alarms (watch_id, run_id, at, value, step)
            SELECT w.id, r.id, clock_timestamp(), l.value, l.step
            FROM watched AS r
            JOIN experiment.metric_watches AS w ON w.project_id = r.project_id
            JOIN metrics.latest AS l
                ON l.run_id = r.id AND l.project_id = r.project_id AND l.key = w.key
            WHERE l.value <> 'NaN'
              AND CASE w.direction WHEN 'above' THEN l.value > w.threshold
                                   ELSE l.value < w.threshold END
            ON CONFLICT DO NOTHING
            RETURNING watch_id, run_id, at, value, step
        )
        SELECT a.watch_id, w.project_id, w.key, w.direction, w.threshold, a.run_id,
               r.name AS run_name, r.experiment_id, e.name AS experiment_name, a.value, a.step, a.at
        FROM added AS a
        JOIN experiment.metric_watches AS w ON w.id = a.watch_id
        JOIN experiment.runs AS r ON r.id = a.run_id
        JOIN experiment.experiments AS e ON e.id = r.experiment_id
        """,
    )

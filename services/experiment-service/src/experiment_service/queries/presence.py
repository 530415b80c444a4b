"""SQL on whether sensors are heard: one function, one statement."""

from servicekit.database import Connection, fetch_all

from experiment_service.models.presence import PresenceChange


async def lock_presence(connection: Connection) -> bool:
    """Be the one process that looks, until the transaction ends; whether it is this one."""
    return await connection.fetchval(
        "SELECT pg_try_advisory_xact_lock(hashtextextended('experiment.presence', 0))"
    )


async def upsert_presence(connection: Connection) -> list[PresenceChange]:
    """Note which sensors are offline; those that were not before, or no longer are, by project.

    A sensor is offline when nothing of it was received for five minutes, which is what its health
    says too. One that is seen for the first time is only noted: whoever has been silent for a year
    is no news when this begins.
    """
    return await fetch_all(
        connection,
        PresenceChange,
        """
        WITH seen AS (
            SELECT s.id, s.name, a.last_received_at, p.since AS before,
                   a.last_received_at <= now() - interval '5 minutes' AS offline
            FROM experiment.sensors AS s
            JOIN telemetry.sensor_activity AS a ON a.sensor_id = s.id
            LEFT JOIN experiment.sensor_presence AS p ON p.sensor_id = s.id
            WHERE s.status = 'active' AND a.last_received_at IS NOT NULL
              AND p.offline IS DISTINCT FROM (a.last_received_at <= now() - interval '5 minutes')
        ), noted AS (
            INSERT INTO experiment.sensor_presence AS p (sensor_id, offline, since)
            SELECT id, offline, now() FROM seen
            ON CONFLICT (sensor_id) DO UPDATE SET offline = excluded.offline, since = excluded.since
            RETURNING p.sensor_id, p.offline, p.since
        )
        SELECT n.sensor_id, s.name AS sensor_name, t.project_id, n.offline, s.last_received_at,
               CASE WHEN n.offline THEN n.since ELSE s.before END AS offline_since, n.since AS at
        FROM noted AS n
        JOIN seen AS s ON s.id = n.sensor_id
        JOIN experiment.sensor_places AS t ON t.sensor_id = n.sensor_id AND t.ended_at IS NULL
        WHERE s.before IS NOT NULL
        ORDER BY n.sensor_id, t.project_id
        """,
    )

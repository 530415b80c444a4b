"""SQL on the view that metrics-service publishes; there is none until it has migrated."""

from collections.abc import Sequence
from uuid import UUID

from servicekit.database import Connection


async def select_metrics_published(connection: Connection) -> bool:
    """Whether `metrics.latest` is there to be read."""
    return await connection.fetchval(
        """
        SELECT EXISTS (
            SELECT
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'metrics' AND c.relname = 'latest'
              AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
        )
        """
    )


async def select_latest_metrics(
    connection: Connection, *, run_ids: Sequence[UUID], limit: int
) -> dict[UUID, dict[str, float]]:
    """The latest value of each metric by run, of the first `limit` metrics by key."""
    rows = await connection.fetch(
        """
        SELECT wanted.run_id, latest.key, latest.value
        FROM unnest($1::uuid[]) AS wanted (run_id)
        CROSS JOIN LATERAL (
            SELECT l.key, l.value
            FROM metrics.latest l
            WHERE l.run_id = wanted.run_id
            ORDER BY l.key
            LIMIT $2
        ) AS latest
        """,
        run_ids,
        limit,
    )
    found: dict[UUID, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row["run_id"], {})[row["key"]] = row["value"]
    return found

"""SQL on the view that telemetry-ingest-service publishes; there is none until it has migrated."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection


@dataclass(frozen=True, slots=True)
class Activity:
    """When sensors last sent something and how much in all, column by column."""

    sensor_ids: list[UUID] = field(default_factory=list[UUID])
    last_received_at: list[datetime] = field(default_factory=list[datetime])
    readings: list[int] = field(default_factory=list[int])


async def select_activity_published(connection: Connection) -> bool:
    """Whether `telemetry.sensor_activity` is there to be read."""
    return await connection.fetchval(
        """
        SELECT EXISTS (
            SELECT
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'telemetry' AND c.relname = 'sensor_activity'
              AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
        )
        """
    )


async def select_activity(connection: Connection, sensor_ids: Sequence[UUID]) -> Activity:
    """What those of the sensors did that have ever sent anything."""
    rows = await connection.fetch(
        """
        SELECT sensor_id, last_received_at, readings::bigint AS readings
        FROM telemetry.sensor_activity
        WHERE sensor_id = ANY($1::uuid[]) AND last_received_at IS NOT NULL
        """,
        sensor_ids,
    )
    return Activity(
        [row["sensor_id"] for row in rows],
        [row["last_received_at"] for row in rows],
        [row["readings"] for row in rows],
    )

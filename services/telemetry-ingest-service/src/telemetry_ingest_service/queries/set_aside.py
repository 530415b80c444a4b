"""SQL on batches that cannot be stored."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_all

from telemetry_ingest_service.models.set_aside import SetAside


@dataclass(frozen=True, slots=True)
class NewSetAside:
    """A batch and why it cannot be stored; sensor and project only where they can be read."""

    id: UUID
    sensor_id: UUID | None
    project_id: UUID | None
    batch_id: UUID | None
    received_at: datetime
    reason: str
    readings: int
    signals: list[str]
    record: bytes


async def insert_set_aside(connection: Connection, new: NewSetAside) -> bool:
    """Put a batch aside; false where it is there already, from an earlier try."""
    inserted = await connection.fetchval(
        """
        INSERT INTO set_aside (
            id, sensor_id, project_id, batch_id, received_at, reason, readings, signals, record
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (sensor_id, batch_id) DO NOTHING
        RETURNING true
        """,
        new.id,
        new.sensor_id,
        new.project_id,
        new.batch_id,
        new.received_at,
        new.reason,
        new.readings,
        new.signals,
        new.record,
    )
    return bool(inserted)


async def select_set_aside(
    connection: Connection,
    *,
    project_id: UUID,
    sensor_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[SetAside]:
    """Batches of a project, the last first, continuing after one."""
    return await fetch_all(
        connection,
        SetAside,
        """
        SELECT id, sensor_id, project_id, batch_id, received_at, set_aside_at, reason, readings,
               signals, octet_length(record) AS bytes
        FROM set_aside
        WHERE project_id = $1
          AND ($2::uuid IS NULL OR sensor_id = $2)
          AND ($3::uuid IS NULL OR id < $3)
        ORDER BY id DESC
        LIMIT $4
        """,
        project_id,
        sensor_id,
        before,
        limit,
    )


async def select_project_of_set_aside(connection: Connection, set_aside_id: UUID) -> UUID | None:
    """The project that the batch belongs to."""
    return await connection.fetchval("SELECT project_id FROM set_aside WHERE id = $1", set_aside_id)


async def delete_set_aside(connection: Connection, set_aside_id: UUID) -> bytes | None:
    """Take a batch out; its record, or None where it is gone."""
    return await connection.fetchval(
        "DELETE FROM set_aside WHERE id = $1 RETURNING record", set_aside_id
    )

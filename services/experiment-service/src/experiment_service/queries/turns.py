"""SQL on the order of changes: one function, one statement."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_one

from experiment_service.models.turns import Turn


async def update_turn(connection: Connection, *, project_id: UUID) -> Turn:
    """Take the next turn in a project and hold it until the transaction ends."""
    return await fetch_one(
        connection,
        Turn,
        """
        INSERT INTO experiment.project_changes AS c (project_id, last_change)
        VALUES ($1, 1)
        ON CONFLICT (project_id) DO UPDATE SET last_change = c.last_change + 1
        RETURNING last_change AS change, clock_timestamp() AS at
        """,
        project_id,
    )


async def select_now(connection: Connection) -> datetime:
    """The database's time, which all stored times are in."""
    return await connection.fetchval("SELECT clock_timestamp()")


async def select_last_changes(
    connection: Connection, *, project_ids: Iterable[UUID]
) -> dict[UUID, int]:
    """How far each of the projects has come."""
    rows = await connection.fetch(
        """
        SELECT project_id, last_change
        FROM experiment.project_changes
        WHERE project_id = ANY($1)
        """,
        list(project_ids),
    )
    return {row["project_id"]: row["last_change"] for row in rows}

"""Forgetting: whole chunks, never single points, in bounded steps."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from seriesstore.append import Connection


async def delete_owners(connection: Connection, owner_ids: Sequence[UUID]) -> None:
    """Everything of these owners, in the caller's transaction."""
    await connection.execute(
        """
        DELETE FROM chunks USING series
        WHERE chunks.series_id = series.id AND series.owner_id = ANY ($1::uuid[])
        """,
        owner_ids,
    )
    await connection.execute("DELETE FROM series WHERE owner_id = ANY ($1::uuid[])", owner_ids)


async def delete_chunks_before(
    connection: Connection, series_id: int, x: int, *, at_most: int = 1000
) -> int:
    """Chunks of a series that end before x; answers how many went. The summary stays as it was."""
    deleted = await connection.fetch(
        """
        DELETE FROM chunks
        WHERE id IN (SELECT id FROM chunks WHERE series_id = $1 AND last_x < $2 LIMIT $3)
        RETURNING id
        """,
        series_id,
        x,
        at_most,
    )
    return len(deleted)


async def forget_batches(connection: Connection, before: datetime, *, at_most: int = 10_000) -> int:
    """Batch ids received before a time; a repeat of one would be stored again afterwards."""
    deleted = await connection.fetch(
        """
        DELETE FROM batches
        WHERE id IN (
            SELECT id FROM batches WHERE received_at < $1 ORDER BY received_at LIMIT $2
        )
        RETURNING id
        """,
        before,
        at_most,
    )
    return len(deleted)

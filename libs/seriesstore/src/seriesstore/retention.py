"""Forgetting: whole owners, whole chunks and old names of batches, never single points."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from seriesstore.append import Connection


async def delete_owners(connection: Connection, owner_ids: Sequence[UUID]) -> None:
    """Everything of these owners, in the caller's transaction."""
    # In this order writers and compaction wait, and leave nothing behind.
    await connection.execute(
        "SELECT FROM owners WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE", owner_ids
    )
    await connection.execute("DELETE FROM series WHERE owner_id = ANY ($1::uuid[])", owner_ids)
    await connection.execute("DELETE FROM chunks WHERE owner_id = ANY ($1::uuid[])", owner_ids)
    await connection.execute("DELETE FROM batches WHERE owner_id = ANY ($1::uuid[])", owner_ids)
    await connection.execute("DELETE FROM owners WHERE id = ANY ($1::uuid[])", owner_ids)


async def delete_chunks_before(
    connection: Connection, series_id: int, x: int, *, at_most: int = 1000
) -> int:
    """Chunks of a series that end before x; answers how many went. The summary stays as it was."""
    deleted = await connection.fetch(
        """
        DELETE FROM chunks
        WHERE series_id = $1 AND (first_ordinal, part) IN (
            SELECT first_ordinal, part FROM chunks WHERE series_id = $1 AND last_x < $2 LIMIT $3
        )
        RETURNING series_id
        """,
        series_id,
        x,
        at_most,
    )
    return len(deleted)


async def forget_batches(connection: Connection, before: datetime, *, at_most: int = 10_000) -> int:
    """Names of batches received before a time; a repeat of one would be stored again afterwards."""
    deleted = await connection.fetch(
        """
        DELETE FROM batches
        WHERE (owner_id, id) IN (
            SELECT owner_id, id FROM batches WHERE received_at < $1 LIMIT $2
        )
        RETURNING id
        """,
        before,
        at_most,
    )
    return len(deleted)

"""SQL on objects: one function, one statement."""

from uuid import UUID

from servicekit.database import Connection


async def insert_object(connection: Connection, *, object_id: UUID) -> None:
    """Announce an object before its first byte is written, so that the collector knows of it."""
    await connection.execute("INSERT INTO objects (id) VALUES ($1)", object_id)


async def update_sign_of_life(connection: Connection, *, object_id: UUID) -> None:
    """Say that an upload still goes on."""
    await connection.execute(
        "UPDATE objects SET suspect_since = now() WHERE id = $1 AND state = 'arriving'", object_id
    )


async def update_stored(
    connection: Connection, *, object_id: UUID, sha256: bytes, size: int, detected: str
) -> bool:
    """Say that an object is complete; whether the collector had not given it up.

    Raises:
        UniqueViolationError: objects_sha256_key; there is another of the same content.
    """
    return bool(
        await connection.fetchval(
            """
            UPDATE objects
            SET state = 'stored', sha256 = $2, size = $3, detected_media_type = $4,
                suspect_since = NULL
            WHERE id = $1 AND state = 'arriving'
            RETURNING true
            """,
            object_id,
            sha256,
            size,
            detected,
        )
    )


async def lock_stored(connection: Connection, *, sha256: bytes) -> UUID | None:
    """The object of that content, if there is one; until the transaction ends it stays.

    FOR SHARE waits for the collector where it is about to remove it, and then finds none.
    """
    return await connection.fetchval(
        "SELECT id FROM objects WHERE sha256 = $1 AND state = 'stored' FOR SHARE", sha256
    )


async def update_suspect(connection: Connection, *, object_ids: list[UUID]) -> None:
    """Let the collector look whether anything still names the objects."""
    await connection.execute(
        "UPDATE objects SET suspect_since = now() WHERE id = ANY($1) AND state = 'stored'",
        object_ids,
    )


async def update_leaving(connection: Connection, *, object_id: UUID) -> None:
    """Give an upload up."""
    await connection.execute(
        """
        UPDATE objects SET state = 'leaving', suspect_since = now()
        WHERE id = $1 AND state = 'arriving'
        """,
        object_id,
    )


async def lock_suspects(connection: Connection, *, older_than: float, limit: int) -> list[UUID]:
    """Some objects that nothing has vouched for since `older_than` seconds, or leave already.

    Those that an upload is claiming right now are passed over.
    """
    rows = await connection.fetch(
        """
        SELECT id
        FROM objects
        WHERE suspect_since < now() - make_interval(secs => $1)
        ORDER BY suspect_since
        LIMIT $2
        FOR UPDATE SKIP LOCKED
        """,
        older_than,
        limit,
    )
    return [row["id"] for row in rows]


async def update_cleared(connection: Connection, *, object_ids: list[UUID]) -> None:
    """Take the suspicion off those that files name."""
    await connection.execute(
        """
        UPDATE objects SET suspect_since = NULL
        WHERE id = ANY($1) AND state = 'stored'
          AND EXISTS (SELECT FROM artifacts WHERE object_id = objects.id)
        """,
        object_ids,
    )


async def update_unneeded(connection: Connection, *, object_ids: list[UUID]) -> list[UUID]:
    """Condemn those that no file names; answers all of them that are to be removed.

    The rows must be locked by an earlier statement: only then does this one see every file that
    claimed one before.
    """
    rows = await connection.fetch(
        """
        UPDATE objects SET state = 'leaving'
        WHERE id = ANY($1)
          AND NOT EXISTS (SELECT FROM artifacts WHERE object_id = objects.id)
        RETURNING id
        """,
        object_ids,
    )
    return [row["id"] for row in rows]


async def delete_object(connection: Connection, *, object_id: UUID) -> None:
    """Forget an object that the store no longer holds."""
    await connection.execute("DELETE FROM objects WHERE id = $1 AND state = 'leaving'", object_id)

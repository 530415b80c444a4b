"""SQL on uploads in parts: one function, one statement."""

from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_one, fetch_optional

from artifact_service.models.artifacts import Holder
from artifact_service.models.uploads import StoredUpload, UploadPart


async def insert_upload(
    connection: Connection,
    *,
    upload_id: UUID,
    holder: Holder,
    path: str,
    size: int,
    part_size: int,
    loose: bool,
    sha256: bytes | None,
    object_id: UUID,
    created_by: UUID,
    keep_sec: float,
) -> StoredUpload:
    """Begin an upload."""
    return await fetch_one(
        connection,
        StoredUpload,
        """
        INSERT INTO uploads (id, holder, holder_id, path, size, part_size, loose, sha256,
                             object_id, created_by, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now() + make_interval(secs => $11))
        RETURNING id, holder, holder_id, path, size, part_size, loose, sha256, object_id,
                  artifact_id, created_at, expires_at
        """,
        upload_id,
        holder.kind,
        holder.id,
        path,
        size,
        part_size,
        loose,
        sha256,
        object_id,
        created_by,
        keep_sec,
    )


async def select_upload(connection: Connection, upload_id: UUID) -> StoredUpload | None:
    """One upload, unless the collector has condemned it."""
    return await fetch_optional(
        connection,
        StoredUpload,
        """
        SELECT uploads.id, uploads.holder, uploads.holder_id, uploads.path, uploads.size,
               uploads.part_size, uploads.loose, uploads.sha256, uploads.object_id,
               uploads.artifact_id, uploads.created_at, uploads.expires_at
        FROM uploads
        LEFT JOIN objects ON objects.id = uploads.object_id
        WHERE uploads.id = $1 AND (uploads.object_id IS NULL OR objects.state = 'arriving')
        """,
        upload_id,
    )


async def select_upload_project(connection: Connection, upload_id: UUID) -> UUID | None:
    """The project of the run that an upload is for."""
    return await connection.fetchval(
        """
        SELECT runs.project_id
        FROM uploads
        JOIN experiment.run_projects AS runs ON runs.run_id = uploads.holder_id
        WHERE uploads.id = $1 AND uploads.holder = 'run'
        """,
        upload_id,
    )


async def select_parts(connection: Connection, upload_id: UUID) -> list[UploadPart]:
    """The parts that are there, by number."""
    return await fetch_all(
        connection,
        UploadPart,
        "SELECT number, size, sha256 FROM upload_parts WHERE upload_id = $1 ORDER BY number",
        upload_id,
    )


async def update_still_coming(
    connection: Connection, *, upload_id: UUID, object_id: UUID, keep_sec: float
) -> bool:
    """Put off the end of an upload; whether it still takes parts.

    The object's row is written first, so that the collector either sees that or was first.
    """
    return bool(
        await connection.fetchval(
            """
            WITH object AS (
                UPDATE objects SET suspect_since = now() + make_interval(secs => $3)
                WHERE id = $2 AND state = 'arriving'
                RETURNING id
            )
            UPDATE uploads SET expires_at = now() + make_interval(secs => $3)
            FROM object
            WHERE uploads.id = $1 AND uploads.object_id = object.id
              AND (joining_until IS NULL OR joining_until < now())
            RETURNING true
            """,
            upload_id,
            object_id,
            keep_sec,
        )
    )


async def update_joining(connection: Connection, *, upload_id: UUID, lease_sec: float) -> bool:
    """Take the turn to put the parts together; whether nobody else has it."""
    return bool(
        await connection.fetchval(
            """
            UPDATE uploads SET joining_until = now() + make_interval(secs => $2)
            WHERE id = $1 AND artifact_id IS NULL
              AND (joining_until IS NULL OR joining_until < now())
            RETURNING true
            """,
            upload_id,
            lease_sec,
        )
    )


async def update_still_joining(
    connection: Connection, *, upload_id: UUID, object_id: UUID, lease_sec: float
) -> None:
    """Say that the parts are still being put together."""
    await connection.execute(
        """
        WITH object AS (
            UPDATE objects
            SET suspect_since = greatest(suspect_since, now() + make_interval(secs => $3))
            WHERE id = $2 AND state = 'arriving'
        )
        UPDATE uploads SET joining_until = now() + make_interval(secs => $3)
        WHERE id = $1 AND joining_until IS NOT NULL
        """,
        upload_id,
        object_id,
        lease_sec,
    )


async def update_not_joining(connection: Connection, *, upload_id: UUID) -> None:
    """Give the turn back."""
    await connection.execute("UPDATE uploads SET joining_until = NULL WHERE id = $1", upload_id)


async def update_completed(
    connection: Connection, *, upload_id: UUID, artifact_id: UUID, keep_sec: float
) -> None:
    """Say what an upload became; for a while it is told to whoever asks again."""
    await connection.execute(
        """
        UPDATE uploads
        SET artifact_id = $2, object_id = NULL, joining_until = NULL,
            expires_at = now() + make_interval(secs => $3)
        WHERE id = $1
        """,
        upload_id,
        artifact_id,
        keep_sec,
    )


async def delete_part(connection: Connection, *, upload_id: UUID, number: int) -> None:
    """Forget a part, because it is about to be written again or was found to be broken."""
    await connection.execute(
        "DELETE FROM upload_parts WHERE upload_id = $1 AND number = $2", upload_id, number
    )


async def upsert_part(
    connection: Connection, *, upload_id: UUID, number: int, size: int, sha256: bytes
) -> UploadPart:
    """Say that a part is there."""
    return await fetch_one(
        connection,
        UploadPart,
        """
        INSERT INTO upload_parts (upload_id, number, size, sha256) VALUES ($1, $2, $3, $4)
        ON CONFLICT (upload_id, number) DO UPDATE
            SET size = excluded.size, sha256 = excluded.sha256
        RETURNING number, size, sha256
        """,
        upload_id,
        number,
        size,
        sha256,
    )


async def select_in_parts(connection: Connection, object_ids: list[UUID]) -> dict[UUID, int]:
    """Which objects were to come in parts, and in how many at most."""
    rows = await connection.fetch(
        """
        SELECT object_id, (size + part_size - 1) / part_size AS count
        FROM uploads WHERE object_id = ANY($1)
        """,
        object_ids,
    )
    return {row["object_id"]: row["count"] for row in rows}


async def delete_completed(connection: Connection) -> None:
    """Forget uploads that were completed long ago."""
    await connection.execute(
        "DELETE FROM uploads WHERE artifact_id IS NOT NULL AND expires_at < now()"
    )

"""SQL on files of runs and models: one function, one statement."""

from collections.abc import Sequence
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_one, fetch_optional

from artifact_service.models.artifacts import Entry, Holder, StoredArtifact
from artifact_service.models.lookups import RunArtifact


async def lock_holder(connection: Connection, holder_id: UUID) -> None:
    """Let changes of one holder's files take turns until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('artifacts of ' || $1::uuid::text, 0))",
        holder_id,
    )


async def select_artifact(
    connection: Connection, *, holder_id: UUID, path: str
) -> StoredArtifact | None:
    """One file."""
    return await fetch_optional(
        connection,
        StoredArtifact,
        """
        SELECT artifacts.id, artifacts.path, objects.size, artifacts.media_type, objects.sha256,
               artifacts.description, artifacts.approved_by IS NOT NULL AS approved,
               artifacts.created_by, artifacts.created_at, artifacts.object_id,
               objects.detected_media_type
        FROM artifacts
        JOIN objects ON objects.id = artifacts.object_id
        WHERE artifacts.holder_id = $1 AND artifacts.path = $2
        """,
        holder_id,
        path,
    )


async def select_taken(
    connection: Connection, *, holder_id: UUID, path: str, above: list[str]
) -> str | None:
    """A file where the path wants a folder, or one below what the path wants to be a file."""
    return await connection.fetchval(
        """
        (SELECT path FROM artifacts WHERE holder_id = $1 AND path = ANY($3::text[]) LIMIT 1)
        UNION ALL
        (SELECT path FROM artifacts
         WHERE holder_id = $1 AND path > $2 || '/' AND path < $2 || '0'
         LIMIT 1)
        LIMIT 1
        """,
        holder_id,
        path,
        above,
    )


async def upsert_artifact(
    connection: Connection,
    *,
    artifact_id: UUID,
    holder: Holder,
    path: str,
    object_id: UUID,
    media_type: str,
    created_by: UUID,
) -> StoredArtifact:
    """Make the file, or put its content in the place of what was at its path.

    What people said of the file stays; an approval only as long as the content does.
    """
    return await fetch_one(
        connection,
        StoredArtifact,
        """
        WITH put AS (
            INSERT INTO artifacts
                (id, holder, holder_id, path, object_id, media_type, created_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT ON CONSTRAINT artifacts_path_key DO UPDATE SET
                object_id = excluded.object_id,
                media_type = excluded.media_type,
                created_by = excluded.created_by,
                created_at = excluded.created_at,
                approved_by = CASE WHEN artifacts.object_id = excluded.object_id
                                   THEN artifacts.approved_by END,
                approved_at = CASE WHEN artifacts.object_id = excluded.object_id
                                   THEN artifacts.approved_at END,
                approval_note = CASE WHEN artifacts.object_id = excluded.object_id
                                     THEN artifacts.approval_note ELSE '' END
            RETURNING id, path, object_id, media_type, description, approved_by,
                      created_by, created_at
        )
        SELECT put.id, put.path, objects.size, put.media_type, objects.sha256,
               put.description, put.approved_by IS NOT NULL AS approved,
               put.created_by, put.created_at, put.object_id, objects.detected_media_type
        FROM put
        JOIN objects ON objects.id = put.object_id
        """,
        artifact_id,
        holder.kind,
        holder.id,
        path,
        object_id,
        media_type,
        created_by,
    )


async def delete_artifact(connection: Connection, *, holder_id: UUID, path: str) -> list[UUID]:
    """Remove a file; answers the object that it named."""
    rows = await connection.fetch(
        "DELETE FROM artifacts WHERE holder_id = $1 AND path = $2 RETURNING object_id",
        holder_id,
        path,
    )
    return [row["object_id"] for row in rows]


async def delete_folder(connection: Connection, *, holder_id: UUID, folder: str) -> list[UUID]:
    """Remove all files below a folder, every file for the topmost; answers what they named."""
    rows = await connection.fetch(
        """
        DELETE FROM artifacts
        WHERE holder_id = $1 AND ($2 = '' OR (path > $2 || '/' AND path < $2 || '0'))
        RETURNING object_id
        """,
        holder_id,
        folder,
    )
    return [row["object_id"] for row in rows]


async def select_entries(
    connection: Connection, *, holder_id: UUID, folder: str, seek: str, limit: int
) -> list[Entry]:
    """What stands in a folder, by name, continuing at `seek`, see `Entry.seek_next`.

    Each step finds the next path behind the last entry and, where that is deeper down, passes
    over all the rest of the folder below: the work goes by the entries, not by the files.
    '0' follows '/' in byte order, and no path holds a control character or U+10FFFF.
    """
    return await fetch_all(
        connection,
        Entry,
        """
        WITH RECURSIVE inside AS (
            SELECT CASE WHEN $2 = '' THEN '' ELSE $2 || '/' END COLLATE "C" AS prefix,
                   CASE WHEN $2 = '' THEN chr(1114111) ELSE $2 || '0' END COLLATE "C" AS beyond
        ), steps AS (
            SELECT greatest($3, inside.prefix) COLLATE "C" AS seek, 0 AS number,
                   false AS is_folder, NULL::text COLLATE "C" AS path,
                   NULL::uuid AS id, NULL::uuid AS object_id, NULL::text AS media_type,
                   NULL::text AS description, NULL::boolean AS approved,
                   NULL::uuid AS created_by, NULL::timestamptz AS created_at
            FROM inside
            UNION ALL
            SELECT CASE WHEN next.is_folder THEN next.folder || '0' ELSE next.path || chr(1) END
                       COLLATE "C",
                   steps.number + 1,
                   next.is_folder,
                   CASE WHEN next.is_folder THEN next.folder ELSE next.path END COLLATE "C",
                   next.id, next.object_id, next.media_type, next.description, next.approved,
                   next.created_by, next.created_at
            FROM steps, inside, LATERAL (
                SELECT path, id, object_id, media_type, description,
                       approved_by IS NOT NULL AS approved, created_by, created_at,
                       strpos(substr(path, length(inside.prefix) + 1), '/') > 0 AS is_folder,
                       inside.prefix
                           || split_part(substr(path, length(inside.prefix) + 1), '/', 1) AS folder
                FROM artifacts
                WHERE holder_id = $1 AND artifacts.path >= steps.seek
                  AND artifacts.path < inside.beyond
                ORDER BY artifacts.path
                LIMIT 1
            ) AS next
            WHERE steps.number < $4
        )
        SELECT CASE WHEN steps.is_folder THEN 'folder' ELSE 'file' END AS kind,
               CASE WHEN NOT steps.is_folder THEN steps.id END AS id,
               steps.path, objects.size, objects.sha256,
               CASE WHEN NOT steps.is_folder THEN steps.description END AS description,
               CASE WHEN NOT steps.is_folder THEN steps.approved END AS approved,
               CASE WHEN NOT steps.is_folder THEN steps.media_type END AS media_type,
               CASE WHEN NOT steps.is_folder THEN steps.created_by END AS created_by,
               CASE WHEN NOT steps.is_folder THEN steps.created_at END AS created_at
        FROM steps
        LEFT JOIN objects ON NOT steps.is_folder AND objects.id = steps.object_id
        WHERE steps.number > 0
        ORDER BY steps.number
        """,
        holder_id,
        folder,
        seek,
        limit,
    )


async def select_artifacts_of_runs(
    connection: Connection, *, run_ids: Sequence[UUID], limit: int
) -> list[RunArtifact]:
    """The files of several runs by path."""
    return await fetch_all(
        connection,
        RunArtifact,
        """
        SELECT artifacts.id, artifacts.holder_id AS run_id, artifacts.path, objects.size,
               objects.sha256, artifacts.media_type
        FROM artifacts
        JOIN objects ON objects.id = artifacts.object_id
        WHERE artifacts.holder = 'run' AND artifacts.holder_id = ANY ($1::uuid[])
        ORDER BY artifacts.path, artifacts.holder_id
        LIMIT $2
        """,
        run_ids,
        limit,
    )


async def select_below(
    connection: Connection, *, holder_id: UUID, folder: str, after: str, limit: int
) -> list[StoredArtifact]:
    """Files at any depth below a folder, every file for the topmost, by path, behind `after`."""
    return await fetch_all(
        connection,
        StoredArtifact,
        """
        SELECT artifacts.id, artifacts.path, objects.size, artifacts.media_type, objects.sha256,
               artifacts.description, artifacts.approved_by IS NOT NULL AS approved,
               artifacts.created_by, artifacts.created_at, artifacts.object_id,
               objects.detected_media_type
        FROM artifacts
        JOIN objects ON objects.id = artifacts.object_id
        WHERE artifacts.holder_id = $1 AND artifacts.path > $3
          AND ($2 = '' OR (artifacts.path > $2 || '/' AND artifacts.path < $2 || '0'))
        ORDER BY artifacts.path
        LIMIT $4
        """,
        holder_id,
        folder,
        after,
        limit,
    )


async def count_below(connection: Connection, *, holder_id: UUID, folder: str, limit: int) -> int:
    """How many files stand at any depth below a folder, counted up to `limit`."""
    return await connection.fetchval(
        """
        SELECT count(*) FROM (
            SELECT FROM artifacts
            WHERE holder_id = $1 AND ($2 = '' OR (path > $2 || '/' AND path < $2 || '0'))
            LIMIT $3
        ) AS found
        """,
        holder_id,
        folder,
        limit,
    )

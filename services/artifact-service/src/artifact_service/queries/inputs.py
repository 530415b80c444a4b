"""SQL on which run used which file: one function, one statement."""

from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_one

from artifact_service.models.details import Input, Use
from artifact_service.queries.details import DetailedArtifact


async def upsert_input(
    connection: Connection,
    *,
    run_id: UUID,
    artifact: DetailedArtifact,
    project_id: UUID,
    role: str,
    created_by: UUID,
) -> Input:
    """Note that a run uses a file as it is now."""
    return await fetch_one(
        connection,
        Input,
        """
        INSERT INTO inputs (run_id, artifact_id, project_id, source_run_id, path, size, sha256,
                            role, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (run_id, artifact_id) DO UPDATE
            SET path = excluded.path, size = excluded.size, sha256 = excluded.sha256,
                role = excluded.role
        RETURNING run_id, artifact_id, project_id, source_run_id, path, size, sha256, role,
                  created_by, created_at, true AS current
        """,
        run_id,
        artifact.id,
        project_id,
        artifact.holder_id if artifact.holder == "run" else None,
        artifact.path,
        artifact.size,
        artifact.sha256,
        role,
        created_by,
    )


async def select_inputs(connection: Connection, *, run_id: UUID, limit: int) -> list[Input]:
    """What a run used, in the order in which that was noted."""
    return await fetch_all(
        connection,
        Input,
        """
        SELECT inputs.run_id, inputs.artifact_id, inputs.project_id, inputs.source_run_id,
               inputs.path, inputs.size, inputs.sha256, inputs.role, inputs.created_by,
               inputs.created_at, objects.sha256 IS NOT DISTINCT FROM inputs.sha256 AS current
        FROM inputs
        LEFT JOIN artifacts ON artifacts.id = inputs.artifact_id
        LEFT JOIN objects ON objects.id = artifacts.object_id
        WHERE inputs.run_id = $1
        ORDER BY inputs.created_at, inputs.artifact_id
        LIMIT $2
        """,
        run_id,
        limit,
    )


async def count_inputs(connection: Connection, run_id: UUID) -> int:
    """How many files a run used."""
    return await connection.fetchval("SELECT count(*) FROM inputs WHERE run_id = $1", run_id)


async def select_uses(connection: Connection, *, artifact_id: UUID, limit: int) -> list[Use]:
    """The runs that used a file, the latest first; runs that are gone are left out."""
    return await fetch_all(
        connection,
        Use,
        """
        SELECT inputs.run_id, runs.project_id, inputs.sha256, inputs.role, inputs.created_by,
               inputs.created_at
        FROM inputs
        JOIN experiment.run_projects AS runs ON runs.run_id = inputs.run_id
        WHERE inputs.artifact_id = $1
        ORDER BY inputs.created_at DESC, inputs.run_id
        LIMIT $2
        """,
        artifact_id,
        limit,
    )

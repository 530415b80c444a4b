"""SQL on what is said of files: one function, one statement."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from servicekit.database import Connection, fetch_optional

from artifact_service.models.artifacts import StoredArtifact


class DetailedArtifact(StoredArtifact):
    """A file with what it belongs to and what people say of it."""

    holder: str
    holder_id: UUID
    metadata: dict[str, Any] = Field(default={})
    approved_by: UUID | None
    approved_at: datetime | None
    approval_note: str


async def select_details(connection: Connection, artifact_id: UUID) -> DetailedArtifact | None:
    """One file by its id."""
    return await fetch_optional(
        connection,
        DetailedArtifact,
        """
        SELECT artifacts.id, artifacts.path, objects.size, artifacts.media_type, objects.sha256,
               artifacts.description, artifacts.approved_by IS NOT NULL AS approved,
               artifacts.created_by, artifacts.created_at, artifacts.object_id,
               objects.detected_media_type, artifacts.holder, artifacts.holder_id,
               artifacts.metadata, artifacts.approved_by, artifacts.approved_at,
               artifacts.approval_note
        FROM artifacts
        JOIN objects ON objects.id = artifacts.object_id
        WHERE artifacts.id = $1
        """,
        artifact_id,
    )


async def lock_artifact(connection: Connection, artifact_id: UUID) -> None:
    """Let changes of one file take turns until the transaction ends."""
    await connection.execute("SELECT FROM artifacts WHERE id = $1 FOR UPDATE", artifact_id)


async def update_said(
    connection: Connection, *, artifact_id: UUID, description: str, metadata: dict[str, Any]
) -> None:
    """Store what people say of a file."""
    await connection.execute(
        "UPDATE artifacts SET description = $2, metadata = $3 WHERE id = $1",
        artifact_id,
        description,
        metadata,
    )


async def update_approval(
    connection: Connection, *, artifact_id: UUID, user_id: UUID | None, note: str
) -> None:
    """Approve a file's content, or take that back where `user_id` is None."""
    await connection.execute(
        """
        UPDATE artifacts
        SET approved_by = $2, approval_note = $3,
            approved_at = CASE WHEN $2::uuid IS NOT NULL THEN now() END
        WHERE id = $1
        """,
        artifact_id,
        user_id,
        note,
    )


async def select_artifact_project(connection: Connection, artifact_id: UUID) -> UUID | None:
    """The project of a file's run or model."""
    return await connection.fetchval(
        """
        SELECT coalesce(runs.project_id, models.project_id)
        FROM artifacts
        LEFT JOIN experiment.run_projects AS runs
            ON artifacts.holder = 'run' AND runs.run_id = artifacts.holder_id
        LEFT JOIN experiment.logged_model_projects AS models
            ON artifacts.holder = 'model' AND models.model_id = artifacts.holder_id
        WHERE artifacts.id = $1
        """,
        artifact_id,
    )

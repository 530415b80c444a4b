"""What is said of a file: reading it, changing it, approving its content."""

from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.events import EventKind
from servicekit.identity import Principal
from servicekit.problems import Invalid, NotFound

from artifact_service.errors import OtherContent
from artifact_service.models.artifacts import Holder
from artifact_service.models.details import (
    Approval,
    ArtifactChange,
    ArtifactDetails,
    Metadata,
    NewApproval,
    merged,
)
from artifact_service.models.events import (
    ARTIFACT_APPROVAL_WITHDRAWN,
    ARTIFACT_APPROVED,
    ARTIFACT_CHANGED,
    FileData,
)
from artifact_service.models.kinds import kind_of
from artifact_service.operations.holders import check_writable
from artifact_service.operations.telling import tell_of_file
from artifact_service.queries.details import (
    DetailedArtifact,
    lock_artifact,
    select_artifact_project,
    select_details,
    update_approval,
    update_said,
)

from pydantic import TypeAdapter, ValidationError  # isort: skip

_METADATA: TypeAdapter[object] = TypeAdapter(Metadata)


async def read_by_id(database: Database, artifact_id: UUID) -> DetailedArtifact:
    """A file by its id.

    Raises:
        NotFound: there is none.
    """
    async with database.acquire() as connection:
        return await _found(connection, artifact_id)


async def read_details(database: Database, artifact_id: UUID) -> ArtifactDetails:
    """Everything that is known of a file.

    Raises:
        NotFound: there is none.
    """
    async with database.acquire() as connection:
        return await _details(connection, artifact_id)


async def change_artifact(
    database: Database, artifact_id: UUID, change: ArtifactChange
) -> ArtifactDetails:
    """Change what the patch names.

    Raises:
        NotFound: there is no such file.
        RunArchived: its run takes no changes.
        Invalid: the metadata would become too large.
    """
    async with database.acquire() as connection, connection.transaction():
        artifact = await _changing(connection, artifact_id)
        metadata = merged(artifact.metadata, change.given.get("metadata", {}))
        try:
            _METADATA.validate_python(metadata)
        except ValidationError as exc:
            msg = "The metadata would become larger than 64 KiB."
            raise Invalid(msg) from exc
        await update_said(
            connection,
            artifact_id=artifact_id,
            description=change.given.get("description", artifact.description),
            metadata=metadata if isinstance(metadata, dict) else {},
        )
        return await _told(connection, ARTIFACT_CHANGED, artifact)


async def approve_artifact(
    database: Database, principal: Principal, artifact_id: UUID, approval: NewApproval
) -> ArtifactDetails:
    """Say that the file's content is good.

    Raises:
        NotFound: there is no such file.
        RunArchived: its run takes no changes.
        OtherContent: it has another content than the one that was looked at.
    """
    async with database.acquire() as connection, connection.transaction():
        artifact = await _changing(connection, artifact_id)
        if artifact.sha256.hex() != approval.sha256:
            msg = f"Its SHA-256 is {artifact.sha256.hex()}."
            raise OtherContent(msg)
        await update_approval(
            connection, artifact_id=artifact_id, user_id=principal.user_id, note=approval.note
        )
        return await _told(connection, ARTIFACT_APPROVED, artifact)


async def withdraw_approval(database: Database, artifact_id: UUID) -> None:
    """Take an approval back; one that is not there is fine.

    Raises:
        NotFound: there is no such file.
        RunArchived: its run takes no changes.
    """
    async with database.acquire() as connection, connection.transaction():
        artifact = await _changing(connection, artifact_id)
        if artifact.approved:
            await update_approval(connection, artifact_id=artifact_id, user_id=None, note="")
            await _told(connection, ARTIFACT_APPROVAL_WITHDRAWN, artifact)


async def _found(connection: Connection, artifact_id: UUID) -> DetailedArtifact:
    artifact = await select_details(connection, artifact_id)
    if artifact is None:
        raise NotFound
    return artifact


async def _changing(connection: Connection, artifact_id: UUID) -> DetailedArtifact:
    await lock_artifact(connection, artifact_id)
    artifact = await _found(connection, artifact_id)
    await check_writable(connection, holder_of(artifact))
    return artifact


async def _told(
    connection: Connection, kind: EventKind[FileData], artifact: DetailedArtifact
) -> ArtifactDetails:
    """Tell of the change, and answer the file as it is now."""
    details = await _details(connection, artifact.id)
    await tell_of_file(connection, kind, details.project_id, holder_of(artifact), details)
    return details


def holder_of(artifact: DetailedArtifact) -> Holder:
    """What the file belongs to."""
    return Holder("run" if artifact.holder == "run" else "model", artifact.holder_id)


async def _details(connection: Connection, artifact_id: UUID) -> ArtifactDetails:
    artifact = await _found(connection, artifact_id)
    project_id = await select_artifact_project(connection, artifact_id)
    if project_id is None:
        raise NotFound
    approval = None
    if artifact.approved_by and artifact.approved_at:
        approval = Approval(
            by=artifact.approved_by, at=artifact.approved_at, note=artifact.approval_note
        )
    return ArtifactDetails(
        id=artifact.id,
        path=artifact.path,
        size=artifact.size,
        media_type=artifact.media_type,
        sha256=artifact.sha256,
        description=artifact.description,
        approved=artifact.approved,
        created_by=artifact.created_by,
        created_at=artifact.created_at,
        run_id=artifact.holder_id if artifact.holder == "run" else None,
        model_id=artifact.holder_id if artifact.holder == "model" else None,
        project_id=project_id,
        metadata=artifact.metadata,
        approval=approval,
        detected_media_type=artifact.detected_media_type,
        previews=kind_of(artifact.path, artifact.size, artifact.detected_media_type).preview,
    )

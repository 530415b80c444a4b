"""Telling others of what happened to files, in the transaction in which it does."""

from uuid import UUID

from servicekit.database import Connection
from servicekit.events import EventKind
from servicekit.outbox import emit

from artifact_service.models.artifacts import Artifact, Holder
from artifact_service.models.events import (
    MODEL_FILES_REMOVED,
    RUN_FILES_REMOVED,
    FileData,
    FolderData,
)


async def tell_of_file(
    connection: Connection,
    kind: EventKind[FileData],
    project_id: UUID,
    holder: Holder,
    file: Artifact,
) -> None:
    """Tell of one file."""
    data = FileData(
        holder=holder.kind,
        holder_id=holder.id,
        size=file.size,
        sha256=file.sha256.hex(),
        media_type=file.media_type,
    )
    event = kind.event(data, project_id=project_id, subject_id=file.id, subject_name=file.path)
    await emit(connection, [event])


async def tell_of_folder(
    connection: Connection, project_id: UUID, holder: Holder, path: str, *, files: int
) -> None:
    """Tell of a folder that was removed, where anything was in it."""
    if files:
        kind = RUN_FILES_REMOVED if holder.kind == "run" else MODEL_FILES_REMOVED
        data = FolderData(path=path, files=files)
        event = kind.event(data, project_id=project_id, subject_id=holder.id)
        await emit(connection, [event])

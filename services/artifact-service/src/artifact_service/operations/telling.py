"""Telling others of what happened to files, in the transaction in which it does.

Who reads is told to the audit trail alone, before the content goes out.
"""

from dataclasses import dataclass
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.events import EventKind, current_address
from servicekit.identity import Principal
from servicekit.lately import Lately
from servicekit.outbox import emit, note

from artifact_service.models.artifacts import Artifact, Holder, StoredArtifact
from artifact_service.models.audited import ARTIFACT_READ, RUN_FILES_EXPORTED, ReadData, Way
from artifact_service.models.events import (
    MODEL_FILES_REMOVED,
    RUN_FILES_REMOVED,
    FileData,
    FolderData,
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads files, in which project, and what was noted of it a moment ago."""

    principal: Principal
    project_id: UUID
    lately: Lately


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


async def tell_of_read(
    database: Database, reader: Reader, holder: Holder, file: StoredArtifact, way: Way
) -> None:
    """Tell of a file that is about to be read.

    Who reads the same content by the same credential, from the same address, in the same way, is
    told of once in five minutes: a video is fetched in hundreds of parts.
    """

    async def write() -> None:
        data = ReadData(
            holder=holder.kind,
            holder_id=holder.id,
            size=file.size,
            sha256=file.sha256.hex(),
            media_type=file.media_type,
            way=way,
        )
        event = ARTIFACT_READ.event(
            data, project_id=reader.project_id, subject_id=file.id, subject_name=file.path
        )
        async with database.acquire() as connection:
            await note(connection, [event])

    key = (reader.principal.key, current_address(), file.id, file.object_id, way)
    await reader.lately.once(key, write)


async def tell_of_archive(
    connection: Connection, project_id: UUID, run_id: UUID, path: str, *, files: int
) -> None:
    """Tell of a folder of a run that is about to be sent as one file."""
    event = RUN_FILES_EXPORTED.event(
        FolderData(path=path, files=files), project_id=project_id, subject_id=run_id
    )
    await note(connection, [event])

"""Files that are there: reading, listing, removing."""

from uuid import UUID

from servicekit.database import Database
from servicekit.pagination import Cursor, Page, page_of
from servicekit.problems import NotFound

from artifact_service.models.artifacts import Entry, FolderQuery, Holder, StoredArtifact
from artifact_service.models.events import ARTIFACT_REMOVED
from artifact_service.operations.holders import check_writable
from artifact_service.operations.telling import tell_of_file, tell_of_folder
from artifact_service.queries.artifacts import (
    delete_artifact,
    delete_folder,
    lock_holder,
    select_artifact,
    select_entries,
)
from artifact_service.queries.objects import update_suspect

_SORT = "path"


async def read_artifact(database: Database, holder_id: UUID, path: str) -> StoredArtifact:
    """What is known of a file.

    Raises:
        NotFound: there is none.
    """
    async with database.acquire() as connection:
        artifact = await select_artifact(connection, holder_id=holder_id, path=path)
    if artifact is None:
        msg = f"There is no file {path!r}."
        raise NotFound(msg)
    return artifact


async def list_folder(database: Database, holder_id: UUID, query: FolderQuery) -> Page[Entry]:
    """One page of a folder, by name in byte order; a folder that is not there is empty."""
    seek = Cursor.decode(query.cursor, sort=_SORT).value_as(str) if query.cursor else ""
    async with database.acquire() as connection:
        entries = await select_entries(
            connection, holder_id=holder_id, folder=query.prefix, seek=seek, limit=query.limit + 1
        )
    return page_of(
        entries,
        limit=query.limit,
        cursor=lambda entry: Cursor(sort=_SORT, value=entry.seek_next()),
    )


async def list_whole_folder(database: Database, holder_id: UUID, folder: str) -> list[Entry]:
    """Everything that stands in a folder, for clients that know no pages."""
    async with database.acquire() as connection:
        return await select_entries(
            connection, holder_id=holder_id, folder=folder, seek="", limit=2**31 - 1
        )


async def remove_artifact(database: Database, holder: Holder, path: str) -> None:
    """Remove a file; its content goes when nothing else has the same.

    Raises:
        RunArchived: the run takes no changes.
        NotFound: there is no such file.
    """
    async with database.acquire() as connection, connection.transaction():
        await lock_holder(connection, holder.id)
        state = await check_writable(connection, holder)
        artifact = await select_artifact(connection, holder_id=holder.id, path=path)
        if artifact is None:
            msg = f"There is no file {path!r}."
            raise NotFound(msg)
        freed = await delete_artifact(connection, holder_id=holder.id, path=path)
        await update_suspect(connection, object_ids=freed)
        await tell_of_file(connection, ARTIFACT_REMOVED, state.project_id, holder, artifact)


async def remove_all(database: Database, holder: Holder, path: str) -> None:
    """Remove a file, or a folder with everything below it; nothing there is fine.

    Raises:
        RunArchived: the run takes no changes.
    """
    async with database.acquire() as connection, connection.transaction():
        await lock_holder(connection, holder.id)
        state = await check_writable(connection, holder)
        freed = await delete_artifact(connection, holder_id=holder.id, path=path) if path else []
        freed += await delete_folder(connection, holder_id=holder.id, folder=path)
        await update_suspect(connection, object_ids=freed)
        await tell_of_folder(connection, state.project_id, holder, path, files=len(freed))

"""A folder of files as one zip, made while it is sent."""

import zlib
from collections.abc import AsyncGenerator, AsyncIterable
from datetime import datetime
from uuid import UUID

import stream_zip
from servicekit.database import Database
from stream_zip import ZIP_64, async_stream_zip

from artifact_service.errors import ArchiveTooLarge
from artifact_service.models.artifacts import StoredArtifact
from artifact_service.operations.telling import tell_of_archive
from artifact_service.queries.artifacts import count_below, select_below
from artifact_service.stores.contract import Store, key_of

# The directory at the end of a zip is kept until then: 100 bytes and the name for each file.
MAX_FILES = 100_000
_AT_ONCE = 500
_MODE = 0o100644
_CHUNK_BYTES = 1 << 20

type _Member = tuple[str, datetime, int, stream_zip.Method, AsyncIterable[bytes]]


async def begin_archive(database: Database, project_id: UUID, run_id: UUID, folder: str) -> None:
    """Note that a folder of a run's files is taken, if it can be an archive.

    Raises:
        ArchiveTooLarge: it has more than 100,000 files.
    """
    async with database.acquire() as connection:
        count = await count_below(connection, holder_id=run_id, folder=folder, limit=MAX_FILES + 1)
        if count > MAX_FILES:
            msg = f"An archive takes at most {MAX_FILES} files."
            raise ArchiveTooLarge(msg)
        await tell_of_archive(connection, project_id, run_id, folder, files=count)


def archive(database: Database, store: Store, holder_id: UUID, folder: str) -> AsyncIterable[bytes]:
    """The zip in pieces; names in it begin behind the folder's.

    Files are not compressed: most of what is large is so already, and it would be the slowest step.

    Raises:
        StoreUnavailable: a file cannot be read, which may be half way through.
    """
    return async_stream_zip(
        _members(database, store, holder_id, folder),
        chunk_size=_CHUNK_BYTES,
        get_compressobj=lambda: zlib.compressobj(level=0, wbits=-zlib.MAX_WBITS),
    )


async def _members(
    database: Database, store: Store, holder_id: UUID, folder: str
) -> AsyncGenerator[_Member]:
    begin = len(folder) + 1 if folder else 0
    after = ""
    while True:
        async with database.acquire() as connection:
            found = await select_below(
                connection, holder_id=holder_id, folder=folder, after=after, limit=_AT_ONCE
            )
        for artifact in found:
            yield _member(store, artifact, artifact.path[begin:])
        if len(found) < _AT_ONCE:
            return
        after = found[-1].path


def _member(store: Store, artifact: StoredArtifact, name: str) -> _Member:
    content = store.read(key_of(artifact.object_id), 0, artifact.size)
    return name, artifact.created_at, _MODE, ZIP_64, content

"""Addresses in the store itself, for a short while."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from servicekit.database import Database

from artifact_service.errors import NoPresignedLinks
from artifact_service.models.details import Link
from artifact_service.operations.details import holder_of, read_by_id
from artifact_service.operations.telling import Reader, tell_of_read
from artifact_service.stores.contract import Store, key_of

VALID = timedelta(minutes=5)


async def link(database: Database, store: Store, reader: Reader, artifact_id: UUID) -> Link:
    """An address that serves the file to whoever has it.

    Raises:
        NotFound: there is no such file.
        NoPresignedLinks: the store has no such addresses.
        StoreUnavailable: the store cannot now.
    """
    artifact = await read_by_id(database, artifact_id)
    expires_at = datetime.now(UTC) + VALID
    url = await store.link(key_of(artifact.object_id), valid=VALID)
    if url is None:
        raise NoPresignedLinks
    await tell_of_read(database, reader, holder_of(artifact), artifact, way="link")
    return Link(url=url, expires_at=expires_at)

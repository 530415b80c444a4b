"""Making a file: its content first, where nobody sees it, then its name."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import structlog
from prometheus_client import Counter, Gauge
from servicekit.database import Connection, Database
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.problems import Problem

from artifact_service.errors import PathTaken, StoreUnavailable, WrongContent
from artifact_service.models.artifacts import Holder, StoredArtifact, media_type_of
from artifact_service.models.events import ARTIFACT_STORED
from artifact_service.models.kinds import detect
from artifact_service.models.paths import ancestors
from artifact_service.operations.holders import check_writable
from artifact_service.operations.receiving import Received, receive
from artifact_service.operations.telling import tell_of_file
from artifact_service.queries.artifacts import (
    lock_holder,
    select_artifact,
    select_taken,
    upsert_artifact,
)
from artifact_service.queries.objects import (
    delete_object,
    insert_object,
    lock_stored,
    update_leaving,
    update_sign_of_life,
    update_stored,
    update_suspect,
)
from artifact_service.stores.contract import Sink, Store, key_of

log = structlog.get_logger()

ARRIVING = Gauge("artifact_uploads_arriving", "Files that are on their way in.")
STORED = Counter("artifact_bytes_stored", "Bytes of uploads that were completed.")
SHARED = Counter("artifact_uploads_shared", "Uploads whose content was there already.")

SIGN_OF_LIFE_SEC = 20.0
_TRIES = 5


async def store_artifact(
    database: Database,
    store: Store,
    principal: Principal,
    holder: Holder,
    path: str,
    chunks: AsyncIterator[bytes],
    *,
    declared: bytes | None,
    expected: int = 0,
) -> StoredArtifact:
    """Take a file in; it appears, or takes the place of the one before, when it is complete.

    Of two uploads of one path the one that ends last stays. Whatever ends this early leaves
    nothing behind; what a killed process leaves, the collector removes.

    Raises:
        RunArchived: the run takes no changes.
        PathTaken: a file stands where the path needs a folder, or the other way round.
        WrongContent: the SHA-256 is not the one that was declared.
        RequestTimeout, StoreFull, StoreUnavailable: see `receive` and `Sink`.
    """
    async with database.acquire() as connection:
        await check_writable(connection, holder)
        await check_free(connection, holder, path)
    async with _arriving(database, store, expected) as (object_id, sink):
        received = await receive(chunks, sink)
        if declared not in {None, received.sha256}:
            msg = f"Its SHA-256 is {received.sha256.hex()}, not {(declared or b'').hex()}."
            raise WrongContent(msg)
        await sink.finish()
        async with database.acquire() as connection, connection.transaction():
            artifact = await settle(
                connection, principal.user_id, holder, path, object_id, received
            )
    if artifact.object_id != object_id:
        SHARED.inc()
        await discard(database, store, object_id)
    STORED.inc(received.size)
    return artifact


async def discard(database: Database, store: Store, object_id: UUID, *, parts: int = 0) -> None:
    """Remove an object that did not become one, and the parts that were to make it.

    What cannot be done now, the collector does.
    """
    try:
        async with database.acquire() as connection:
            await update_leaving(connection, object_id=object_id)
        await store.remove(key_of(object_id))
        if parts:
            await store.remove_parts(key_of(object_id), count=parts)
        async with database.acquire() as connection:
            await delete_object(connection, object_id=object_id)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, Problem) as exc:
        log.warning("object.left_to_the_collector", object_id=str(object_id), error=repr(exc))


@asynccontextmanager
async def _arriving(
    database: Database, store: Store, expected: int
) -> AsyncGenerator[tuple[UUID, Sink]]:
    """An object on its way in, known to the collector before it is begun."""
    object_id = uuid7()
    async with database.acquire() as connection:
        await insert_object(connection, object_id=object_id)
    life = asyncio.create_task(_show_life(database, object_id))
    sink: Sink | None = None
    ARRIVING.inc()
    try:
        sink = await store.create(key_of(object_id), expected=expected)
        yield object_id, sink
    except BaseException:
        await asyncio.shield(_give_up(database, store, object_id, sink))
        raise
    finally:
        ARRIVING.dec()
        life.cancel()


async def _give_up(database: Database, store: Store, object_id: UUID, sink: Sink | None) -> None:
    if sink:
        await sink.abort()
    await discard(database, store, object_id)


async def _show_life(database: Database, object_id: UUID) -> None:
    while True:
        await asyncio.sleep(SIGN_OF_LIFE_SEC)
        try:
            async with database.acquire() as connection:
                await update_sign_of_life(connection, object_id=object_id)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, Problem) as exc:
            log.warning("object.life_not_shown", object_id=str(object_id), error=repr(exc))


async def settle(
    connection: Connection,
    user_id: UUID,
    holder: Holder,
    path: str,
    object_id: UUID,
    received: Received,
) -> StoredArtifact:
    """Give a content its name, within a transaction; it may be that of another object.

    Raises:
        RunArchived, PathTaken, StoreUnavailable: see `store_artifact`.
    """
    await lock_holder(connection, holder.id)
    state = await check_writable(connection, holder)
    await check_free(connection, holder, path)
    before = await select_artifact(connection, holder_id=holder.id, path=path)
    artifact = await upsert_artifact(
        connection,
        artifact_id=uuid7(),
        holder=holder,
        path=path,
        object_id=await _claim(connection, object_id, received),
        media_type=media_type_of(path),
        created_by=user_id,
    )
    if before and before.object_id != artifact.object_id:
        await update_suspect(connection, object_ids=[before.object_id])
    await tell_of_file(connection, ARTIFACT_STORED, state.project_id, holder, artifact)
    return artifact


async def _claim(connection: Connection, object_id: UUID, received: Received) -> UUID:
    """The object that holds the content from now on: this one, or one that had it before."""
    for _ in range(_TRIES):
        if found := await lock_stored(connection, sha256=received.sha256):
            return found
        try:
            async with connection.transaction():
                kept = await update_stored(
                    connection,
                    object_id=object_id,
                    sha256=received.sha256,
                    size=received.size,
                    detected=detect(received.head),
                )
        except asyncpg.UniqueViolationError:
            continue  # another upload of the same content was first; take its object
        if kept:
            return object_id
        break
    msg = "The upload was given up meanwhile; send the file again."
    raise StoreUnavailable(msg)


async def check_free(connection: Connection, holder: Holder, path: str) -> None:
    """Refuse a path that cannot be a file.

    Raises:
        PathTaken: see `store_artifact`.
    """
    taken = await select_taken(connection, holder_id=holder.id, path=path, above=ancestors(path))
    if taken:
        msg = f"There is a file {taken!r}."
        raise PathTaken(msg)

"""Uploads in parts: begun, brought in any order and several at once, taken up again, given up."""

from collections.abc import AsyncIterator
from uuid import UUID

from servicekit.database import Database
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.problems import NotFound

from artifact_service.errors import UploadClosed, WrongContent, WrongPart
from artifact_service.models.artifacts import Holder
from artifact_service.models.uploads import (
    MAX_LOOSE_BYTES,
    NewUpload,
    StoredUpload,
    Upload,
    UploadPart,
    part_size_for,
)
from artifact_service.operations.holders import check_writable
from artifact_service.operations.receiving import Received, receive
from artifact_service.operations.uploads import check_free, discard
from artifact_service.queries.objects import insert_object, update_leaving
from artifact_service.queries.uploads import (
    delete_part,
    insert_upload,
    select_parts,
    select_upload,
    update_still_coming,
    upsert_part,
)
from artifact_service.stores.contract import Store, key_of


async def begin_upload(
    database: Database,
    store: Store,
    principal: Principal,
    holder: Holder,
    new: NewUpload,
    *,
    keep_sec: float,
) -> Upload:
    """Begin an upload; the file is not there before it is completed.

    Raises:
        RunArchived: the run takes no changes.
        PathTaken: a file stands where the path needs a folder, or the other way round.
        StoreFull, StoreUnavailable: the store takes nothing now.
    """
    upload = await _begin(
        database,
        store,
        principal,
        holder,
        new.path,
        size=new.size,
        part_size=part_size_for(new.size),
        loose=False,
        sha256=bytes.fromhex(new.sha256) if new.sha256 else None,
        keep_sec=keep_sec,
    )
    return upload.answer([])


async def begin_loose_upload(
    database: Database,
    store: Store,
    principal: Principal,
    holder: Holder,
    path: str,
    count: int,
    *,
    keep_sec: float,
) -> UUID:
    """Begin an upload in so many parts, each of which says by itself how long it is; its id.

    Raises:
        RunArchived, PathTaken, StoreFull, StoreUnavailable: see `begin_upload`.
    """
    upload = await _begin(
        database,
        store,
        principal,
        holder,
        path,
        size=count,
        part_size=1,
        loose=True,
        sha256=None,
        keep_sec=keep_sec,
    )
    return upload.id


async def _begin(
    database: Database,
    store: Store,
    principal: Principal,
    holder: Holder,
    path: str,
    *,
    size: int,
    part_size: int,
    loose: bool,
    sha256: bytes | None,
    keep_sec: float,
) -> StoredUpload:
    object_id = uuid7()
    async with database.acquire() as connection, connection.transaction():
        await check_writable(connection, holder)
        await check_free(connection, holder, path)
        await insert_object(connection, object_id=object_id)
    try:
        if not loose:
            await store.prepare_parts(key_of(object_id))
        async with database.acquire() as connection, connection.transaction():
            upload = await insert_upload(
                connection,
                upload_id=uuid7(),
                holder=holder,
                path=path,
                size=size,
                part_size=part_size,
                loose=loose,
                sha256=sha256,
                object_id=object_id,
                created_by=principal.user_id,
                keep_sec=keep_sec,
            )
            await update_still_coming(
                connection, upload_id=upload.id, object_id=object_id, keep_sec=keep_sec
            )
    except BaseException:
        await discard(database, store, object_id)
        raise
    return upload


async def read_upload(database: Database, upload_id: UUID) -> Upload:
    """What of an upload is there.

    Raises:
        NotFound: there is none, or it has expired.
    """
    async with database.acquire() as connection:
        upload = await select_upload(connection, upload_id)
        if upload is None or upload.loose:  # whose sizes nobody knows before it is complete
            raise NotFound
        return upload.answer(await select_parts(connection, upload_id))


async def receive_part(
    database: Database,
    store: Store,
    upload_id: UUID,
    number: int,
    chunks: AsyncIterator[bytes],
    *,
    declared: bytes | None,
    keep_sec: float,
) -> UploadPart:
    """Take a part in, in place of the one that had its number.

    Raises:
        NotFound: there is no such upload, or it has expired.
        UploadClosed: it is being completed, or it is complete.
        WrongPart: it has no part of that number, or the part has another size.
        WrongContent: the part's SHA-256 is not the one that was declared.
        RequestTimeout, StoreFull, StoreUnavailable: see `receive` and `Sink`.
    """
    upload, object_id = await _open(database, upload_id)
    if not 1 <= number <= upload.count:
        msg = f"The upload has the parts 1 to {upload.count}."
        raise WrongPart(msg)
    size = upload.size_of(number)
    async with database.acquire() as connection, connection.transaction():
        if not await update_still_coming(
            connection, upload_id=upload_id, object_id=object_id, keep_sec=keep_sec
        ):
            raise UploadClosed
        # What stands there is written over, and is whole again only at the end.
        await delete_part(connection, upload_id=upload_id, number=number)
    sink = await store.create_part(key_of(object_id), number, upload.begin_of(number))
    try:
        most = MAX_LOOSE_BYTES if size is None else size
        received = await receive(_no_longer_than(most, chunks), sink)
        _check_part(received, size, declared)
        await sink.finish()
    except BaseException:
        await sink.abort()
        raise
    async with database.acquire() as connection, connection.transaction():
        if await update_still_coming(
            connection, upload_id=upload_id, object_id=object_id, keep_sec=keep_sec
        ):
            return await upsert_part(
                connection,
                upload_id=upload_id,
                number=number,
                size=received.size,
                sha256=received.sha256,
            )
        gone = await select_upload(connection, upload_id) is None
    if gone:  # given up meanwhile: nothing else knows of this part any more
        await store.remove_parts(key_of(object_id), count=number)
        raise NotFound
    raise UploadClosed


async def abandon_upload(database: Database, store: Store, upload_id: UUID) -> None:
    """Give an upload up, with all that was sent of it; one that is complete is only forgotten.

    Raises:
        NotFound: there is none.
        UploadClosed: it is being completed, or it is complete.
    """
    upload, object_id = await _open(database, upload_id)
    async with database.acquire() as connection, connection.transaction():
        if not await update_still_coming(
            connection, upload_id=upload_id, object_id=object_id, keep_sec=0
        ):
            raise UploadClosed
        await update_leaving(connection, object_id=object_id)
    await discard(database, store, object_id, parts=upload.count)


async def _open(database: Database, upload_id: UUID) -> tuple[StoredUpload, UUID]:
    async with database.acquire() as connection:
        upload = await select_upload(connection, upload_id)
    if upload is None:
        raise NotFound
    if upload.object_id is None:
        raise UploadClosed
    return upload, upload.object_id


async def _no_longer_than(size: int, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    left = size
    async for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            msg = f"The part must have {size} bytes at most."
            raise WrongPart(msg)
        yield chunk


def _check_part(received: Received, size: int | None, declared: bytes | None) -> None:
    if size is not None and received.size != size:
        msg = f"The part must have {size} bytes."
        raise WrongPart(msg)
    if declared not in {None, received.sha256}:
        msg = f"Its SHA-256 is {received.sha256.hex()}, not {(declared or b'').hex()}."
        raise WrongContent(msg)

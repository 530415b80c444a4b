"""Making a file of the parts of an upload: read once more, checked, and given its name."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import structlog
from servicekit.database import Connection, Database
from servicekit.identity import Principal
from servicekit.problems import NotFound, Problem

from artifact_service.errors import PartsMissing, UploadJoining, WrongContent
from artifact_service.models.artifacts import Artifact
from artifact_service.models.kinds import HEAD_BYTES
from artifact_service.models.uploads import StoredUpload, UploadPart
from artifact_service.operations.holders import check_writable
from artifact_service.operations.receiving import Received
from artifact_service.operations.uploads import SHARED, STORED, check_free, discard, settle
from artifact_service.queries.details import select_details
from artifact_service.queries.uploads import (
    delete_part,
    select_parts,
    select_upload,
    update_completed,
    update_joining,
    update_not_joining,
    update_still_joining,
)
from artifact_service.stores.contract import Sink, Store, key_of

log = structlog.get_logger()

# Shorter than the gateway waits for the head of an answer.
ANSWER_WITHIN_SEC = 45.0
LEASE_SEC = 30.0
_NAMED_AT_MOST = 100

_at_work: set[asyncio.Task[Artifact]] = set()


async def complete_upload(
    database: Database,
    store: Store,
    principal: Principal,
    upload_id: UUID,
    *,
    declared: bytes | None,
    keep_sec: float,
) -> Artifact:
    """Make the file of the parts; asked again, answer the same file.

    What takes longer than 45 s goes on, and whoever asks again learns how it ended.

    Raises:
        NotFound: there is no such upload, or its file was removed since.
        PartsMissing: parts are not there, or are broken and must be sent again; it names them.
        WrongContent: the SHA-256 of the whole is not the one that was declared.
        UploadJoining: the parts are being put together.
        RunArchived, PathTaken, StoreFull, StoreUnavailable: as for an upload in one piece.
    """
    async with database.acquire() as connection:
        upload = await select_upload(connection, upload_id)
        if upload is None:
            raise NotFound
        if upload.artifact_id:
            return await _made(connection, upload.artifact_id)
        parts = await select_parts(connection, upload_id)
        _check_all_there(upload, parts)
        await check_writable(connection, upload.belongs_to)
        await check_free(connection, upload.belongs_to, upload.path)
        if not await update_joining(connection, upload_id=upload_id, lease_sec=LEASE_SEC):
            raise UploadJoining
    task = asyncio.create_task(
        _join(database, store, principal, upload, declared or upload.sha256, keep_sec)
    )
    _at_work.add(task)
    task.add_done_callback(_done)
    await asyncio.wait([task], timeout=ANSWER_WITHIN_SEC)
    if not task.done():
        raise UploadJoining
    return task.result()


def _done(task: asyncio.Task[Artifact]) -> None:
    _at_work.discard(task)
    if not task.cancelled() and (error := task.exception()):
        log.info("upload.not_joined", error=repr(error))


async def _join(
    database: Database,
    store: Store,
    principal: Principal,
    upload: StoredUpload,
    declared: bytes | None,
    keep_sec: float,
) -> Artifact:
    if upload.object_id is None:
        raise NotFound
    object_id, key = upload.object_id, key_of(upload.object_id)
    async with _turn(database, upload.id, object_id):
        async with database.acquire() as connection:
            parts = await select_parts(connection, upload.id)  # none is changed from now on
        _check_all_there(upload, parts)
        size = sum(part.size for part in parts)
        # Loose parts are put one after the other; those with places stand in theirs already.
        sink = await (store.create(key) if upload.loose else store.join(key, size=size))
        try:
            received, broken = await _copy(store, upload, parts, sink, each=declared is None)
            if declared not in {None, received.sha256}:
                broken = await _broken(store, upload, parts)
            await _check_whole(database, upload, received, declared, broken)
            await sink.finish()
        except BaseException:
            await sink.abort()
            raise
        async with database.acquire() as connection, connection.transaction():
            artifact = await settle(
                connection, principal.user_id, upload.belongs_to, upload.path, object_id, received
            )
            await update_completed(
                connection, upload_id=upload.id, artifact_id=artifact.id, keep_sec=keep_sec
            )
    STORED.inc(received.size)
    if artifact.object_id != object_id:
        SHARED.inc()
        await discard(database, store, object_id, parts=upload.count)
    else:
        await _remove_parts(store, key, upload.count)
    return artifact


async def _check_whole(
    database: Database,
    upload: StoredUpload,
    received: Received,
    declared: bytes | None,
    broken: list[int],
) -> None:
    if broken:
        async with database.acquire() as connection, connection.transaction():
            for number in broken:
                await delete_part(connection, upload_id=upload.id, number=number)
        raise _missing(broken)
    if declared not in {None, received.sha256}:
        msg = f"Its SHA-256 is {received.sha256.hex()}, not {(declared or b'').hex()}."
        raise WrongContent(msg)


async def _copy(
    store: Store, upload: StoredUpload, parts: Sequence[UploadPart], sink: Sink, *, each: bool
) -> tuple[Received, list[int]]:
    """Hand all parts on to the sink; of each that is checked, whether it is what it was."""
    whole, head = hashlib.sha256(), b""
    broken: list[int] = []
    for part in parts:
        own = hashlib.sha256()
        key, begin = key_of(_object(upload)), upload.begin_of(part.number)
        async for block in store.read_part(key, part.number, begin, part.size):
            head = head or block[:HEAD_BYTES]
            await asyncio.gather(
                asyncio.to_thread(whole.update, block),
                sink.write(block),
                *([asyncio.to_thread(own.update, block)] if each else []),
            )
        if each and own.digest() != part.sha256:
            broken.append(part.number)
    return Received(sum(part.size for part in parts), whole.digest(), head), broken


async def _broken(store: Store, upload: StoredUpload, parts: Sequence[UploadPart]) -> list[int]:
    """The parts that are not what they were when they came."""
    broken: list[int] = []
    for part in parts:
        own = hashlib.sha256()
        key, begin = key_of(_object(upload)), upload.begin_of(part.number)
        async for block in store.read_part(key, part.number, begin, part.size):
            await asyncio.to_thread(own.update, block)
        if own.digest() != part.sha256:
            broken.append(part.number)
    return broken


def _object(upload: StoredUpload) -> UUID:
    if upload.object_id is None:
        raise NotFound
    return upload.object_id


async def _remove_parts(store: Store, key: str, count: int) -> None:
    try:
        await store.remove_parts(key, count=count)
    except Problem as exc:
        log.warning("upload.parts_left", key=key, error=exc.code)


@asynccontextmanager
async def _turn(database: Database, upload_id: UUID, object_id: UUID) -> AsyncGenerator[None]:
    """Hold the turn that was taken; others get it soon after this process dies."""
    life = asyncio.create_task(_show_life(database, upload_id, object_id))
    try:
        yield
    except BaseException:
        await asyncio.shield(_give_back(database, upload_id))
        raise
    finally:
        life.cancel()


async def _show_life(database: Database, upload_id: UUID, object_id: UUID) -> None:
    while True:
        await asyncio.sleep(LEASE_SEC / 3)
        try:
            async with database.acquire() as connection:
                await update_still_joining(
                    connection, upload_id=upload_id, object_id=object_id, lease_sec=LEASE_SEC
                )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, Problem) as exc:
            log.warning("upload.life_not_shown", upload_id=str(upload_id), error=repr(exc))


async def _give_back(database: Database, upload_id: UUID) -> None:
    try:
        async with database.acquire() as connection:
            await update_not_joining(connection, upload_id=upload_id)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, Problem) as exc:
        log.warning("upload.turn_not_given_back", upload_id=str(upload_id), error=repr(exc))


async def _made(connection: Connection, artifact_id: UUID) -> Artifact:
    artifact = await select_details(connection, artifact_id)
    if artifact is None:
        raise NotFound
    return artifact


def _check_all_there(upload: StoredUpload, parts: Sequence[UploadPart]) -> None:
    missing = set(range(1, upload.count + 1)) - {part.number for part in parts}
    if missing:
        raise _missing(sorted(missing))


def _missing(numbers: list[int]) -> PartsMissing:
    msg = f"{len(numbers)} of its parts must be sent, the first of them {numbers[0]}."
    return PartsMissing(
        msg,
        errors=[{"part": number, "detail": "must be sent"} for number in numbers[:_NAMED_AT_MOST]],
    )

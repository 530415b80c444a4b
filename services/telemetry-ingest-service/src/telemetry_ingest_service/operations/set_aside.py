"""Batches that were taken but cannot be stored: kept with the reason, and stopping nothing."""

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import structlog
from prometheus_client import Counter
from servicekit.database import Connection, Database
from servicekit.ids import uuid7
from servicekit.outbox import note
from servicekit.pagination import Cursor, Page, page_of
from servicekit.problems import NotFound

from telemetry_ingest_service.errors import StillNotStorable
from telemetry_ingest_service.models.audited import SET_ASIDE_DISCARDED, DiscardData
from telemetry_ingest_service.models.received import (
    Received,
    Unreadable,
    pack_record,
    read_label,
    unpack_record,
)
from telemetry_ingest_service.models.set_aside import SetAside, SetAsideQuery, StoredAfterAll
from telemetry_ingest_service.operations.ingest import count_stored, store
from telemetry_ingest_service.queries.set_aside import (
    NewSetAside,
    delete_set_aside,
    insert_set_aside,
    select_set_aside,
)

log = structlog.get_logger()

SET_ASIDE = Counter(
    "telemetry_batches_set_aside", "Batches that were taken, but could not be stored."
)

_MOST_REASON = 1000
# What a batch that is stored alone raises by its own fault, and would raise again; all else is the
# fault of the database or of its state, which passes.
_POISON = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    asyncpg.InternalServerError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    Unreadable,
)


def is_poison(exc: BaseException) -> bool:
    """Whether a batch that was stored alone and failed so can never be stored as it is."""
    return isinstance(exc, _POISON)


async def put_aside(connection: Connection, received: Received, exc: BaseException) -> None:
    """Keep a batch with the reason why it cannot be stored."""
    sent = received.sent
    await _put_aside(
        connection,
        NewSetAside(
            id=uuid7(),
            sensor_id=received.sensor_id,
            project_id=received.project_id,
            batch_id=sent.id,
            received_at=_moment(received.received_us),
            reason=_reason(exc),
            readings=sent.count,
            signals=sorted(sent.t),
            record=pack_record(received),
        ),
    )


async def put_record_aside(connection: Connection, record: bytes, exc: BaseException) -> None:
    """Keep a record that cannot be read; whose it is where at least that can be."""
    try:
        label = read_label(record)
    except Unreadable:
        label = None
    await _put_aside(
        connection,
        NewSetAside(
            id=uuid7(),
            sensor_id=label.sensor_id if label else None,
            project_id=label.project_id if label else None,
            batch_id=label.batch_id if label else None,
            received_at=_moment(label.received_us) if label else datetime.now(UTC),
            reason=_reason(exc),
            readings=0,
            signals=[],
            record=record,
        ),
    )


async def list_set_aside(
    database: Database, project_id: UUID, query: SetAsideQuery
) -> Page[SetAside]:
    """One page of a project's batches that cannot be stored, the last first."""
    before = Cursor.decode(query.cursor, sort="-id").row_id if query.cursor else None
    async with database.acquire() as connection:
        found = await select_set_aside(
            connection,
            project_id=project_id,
            sensor_id=query.sensor_id,
            before=before,
            limit=query.limit + 1,
        )
    return page_of(
        found, limit=query.limit, cursor=lambda one: Cursor(sort="-id", value=None, id=one.id)
    )


async def store_after_all(database: Database, set_aside_id: UUID) -> tuple[UUID, StoredAfterAll]:
    """Store a batch that was set aside, because what was in its way is gone; whose it is.

    Raises:
        NotFound: it is gone.
        StillNotStorable: it cannot be stored; it stays where it is.
    """
    try:
        async with database.acquire() as connection, connection.transaction():
            record = await delete_set_aside(connection, set_aside_id)
            if record is None:
                raise NotFound
            received = unpack_record(record)
            (receipt,) = await store(connection, [received], at=_moment(received.received_us))
    except _POISON as exc:
        raise StillNotStorable(_reason(exc)) from exc
    count_stored([received], [receipt])
    answer = StoredAfterAll(stored=receipt.points, duplicate=not receipt.new)
    return received.sensor_id, answer


async def discard(database: Database, project_id: UUID, set_aside_id: UUID) -> None:
    """Throw a batch away that could not be stored.

    Raises:
        NotFound: it is gone.
    """
    async with database.acquire() as connection, connection.transaction():
        record = await delete_set_aside(connection, set_aside_id)
        if record is None:
            raise NotFound
        told = SET_ASIDE_DISCARDED.event(
            DiscardData(bytes=len(record)), project_id=project_id, subject_id=set_aside_id
        )
        await note(connection, [told])
    log.info("set_aside.discarded", set_aside_id=str(set_aside_id), bytes=len(record))


async def _put_aside(connection: Connection, new: NewSetAside) -> None:
    inserted = await insert_set_aside(connection, new)
    log.error(
        "batch.set_aside",
        set_aside_id=str(new.id),
        sensor_id=str(new.sensor_id),
        batch_id=str(new.batch_id),
        reason=new.reason,
        again=not inserted,
    )
    if inserted:
        SET_ASIDE.inc()


def _reason(exc: BaseException) -> str:
    said = str(exc).replace("\0", "") or "no reason was given"
    return f"{type(exc).__name__}: {said}"[:_MOST_REASON]


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)

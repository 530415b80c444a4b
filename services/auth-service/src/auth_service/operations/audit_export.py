"""The audit as a file: a part at a time, so that its length costs neither memory nor locks."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import orjson
from servicekit.database import Database
from servicekit.identity import Principal

from auth_service.call import Call
from auth_service.models.audit import AuditEvent, AuditExport, NewEvent
from auth_service.operations.audit import record
from auth_service.queries.audit import select_events

AT_ONCE = 1000
COLUMNS = (
    "at",
    "action",
    "result",
    "actor_kind",
    "actor_id",
    "actor_name",
    "project_id",
    "target_type",
    "target_id",
    "address",
    "trace_id",
    "id",
    "details",
    "chain_number",
    "hash",
)
# How a spreadsheet recognises a formula.
FORMULA = ("=", "+", "-", "@")


async def export(
    call: Call, principal: Principal, wanted: AuditExport, *, project_id: UUID | None = None
) -> AsyncIterator[bytes]:
    """The file in pieces, newest first, up to this moment; that it was taken is an event too."""
    now = datetime.now(UTC)
    until = min(wanted.until, now) if wanted.until else now
    chosen = wanted.model_dump(mode="json", exclude={"format"}, exclude_none=True)
    event = NewEvent(
        action="audit.export",
        actor_id=principal.user_id,
        project_id=project_id,
        target_type="audit",
        details={"format": wanted.format, "filter": chosen},
    )
    async with call.database.acquire() as connection, connection.transaction():
        await record(connection, call.origin, event)
    wanted = wanted.model_copy(update={"until": until})
    return _pieces(call.database, wanted, project_id)


async def _pieces(
    database: Database, wanted: AuditExport, project_id: UUID | None
) -> AsyncIterator[bytes]:
    if wanted.format == "csv":
        yield _csv([COLUMNS]).encode("utf-8-sig")
    before: tuple[datetime, UUID] | None = None
    while True:
        async with database.acquire() as connection, connection.transaction():
            events = await select_events(
                connection, wanted, project_id=project_id, before=before, limit=AT_ONCE
            )
        if wanted.format == "csv":
            yield _csv([_row(event) for event in events]).encode()
        else:
            yield b"".join(event.model_dump_json().encode() + b"\n" for event in events)
        if len(events) < AT_ONCE:
            return
        before = events[-1].at, events[-1].id


def _row(event: AuditEvent) -> list[str]:
    values = event.model_dump(mode="json")
    values["details"] = orjson.dumps(values["details"]).decode() if values["details"] else ""
    return [_cell(values[name]) for name in COLUMNS]


def _cell(value: str | int | None) -> str:
    """A text that a spreadsheet would take for a formula is told to be a text."""
    if isinstance(value, int):
        return str(value)
    if value and value.lstrip().startswith(FORMULA):
        return f"'{value}"
    return value or ""


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()

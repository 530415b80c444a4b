"""The audit trail: written by every other operation, read here."""

from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.events import current_actor
from servicekit.ids import uuid7
from servicekit.pagination import Cursor, Page, page_of
from servicekit.tracing import current_trace_id

from auth_service.addresses import Origin
from auth_service.models.audit import AuditEvent, AuditQuery, NewEvent
from auth_service.queries.audit import insert_event, select_events

NEWEST_FIRST = "-at"


async def record(connection: Connection, origin: Origin, event: NewEvent) -> None:
    """Write an event; call it in the transaction of what it tells of."""
    await insert_event(
        connection,
        _with_actor(event),
        event_id=uuid7(),
        address=origin.address,
        trace_id=current_trace_id(),
    )


def _with_actor(event: NewEvent) -> NewEvent:
    """The event with what its actor is; a person who acts by a token has it in the details."""
    if event.actor_kind or event.actor_id is None:
        return event
    actor = current_actor()
    if actor.id != event.actor_id or actor.token_id is None:
        return event.model_copy(update={"actor_kind": "user"})
    details = {"token_id": str(actor.token_id)} | event.details
    return event.model_copy(update={"actor_kind": actor.kind, "details": details})


async def list_events(
    database: Database, query: AuditQuery, *, project_id: UUID | None = None
) -> Page[AuditEvent]:
    """One page of a project's events, or of all, newest first."""
    before = None
    if query.cursor:
        cursor = Cursor.decode(query.cursor, sort=NEWEST_FIRST)
        before = cursor.value_as(datetime), cursor.row_id
    async with database.acquire() as connection, connection.transaction():
        events = await select_events(
            connection, query, project_id=project_id, before=before, limit=query.limit + 1
        )
    return page_of(
        events,
        limit=query.limit,
        cursor=lambda event: Cursor(sort=NEWEST_FIRST, value=event.at, id=event.id),
    )

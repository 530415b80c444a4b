"""SQL on audit events: they are added and read, nothing else."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_all
from servicekit.events import Recorded

from auth_service.addresses import IPAddress
from auth_service.models.audit import AuditEvent, NewEvent


async def insert_event(
    connection: Connection,
    event: NewEvent,
    *,
    event_id: UUID,
    address: IPAddress,
    trace_id: str | None,
) -> None:
    """Add an event; the actor's name is kept as it is now."""
    await connection.execute(
        """
        INSERT INTO auth.audit_events (
            id, action, actor_id, actor_name, project_id, target_type, target_id,
            address, result, details, trace_id
        )
        VALUES (
            $1, $2, $3, (SELECT name FROM auth.users WHERE id = $3), $4, $5, $6, $7, $8, $9, $10
        )
        """,
        event_id,
        event.action,
        event.actor_id,
        event.project_id,
        event.target_type,
        str(event.target_id) if event.target_id else None,
        address,
        event.result,
        event.details,
        trace_id,
    )


async def insert_told(
    connection: Connection, events: Sequence[Recorded], addresses: Sequence[IPAddress | None]
) -> None:
    """Add events of other services, `addresses[i]` being where `events[i]` came from.

    Of an event that is told again the first row stays. Who has no name in it gets the one that
    they have now.
    """
    await connection.executemany(
        """
        INSERT INTO auth.audit_events (
            id, at, action, actor_id, actor_name, project_id, target_type, target_id,
            address, result, details, trace_id
        )
        VALUES (
            $1, $2, $3, $4, coalesce($5, (SELECT name FROM auth.users WHERE id = $4)), $6, $7, $8,
            $9, 'success', $10, $11
        )
        ON CONFLICT DO NOTHING
        """,
        [
            (
                event.id,
                event.occurred_at,
                event.type,
                event.actor and event.actor.id,
                event.actor and event.actor.name,
                event.project_id,
                event.subject.kind,
                str(event.subject.id),
                address,
                _details(event),
                event.trace_id,
            )
            for event, address in zip(events, addresses, strict=True)
        ],
    )


def _details(event: Recorded) -> dict[str, object]:
    """What a row has no column for."""
    actor = event.actor
    return {
        "subject_name": event.subject.name,
        "actor_kind": actor and actor.kind,
        "token_id": str(actor.token_id) if actor and actor.token_id else None,
        "version": event.version,
        "data": event.data,
    }


async def select_events(
    connection: Connection,
    *,
    project_id: UUID | None,
    action: str | None,
    actor_id: UUID | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[AuditEvent]:
    """Newest first; of one project, or of the whole platform."""
    return await fetch_all(
        connection,
        AuditEvent,
        """
        SELECT id, at, action, actor_id, actor_name, project_id, target_type, target_id,
               host(address) AS address, result, details, trace_id
        FROM auth.audit_events
        WHERE ($1::uuid IS NULL OR project_id = $1)
          AND ($2::text IS NULL OR action = $2)
          AND ($3::uuid IS NULL OR actor_id = $3)
          AND ($4::timestamptz IS NULL OR (at, id) < ($4, $5::uuid))
        ORDER BY at DESC, id DESC
        LIMIT $6
        """,
        project_id,
        action,
        actor_id,
        before and before[0],
        before and before[1],
        limit,
    )

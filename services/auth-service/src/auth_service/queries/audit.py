"""SQL on audit events: they are added and read, nothing else."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from servicekit.addresses import IPAddress
from servicekit.database import Connection, fetch_all
from servicekit.events import Recorded

from auth_service.models.audit import AuditEvent, AuditFilter, NewEvent

FOR_EVER_AGO = datetime.min.replace(tzinfo=UTC)
FOR_EVER = datetime.max.replace(tzinfo=UTC)


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
            address, result, details, trace_id, actor_kind
        )
        VALUES (
            $1, $2, $3, (SELECT name FROM auth.users WHERE id = $3), $4, $5, $6, $7, $8, $9, $10,
            $11
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
        event.actor_kind,
    )


async def insert_told(
    connection: Connection, events: Sequence[Recorded], addresses: Sequence[IPAddress | None]
) -> None:
    """Add events of other services, `addresses[i]` being where `events[i]` came from.

    Of an event that is told again the first row stays. Who has no name in it gets the one that
    they have now. Chains are taken in the order of their projects, so that two who add to the
    same ones do not wait for each other.
    """
    together = sorted(
        zip(events, addresses, strict=True), key=lambda pair: str(pair[0].project_id or "")
    )
    await connection.executemany(
        """
        INSERT INTO auth.audit_events (
            id, at, action, actor_id, actor_name, project_id, target_type, target_id,
            address, result, details, trace_id, actor_kind
        )
        VALUES (
            $1, $2, $3, $4, coalesce($5, (SELECT name FROM auth.users WHERE id = $4)), $6, $7, $8,
            $9, $10, $11, $12, $13
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
                event.result,
                _details(event),
                event.trace_id,
                event.actor and event.actor.kind,
            )
            for event, address in together
        ],
    )


def _details(event: Recorded) -> dict[str, object]:
    """What a row has no column for."""
    actor = event.actor
    return {
        "subject_name": event.subject.name,
        "token_id": str(actor.token_id) if actor and actor.token_id else None,
        "version": event.version,
        "data": event.data,
    }


async def select_events(
    connection: Connection,
    wanted: AuditFilter,
    *,
    project_id: UUID | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[AuditEvent]:
    """Newest first; of one project, or of the whole platform. To be called in a transaction."""
    action, prefix = wanted.action, None
    if action and action[-1] in ".*":
        action, prefix = None, action.rstrip("*")
    # A plan for any filter would look through the whole audit for those of one project.
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    return await fetch_all(
        connection,
        AuditEvent,
        # The times stand by themselves, so that months outside of them are not looked at.
        """
        SELECT id, at, action, actor_kind, actor_id, actor_name, project_id, target_type, target_id,
               host(address) AS address, result, details, trace_id, chain_number,
               encode(hash, 'hex') AS hash
        FROM auth.audit_events
        WHERE at >= $1 AND at < $2 AND at <= $3
          AND ($4::uuid IS NULL OR (at, id) < ($3, $4))
          AND ($5::uuid IS NULL OR project_id = $5)
          AND ($6::text IS NULL OR action = $6)
          AND ($7::text IS NULL OR starts_with(action, $7))
          AND ($8::uuid IS NULL OR actor_id = $8)
          AND ($9::text IS NULL OR actor_kind = $9)
          AND ($10::text IS NULL OR target_type = $10)
          AND ($11::text IS NULL OR target_id = $11)
          AND ($12::text IS NULL OR result = $12)
          AND ($13::text IS NULL OR strpos(
              lower(concat_ws(' ', action, actor_name, actor_id, target_type, target_id,
                    host(address), trace_id, details)), lower($13)) > 0)
        ORDER BY at DESC, id DESC
        LIMIT $14
        """,
        wanted.since or FOR_EVER_AGO,
        wanted.until or FOR_EVER,
        before[0] if before else FOR_EVER,
        before and before[1],
        project_id,
        action,
        prefix,
        wanted.actor_id,
        wanted.actor_kind,
        wanted.target_type,
        wanted.target_id,
        wanted.result,
        wanted.q,
        limit,
    )


async def keep_events(connection: Connection, *, days: int) -> str | None:
    """Do one step of what keeps the audit by month; what it was, if there was one.

    To be called in a transaction; who comes second waits and finds less to do.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('auth.keep_audit', 3))")
    return cast("str | None", await connection.fetchval("SELECT auth.keep_audit($1)", days))

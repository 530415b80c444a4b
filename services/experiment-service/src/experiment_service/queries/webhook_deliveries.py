"""SQL on the deliveries of webhooks: one function, one statement."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_optional
from servicekit.outgoing import Answer

from experiment_service.models.webhooks import Attempt, Delivery, DeliveryState, DueDelivery


async def select_delivery_project(connection: Connection, delivery_id: UUID) -> UUID | None:
    """The project that the delivery belongs to."""
    return await connection.fetchval(
        "SELECT project_id FROM experiment.webhook_deliveries WHERE id = $1", delivery_id
    )


async def insert_deliveries(
    connection: Connection,
    *,
    ids: Sequence[UUID],
    webhook_ids: Sequence[UUID],
    project_ids: Sequence[UUID],
    event_ids: Sequence[UUID],
    event_types: Sequence[str],
    bodies: Sequence[str],
    due: Sequence[bool],
) -> None:
    """Queue events for webhooks; one that was queued for a webhook before stays as it is."""
    await connection.execute(
        """
        INSERT INTO experiment.webhook_deliveries (
            id, webhook_id, project_id, event_id, event_type, body, next_try_at, created_at
        )
        SELECT id, webhook_id, project_id, event_id, event_type, body,
               CASE WHEN due THEN now() END, now()
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[],
                    $7::bool[])
            AS d (id, webhook_id, project_id, event_id, event_type, body, due)
        ON CONFLICT (webhook_id, event_id) DO NOTHING
        """,
        ids,
        webhook_ids,
        project_ids,
        event_ids,
        event_types,
        bodies,
        due,
    )


async def insert_test_delivery(
    connection: Connection,
    *,
    delivery_id: UUID,
    webhook_id: UUID,
    event_id: UUID,
    event_type: str,
    body: str,
) -> None:
    """Note a delivery that is tried once, by whoever asked for it."""
    await connection.execute(
        """
        INSERT INTO experiment.webhook_deliveries (
            id, webhook_id, project_id, event_id, event_type, body, created_at
        )
        SELECT $1, id, project_id, $3, $4, $5, now() FROM experiment.webhooks WHERE id = $2
        """,
        delivery_id,
        webhook_id,
        event_id,
        event_type,
        body,
    )


async def select_due_delivery(connection: Connection, *, delivery_id: UUID) -> DueDelivery | None:
    """What a call of that delivery needs."""
    return await fetch_optional(
        connection,
        DueDelivery,
        """
        SELECT d.id, d.webhook_id, d.event_id, d.event_type, d.body, d.tries, w.url, w.secret,
               CASE WHEN w.previous_until > now() THEN w.previous_secret END AS previous_secret
        FROM experiment.webhook_deliveries AS d
        JOIN experiment.webhooks AS w ON w.id = d.webhook_id
        WHERE d.id = $1
        """,
        delivery_id,
    )


async def update_due_deliveries(
    connection: Connection, *, busy: Sequence[UUID], lease: timedelta, limit: int
) -> list[DueDelivery]:
    """Take deliveries that are due, the longest due first; nobody else takes them for the lease."""
    return await fetch_all(
        connection,
        DueDelivery,
        """
        WITH due AS (
            SELECT d.id
            FROM experiment.webhook_deliveries AS d
            WHERE d.next_try_at <= now() AND d.webhook_id <> ALL($1::uuid[])
            ORDER BY d.next_try_at
            LIMIT $3
            FOR UPDATE SKIP LOCKED
        ), taken AS (
            -- What was queued while its webhook was being paused waits like the rest.
            UPDATE experiment.webhook_deliveries AS d
            SET next_try_at = CASE WHEN w.state = 'active' THEN now() + $2::interval END
            FROM due, experiment.webhooks AS w
            WHERE d.id = due.id AND w.id = d.webhook_id
            RETURNING d.id, d.webhook_id, d.event_id, d.event_type, d.body, d.tries, w.url,
                      w.secret, w.state,
                      CASE WHEN w.previous_until > now() THEN w.previous_secret END
                          AS previous_secret
        )
        SELECT id, webhook_id, event_id, event_type, body, tries, url, secret, previous_secret
        FROM taken
        WHERE state = 'active'
        """,
        busy,
        lease,
        limit,
    )


async def update_delivery_tried(
    connection: Connection,
    *,
    delivery_id: UUID,
    state: DeliveryState,
    wait: timedelta | None,
) -> int | None:
    """Note that a delivery was tried, and when it is due again; the number of the attempt.

    Where the webhook is paused, or the delivery through, nothing is due. None where it was
    deleted meanwhile.
    """
    return await connection.fetchval(
        """
        UPDATE experiment.webhook_deliveries AS d
        SET state = $2, tries = tries + 1, attempts = attempts + 1,
            next_try_at = CASE WHEN w.state = 'active' THEN now() + $3::interval END
        FROM experiment.webhooks AS w
        WHERE d.id = $1 AND w.id = d.webhook_id
        RETURNING d.attempts
        """,
        delivery_id,
        state,
        wait,
    )


async def insert_attempt(
    connection: Connection, *, delivery_id: UUID, number: int, answer: Answer
) -> None:
    """Note how a call went."""
    await connection.execute(
        """
        INSERT INTO experiment.webhook_attempts (
            delivery_id, number, at, status, failure, duration_ms
        )
        VALUES ($1, $2, clock_timestamp(), $3, $4, $5)
        """,
        delivery_id,
        number,
        answer.status,
        answer.failure,
        answer.duration_ms,
    )


async def update_deliveries_held(connection: Connection, *, webhook_id: UUID) -> None:
    """Let what is on its way wait until the webhook goes on."""
    await connection.execute(
        "UPDATE experiment.webhook_deliveries SET next_try_at = NULL"
        " WHERE webhook_id = $1 AND next_try_at IS NOT NULL",
        webhook_id,
    )


async def update_deliveries_released(connection: Connection, *, webhook_id: UUID) -> None:
    """Let what has waited go on its way."""
    await connection.execute(
        """
        UPDATE experiment.webhook_deliveries SET next_try_at = now(), tries = 0
        WHERE webhook_id = $1 AND state = 'pending' AND next_try_at IS NULL
        """,
        webhook_id,
    )


async def update_delivery_again(connection: Connection, *, delivery_id: UUID) -> None:
    """Send a delivery from the beginning; it waits where its webhook is paused."""
    await connection.execute(
        """
        UPDATE experiment.webhook_deliveries AS d
        SET state = 'pending', tries = 0,
            next_try_at = CASE WHEN w.state = 'active' THEN now() END
        FROM experiment.webhooks AS w
        WHERE d.id = $1 AND w.id = d.webhook_id
        """,
        delivery_id,
    )


async def select_delivery(connection: Connection, *, delivery_id: UUID) -> Delivery | None:
    """A delivery and how its last call went."""
    return await fetch_optional(
        connection,
        Delivery,
        """
        SELECT d.id, d.webhook_id, d.event_id, d.event_type, d.state, d.attempts, d.next_try_at,
               d.created_at, a.status AS last_status, a.failure AS last_failure,
               a.duration_ms AS last_duration_ms
        FROM experiment.webhook_deliveries AS d
        LEFT JOIN experiment.webhook_attempts AS a
            ON a.delivery_id = d.id AND a.number = d.attempts
        WHERE d.id = $1
        """,
        delivery_id,
    )


async def select_deliveries(
    connection: Connection,
    *,
    webhook_id: UUID,
    state: DeliveryState | None,
    before: UUID | None,
    limit: int,
) -> list[Delivery]:
    """A webhook's deliveries, the newest first, continuing after one."""
    return await fetch_all(
        connection,
        Delivery,
        """
        SELECT d.id, d.webhook_id, d.event_id, d.event_type, d.state, d.attempts, d.next_try_at,
               d.created_at, a.status AS last_status, a.failure AS last_failure,
               a.duration_ms AS last_duration_ms
        FROM experiment.webhook_deliveries AS d
        LEFT JOIN experiment.webhook_attempts AS a
            ON a.delivery_id = d.id AND a.number = d.attempts
        WHERE d.webhook_id = $1 AND ($2::text IS NULL OR d.state = $2)
          AND ($3::uuid IS NULL OR d.id < $3)
        ORDER BY d.id DESC
        LIMIT $4
        """,
        webhook_id,
        state,
        before,
        limit,
    )


async def select_attempts(
    connection: Connection, *, delivery_id: UUID, limit: int
) -> list[Attempt]:
    """How the calls of a delivery went, the newest first."""
    return await fetch_all(
        connection,
        Attempt,
        """
        SELECT number, at, status, failure, duration_ms
        FROM experiment.webhook_attempts
        WHERE delivery_id = $1
        ORDER BY number DESC
        LIMIT $2
        """,
        delivery_id,
        limit,
    )


async def delete_old_deliveries(connection: Connection, *, before: datetime, limit: int) -> int:
    """Forget some deliveries from before a time, whatever became of them; how many."""
    return await connection.fetchval(
        """
        WITH old AS (
            SELECT id FROM experiment.webhook_deliveries
            WHERE created_at < $1
            ORDER BY created_at
            LIMIT $2
            FOR UPDATE SKIP LOCKED
        ), gone AS (
            DELETE FROM experiment.webhook_deliveries AS d USING old WHERE d.id = old.id
            RETURNING d.id
        )
        SELECT count(*) FROM gone
        """,
        before,
        limit,
    )

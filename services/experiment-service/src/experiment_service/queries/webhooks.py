"""SQL on webhooks: one function, one statement."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_optional

from experiment_service.models.webhooks import Listener, PauseReason, Webhook


async def select_webhook_project(connection: Connection, webhook_id: UUID) -> UUID | None:
    """The project that the webhook belongs to."""
    return await connection.fetchval(
        "SELECT project_id FROM experiment.webhooks WHERE id = $1", webhook_id
    )


async def select_webhook(connection: Connection, *, webhook_id: UUID) -> Webhook | None:
    """A webhook without its secret."""
    return await fetch_optional(
        connection,
        Webhook,
        """
        SELECT id, project_id, name, url, event_types, state, pause_reason, failing_since,
               CASE WHEN previous_until > now() THEN previous_until END AS previous_secret_until,
               created_by, created_at, updated_at, version
        FROM experiment.webhooks
        WHERE id = $1
        """,
        webhook_id,
    )


async def select_webhooks(
    connection: Connection, *, project_id: UUID, after: UUID | None, limit: int
) -> list[Webhook]:
    """A project's webhooks in the order in which they were made, continuing after one."""
    return await fetch_all(
        connection,
        Webhook,
        """
        SELECT id, project_id, name, url, event_types, state, pause_reason, failing_since,
               CASE WHEN previous_until > now() THEN previous_until END AS previous_secret_until,
               created_by, created_at, updated_at, version
        FROM experiment.webhooks
        WHERE project_id = $1 AND ($2::uuid IS NULL OR id > $2)
        ORDER BY id
        LIMIT $3
        """,
        project_id,
        after,
        limit,
    )


async def count_webhooks(connection: Connection, *, project_id: UUID) -> int:
    """How many webhooks the project has, paused ones included."""
    return await connection.fetchval(
        "SELECT count(*) FROM experiment.webhooks WHERE project_id = $1", project_id
    )


async def lock_listeners(connection: Connection, *, project_ids: Sequence[UUID]) -> list[Listener]:
    """The webhooks of projects; none of them changes until the transaction ends."""
    return await fetch_all(
        connection,
        Listener,
        """
        SELECT id, project_id, event_types, state = 'active' AS active
        FROM experiment.webhooks
        WHERE project_id = ANY($1)
        ORDER BY id
        FOR SHARE
        """,
        project_ids,
    )


async def lock_webhook(connection: Connection, *, webhook_id: UUID) -> bool:
    """Hold a webhook until the transaction ends, before any of its deliveries; whether it is."""
    held = await connection.fetchval(
        "SELECT id FROM experiment.webhooks WHERE id = $1 FOR UPDATE", webhook_id
    )
    return held is not None


async def lock_webhooks(connection: Connection, project_id: UUID) -> None:
    """Let changes of a project's webhooks take turns, until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('webhooks ' || $1::text, 0))",
        str(project_id),
    )


async def insert_webhook(connection: Connection, webhook: Webhook, *, secret: bytes) -> None:
    """Store a new webhook with its sealed secret."""
    await connection.execute(
        """
        INSERT INTO experiment.webhooks (
            id, project_id, name, url, event_types, secret, created_by, created_at, updated_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        """,
        webhook.id,
        webhook.project_id,
        webhook.name,
        webhook.url,
        webhook.event_types,
        secret,
        webhook.created_by,
        webhook.created_at,
    )


async def update_webhook(connection: Connection, webhook: Webhook, *, at: datetime) -> None:
    """Store what people edit of a webhook, and count the version up."""
    await connection.execute(
        """
        UPDATE experiment.webhooks
        SET name = $2, url = $3, event_types = $4, state = $5, pause_reason = $6,
            failing_since = $7, updated_at = $8, version = version + 1
        WHERE id = $1
        """,
        webhook.id,
        webhook.name,
        webhook.url,
        webhook.event_types,
        webhook.state,
        webhook.pause_reason,
        webhook.failing_since,
        at,
    )


async def update_webhook_secret(
    connection: Connection, *, webhook_id: UUID, secret: bytes, until: datetime, at: datetime
) -> None:
    """Sign with another secret, and with the one before until the end of the grace."""
    await connection.execute(
        """
        UPDATE experiment.webhooks
        SET previous_secret = secret, previous_until = $3, secret = $2, updated_at = $4,
            version = version + 1
        WHERE id = $1
        """,
        webhook_id,
        secret,
        until,
        at,
    )


async def update_webhook_answered(connection: Connection, *, webhook_id: UUID) -> None:
    """Note that a call was accepted."""
    await connection.execute(
        "UPDATE experiment.webhooks SET failing_since = NULL"
        " WHERE id = $1 AND failing_since IS NOT NULL",
        webhook_id,
    )


async def update_webhook_failing(connection: Connection, *, webhook_id: UUID) -> datetime:
    """Note that a call failed; since when none was accepted."""
    return await connection.fetchval(
        """
        UPDATE experiment.webhooks SET failing_since = coalesce(failing_since, clock_timestamp())
        WHERE id = $1
        RETURNING failing_since
        """,
        webhook_id,
    )


async def update_webhook_paused(
    connection: Connection, *, webhook_id: UUID, reason: PauseReason
) -> bool:
    """Pause a webhook that is active; whether it was."""
    paused = await connection.fetchval(
        """
        UPDATE experiment.webhooks
        SET state = 'paused', pause_reason = $2, updated_at = clock_timestamp(),
            version = version + 1
        WHERE id = $1 AND state = 'active'
        RETURNING id
        """,
        webhook_id,
        reason,
    )
    return paused is not None


async def delete_webhook(connection: Connection, webhook_id: UUID) -> None:
    """Forget a webhook with its deliveries."""
    await connection.execute("DELETE FROM experiment.webhooks WHERE id = $1", webhook_id)

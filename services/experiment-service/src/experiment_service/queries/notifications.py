"""SQL on events that people are told of: one function, one statement."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_one
from servicekit.events import Event

from experiment_service.models.notifications import (
    DueNotification,
    MailLanguage,
    Notification,
    NotificationState,
)


async def insert_notifications(
    connection: Connection,
    *,
    ids: Sequence[UUID],
    rule_ids: Sequence[UUID],
    user_ids: Sequence[UUID],
    languages: Sequence[MailLanguage],
    events: Sequence[Event],
    gather: timedelta,
) -> None:
    """Queue events for people, to go when some have gathered; each event once a person."""
    await connection.execute(
        """
        INSERT INTO experiment.notifications (
            id, rule_id, project_id, user_id, language, event_id, event_type, event, next_try_at,
            created_at
        )
        SELECT id, rule_id, project_id, user_id, language, event_id, event_type, event::jsonb,
               now() + $9::interval, now()
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[],
                    $7::text[], $8::text[])
            AS n (id, rule_id, project_id, user_id, language, event_id, event_type, event)
        ON CONFLICT (project_id, user_id, event_id) DO NOTHING
        """,
        ids,
        rule_ids,
        [event.project_id for event in events],
        user_ids,
        languages,
        [event.id for event in events],
        [event.type for event in events],
        [event.model_dump_json() for event in events],
        gather,
    )


async def insert_test_notification(
    connection: Connection,
    *,
    notification_id: UUID,
    project_id: UUID,
    user_id: UUID,
    language: MailLanguage,
    event: Event,
) -> None:
    """Note a test that is about to be sent: it counts among the person's mails at once."""
    await connection.execute(
        """
        INSERT INTO experiment.notifications (
            id, project_id, user_id, language, event_id, event_type, event, created_at, sent_at,
            mail_id
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb, now(), now(), $1)
        """,
        notification_id,
        project_id,
        user_id,
        language,
        event.id,
        event.type,
        event.model_dump_json(),
    )


async def select_notification(connection: Connection, notification_id: UUID) -> Notification:
    """One that there certainly is."""
    return await fetch_one(
        connection,
        Notification,
        """
        SELECT id, rule_id, event_type, event #>> '{subject,name}' AS subject_name, state, failure,
               next_try_at, created_at, sent_at
        FROM experiment.notifications
        WHERE id = $1
        """,
        notification_id,
    )


async def update_due_notifications(
    connection: Connection, *, lease: timedelta, gather: timedelta, limit: int
) -> list[DueNotification]:
    """Take what is due for one person in one project, and what soon is; nobody else does for the
    lease.
    """
    return await fetch_all(
        connection,
        DueNotification,
        """
        WITH first AS (
            SELECT project_id, user_id
            FROM experiment.notifications
            WHERE next_try_at <= now()
            ORDER BY next_try_at
            LIMIT 1
            FOR UPDATE SKIP LOCKED
        ), due AS (
            SELECT n.id
            FROM experiment.notifications AS n
            JOIN first USING (project_id, user_id)
            WHERE n.next_try_at <= now() + $2::interval
            ORDER BY n.id
            LIMIT $3
            FOR UPDATE OF n SKIP LOCKED
        ), taken AS (
            UPDATE experiment.notifications AS n SET next_try_at = now() + $1::interval
            FROM due
            WHERE n.id = due.id
            RETURNING n.id, n.project_id, n.user_id, n.language, n.event, n.tries
        )
        SELECT * FROM taken ORDER BY id
        """,
        lease,
        gather,
        limit,
    )


async def count_mails(connection: Connection, *, user_id: UUID, since: datetime) -> int:
    """How many mails went to a person since then, of all projects."""
    return await connection.fetchval(
        """
        SELECT count(DISTINCT mail_id) FROM experiment.notifications
        WHERE user_id = $1 AND sent_at > $2
        """,
        user_id,
        since,
    )


async def update_notifications(
    connection: Connection,
    *,
    ids: Sequence[UUID],
    state: NotificationState,
    failure: str | None,
    wait: timedelta | None,
    mail_id: UUID | None,
    tried: bool,
) -> None:
    """Note what became of events, and when they are due again."""
    await connection.execute(
        """
        UPDATE experiment.notifications
        SET state = $2, failure = $3, next_try_at = clock_timestamp() + $4::interval,
            tries = tries + $6::bool::integer, mail_id = coalesce($5, mail_id),
            sent_at = CASE WHEN $2 = 'sent' THEN clock_timestamp() END
        WHERE id = ANY($1)
        """,
        ids,
        state,
        failure,
        wait,
        mail_id,
        tried,
    )


async def delete_waiting_notifications(connection: Connection, *, rule_id: UUID) -> None:
    """Forget what waits by a rule."""
    await connection.execute(
        "DELETE FROM experiment.notifications WHERE rule_id = $1 AND state = 'pending'", rule_id
    )


async def select_notifications(
    connection: Connection,
    *,
    project_id: UUID,
    user_id: UUID,
    state: NotificationState | None,
    before: UUID | None,
    limit: int,
) -> list[Notification]:
    """What a person was told of, the newest first, continuing after one."""
    return await fetch_all(
        connection,
        Notification,
        """
        SELECT id, rule_id, event_type, event #>> '{subject,name}' AS subject_name, state, failure,
               next_try_at, created_at, sent_at
        FROM experiment.notifications
        WHERE project_id = $1 AND user_id = $2 AND ($3::text IS NULL OR state = $3)
          AND ($4::uuid IS NULL OR id < $4)
        ORDER BY id DESC
        LIMIT $5
        """,
        project_id,
        user_id,
        state,
        before,
        limit,
    )


async def delete_old_notifications(connection: Connection, *, before: datetime, limit: int) -> int:
    """Forget some from before a time, whatever became of them; how many."""
    return await connection.fetchval(
        """
        WITH old AS (
            SELECT id FROM experiment.notifications
            WHERE created_at < $1
            ORDER BY created_at
            LIMIT $2
            FOR UPDATE SKIP LOCKED
        ), gone AS (
            DELETE FROM experiment.notifications AS n USING old WHERE n.id = old.id RETURNING n.id
        )
        SELECT count(*) FROM gone
        """,
        before,
        limit,
    )

"""SQL on what people want to be told of: one function, one statement."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_optional
from servicekit.events import Event

from experiment_service.models.notifications import Match, NotificationRule


async def select_rule_project(connection: Connection, rule_id: UUID) -> UUID | None:
    """The project that the rule belongs to."""
    return await connection.fetchval(
        "SELECT project_id FROM experiment.notification_rules WHERE id = $1", rule_id
    )


async def select_rules(
    connection: Connection, *, project_id: UUID, user_id: UUID, after: UUID | None, limit: int
) -> list[NotificationRule]:
    """A person's rules in a project, in the order in which they were made, continuing after one."""
    return await fetch_all(
        connection,
        NotificationRule,
        """
        SELECT id, project_id, user_id, event_types, only_mine, experiment_id, name_part, language,
               state, created_at, updated_at, version
        FROM experiment.notification_rules
        WHERE project_id = $1 AND user_id = $2 AND ($3::uuid IS NULL OR id > $3)
        ORDER BY id
        LIMIT $4
        """,
        project_id,
        user_id,
        after,
        limit,
    )


async def lock_rule(
    connection: Connection, *, rule_id: UUID, user_id: UUID
) -> NotificationRule | None:
    """A person's rule, held until the transaction ends."""
    return await fetch_optional(
        connection,
        NotificationRule,
        """
        SELECT id, project_id, user_id, event_types, only_mine, experiment_id, name_part, language,
               state, created_at, updated_at, version
        FROM experiment.notification_rules
        WHERE id = $1 AND user_id = $2
        FOR UPDATE
        """,
        rule_id,
        user_id,
    )


async def lock_rules(connection: Connection, *, project_id: UUID, user_id: UUID) -> None:
    """Let new rules of a person take turns, until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('rules ' || $1::text || $2::text, 0))",
        str(project_id),
        str(user_id),
    )


async def count_rules(connection: Connection, *, project_id: UUID, user_id: UUID) -> int:
    """How many rules the person has in the project."""
    return await connection.fetchval(
        """
        SELECT count(*) FROM experiment.notification_rules
        WHERE project_id = $1 AND user_id = $2
        """,
        project_id,
        user_id,
    )


async def insert_rule(connection: Connection, rule: NotificationRule) -> None:
    """Store a new rule."""
    await connection.execute(
        """
        INSERT INTO experiment.notification_rules (
            id, project_id, user_id, event_types, only_mine, experiment_id, name_part, language,
            created_at, updated_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
        """,
        rule.id,
        rule.project_id,
        rule.user_id,
        rule.event_types,
        rule.only_mine,
        rule.experiment_id,
        rule.name_part,
        rule.language,
        rule.created_at,
    )


async def update_rule(connection: Connection, rule: NotificationRule, *, at: datetime) -> None:
    """Store what was edited of a rule, and count the version up."""
    await connection.execute(
        """
        UPDATE experiment.notification_rules
        SET event_types = $2, only_mine = $3, experiment_id = $4, name_part = $5, language = $6,
            state = $7, updated_at = $8, version = version + 1
        WHERE id = $1
        """,
        rule.id,
        rule.event_types,
        rule.only_mine,
        rule.experiment_id,
        rule.name_part,
        rule.language,
        rule.state,
        at,
    )


async def delete_rule(connection: Connection, *, rule_id: UUID, user_id: UUID) -> bool:
    """Forget a person's rule with what it told of; whether there was one."""
    gone = await connection.fetchval(
        "DELETE FROM experiment.notification_rules WHERE id = $1 AND user_id = $2 RETURNING id",
        rule_id,
        user_id,
    )
    return gone is not None


async def lock_matches(connection: Connection, events: Sequence[Event]) -> list[Match]:
    """The rules by which people are told of the events; none goes until the transaction ends."""
    return await fetch_all(
        connection,
        Match,
        """
        SELECT e.number, r.id AS rule_id, r.user_id, r.language
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[])
            WITH ORDINALITY AS e (project_id, type, kind, subject_id, name, number)
        JOIN experiment.notification_rules AS r
            ON r.project_id = e.project_id AND r.state = 'active' AND e.type = ANY(r.event_types)
        LEFT JOIN experiment.runs AS n ON e.kind = 'run' AND n.id = e.subject_id
        WHERE (
                e.kind <> 'run'
                OR (NOT r.only_mine OR n.created_by = r.user_id)
                AND (r.experiment_id IS NULL OR n.experiment_id = r.experiment_id)
            )
          AND (r.name_part IS NULL OR strpos(lower(e.name), lower(r.name_part)) > 0)
        ORDER BY r.id, e.number
        FOR SHARE OF r
        """,
        [event.project_id for event in events],
        [event.type for event in events],
        [event.subject.kind for event in events],
        [event.subject.id for event in events],
        [event.subject.name or "" for event in events],
    )

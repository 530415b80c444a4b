"""What people want to be told of by mail: everybody sets it for themselves, and sees their own."""

from datetime import UTC, datetime
from uuid import UUID

from pydantic import BaseModel
from servicekit.database import Database
from servicekit.events import Event, EventKind
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.outbox import note
from servicekit.pagination import Cursor, Page, PageQuery, page_of
from servicekit.problems import Invalid, NotFound, PreconditionFailed

from experiment_service.errors import LimitExceeded
from experiment_service.models.audited import RULE_CHANGED, RULE_CREATED, RULE_REMOVED
from experiment_service.models.events import FieldsData, NoData
from experiment_service.models.notifications import (
    MAX_RULES,
    NewNotificationRule,
    Notification,
    NotificationQuery,
    NotificationRule,
    NotificationRuleChange,
)
from experiment_service.queries.experiments import select_project
from experiment_service.queries.notification_rules import (
    count_rules,
    delete_rule,
    insert_rule,
    lock_rule,
    lock_rules,
    select_rules,
    update_rule,
)
from experiment_service.queries.notifications import (
    delete_waiting_notifications,
    select_notifications,
)


async def list_rules(
    database: Database, principal: Principal, project_id: UUID, query: PageQuery
) -> Page[NotificationRule]:
    """One page of the caller's rules in the order in which they were made."""
    after = Cursor.decode(query.cursor, sort="id").row_id if query.cursor else None
    async with database.acquire() as connection:
        found = await select_rules(
            connection,
            project_id=project_id,
            user_id=principal.user_id,
            after=after,
            limit=query.limit + 1,
        )
    return page_of(found, limit=query.limit, cursor=lambda one: Cursor(sort="id", id=one.id))


async def add_rule(
    database: Database, principal: Principal, project_id: UUID, new: NewNotificationRule
) -> NotificationRule:
    """Tell the caller of events by mail from now on.

    Raises:
        Invalid: the experiment is none of the project's.
        LimitExceeded: there are as many as there may be.
    """
    now = datetime.now(UTC)
    rule = NotificationRule(
        id=uuid7(),
        project_id=project_id,
        user_id=principal.user_id,
        **new.model_dump(),
        state="active",
        created_at=now,
        updated_at=now,
        version=1,
    )
    async with database.acquire() as connection, connection.transaction():
        await lock_rules(connection, project_id=project_id, user_id=principal.user_id)
        count = await count_rules(connection, project_id=project_id, user_id=principal.user_id)
        if count >= MAX_RULES:
            msg = f"There are {count} rules, which is the most a person may have in a project."
            raise LimitExceeded(msg)
        if rule.experiment_id:
            found = await select_project(connection, rule.experiment_id)
            _check_experiment(found, project_id)
        await insert_rule(connection, rule)
        await note(connection, [_noted(RULE_CREATED, NoData(), rule)])
    return rule


async def change_rule(
    database: Database,
    principal: Principal,
    rule_id: UUID,
    change: NotificationRuleChange,
    *,
    if_match: int | None,
) -> NotificationRule:
    """Change what the patch names; what waited for a mail goes when a rule is paused.

    Raises:
        NotFound: the caller has no such rule.
        PreconditionFailed: it is no longer the version that `if_match` names.
        Invalid: the experiment is none of the project's, or there would be no events.
    """
    async with database.acquire() as connection, connection.transaction():
        before = await lock_rule(connection, rule_id=rule_id, user_id=principal.user_id)
        if before is None:
            raise NotFound
        if if_match is not None and before.version != if_match:
            raise PreconditionFailed
        edited = before.model_copy(update=change.given)
        if edited == before:
            return before
        if edited.experiment_id and edited.experiment_id != before.experiment_id:
            found = await select_project(connection, edited.experiment_id)
            _check_experiment(found, before.project_id)
        if edited.state == "paused":
            await delete_waiting_notifications(connection, rule_id=rule_id)
        now = datetime.now(UTC)
        await update_rule(connection, edited, at=now)
        fields = FieldsData(fields=list(change.given))
        await note(connection, [_noted(RULE_CHANGED, fields, edited)])
        return edited.model_copy(update={"version": before.version + 1, "updated_at": now})


async def remove_rule(database: Database, principal: Principal, rule_id: UUID) -> None:
    """Forget a rule of the caller's with its log; what waited for a mail is not sent.

    Raises:
        NotFound: the caller has no such rule.
    """
    async with database.acquire() as connection, connection.transaction():
        rule = await lock_rule(connection, rule_id=rule_id, user_id=principal.user_id)
        if rule is None:
            raise NotFound
        await delete_rule(connection, rule_id=rule_id, user_id=principal.user_id)
        await note(connection, [_noted(RULE_REMOVED, NoData(), rule)])


async def list_notifications(
    database: Database, principal: Principal, project_id: UUID, query: NotificationQuery
) -> Page[Notification]:
    """One page of what the caller was told of, the newest first."""
    before = Cursor.decode(query.cursor, sort="-id").row_id if query.cursor else None
    async with database.acquire() as connection:
        found = await select_notifications(
            connection,
            project_id=project_id,
            user_id=principal.user_id,
            state=query.state,
            before=before,
            limit=query.limit + 1,
        )
    return page_of(found, limit=query.limit, cursor=lambda one: Cursor(sort="-id", id=one.id))


def _noted[D: BaseModel](kind: EventKind[D], data: D, rule: NotificationRule) -> Event:
    return kind.event(data, project_id=rule.project_id, subject_id=rule.id)


def _check_experiment(found: UUID | None, project_id: UUID) -> None:
    if found != project_id:
        detail = "The project has no such experiment."
        raise Invalid(errors=[{"pointer": "#/experiment_id", "detail": detail}])

"""Webhooks: which addresses a project tells of what happens in it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel
from servicekit.database import Connection, Database
from servicekit.events import EventKind
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.outgoing import Caller
from servicekit.pagination import Cursor, Page, PageQuery, page_of
from servicekit.problems import Invalid, NotFound, PreconditionFailed

from experiment_service.errors import LimitExceeded
from experiment_service.models.events import (
    WEBHOOK_CHANGED,
    WEBHOOK_CREATED,
    WEBHOOK_REMOVED,
    WEBHOOK_SECRET_ROTATED,
    FieldsData,
    NoData,
)
from experiment_service.models.webhooks import (
    MAX_WEBHOOKS,
    NewWebhook,
    SecretRotation,
    Webhook,
    WebhookChange,
    WebhookWithSecret,
)
from experiment_service.operations.telling import tell
from experiment_service.operations.webhook_secrets import SecretBox, new_secret, shown
from experiment_service.queries.turns import select_now
from experiment_service.queries.webhook_deliveries import (
    update_deliveries_held,
    update_deliveries_released,
)
from experiment_service.queries.webhooks import (
    count_webhooks,
    delete_webhook,
    insert_webhook,
    lock_webhook,
    lock_webhooks,
    select_webhook,
    select_webhooks,
    update_webhook,
    update_webhook_secret,
)


async def list_webhooks(database: Database, project_id: UUID, query: PageQuery) -> Page[Webhook]:
    """One page of a project's webhooks in the order in which they were made."""
    after = Cursor.decode(query.cursor, sort="id").row_id if query.cursor else None
    async with database.acquire() as connection:
        found = await select_webhooks(
            connection, project_id=project_id, after=after, limit=query.limit + 1
        )
    return page_of(found, limit=query.limit, cursor=lambda one: Cursor(sort="id", id=one.id))


async def get_webhook(database: Database, webhook_id: UUID) -> Webhook:
    """A webhook without its secret.

    Raises:
        NotFound: there is none.
    """
    async with database.acquire() as connection:
        return await _webhook(connection, webhook_id)


async def create_webhook(
    database: Database,
    principal: Principal,
    project_id: UUID,
    new: NewWebhook,
    *,
    caller: Caller,
    box: SecretBox,
) -> WebhookWithSecret:
    """Add a webhook; the answer shows its secret once.

    Raises:
        Invalid: the address is none that may be called.
        WebhooksOff: the operator has set no key to keep secrets under.
        LimitExceeded: there are as many as there may be.
    """
    _check_url(caller, new.url)
    secret = new_secret()
    sealed = box.seal(secret)
    now = datetime.now(UTC)
    webhook = Webhook(
        id=uuid7(),
        project_id=project_id,
        name=new.name,
        url=new.url,
        event_types=new.event_types,
        state="active",
        pause_reason=None,
        failing_since=None,
        previous_secret_until=None,
        created_by=principal.user_id,
        created_at=now,
        updated_at=now,
        version=1,
    )
    async with database.acquire() as connection, connection.transaction():
        await lock_webhooks(connection, project_id)
        count = await count_webhooks(connection, project_id=project_id)
        if count >= MAX_WEBHOOKS:
            msg = f"There are {count} webhooks, which is the most a project may have."
            raise LimitExceeded(msg)
        await insert_webhook(connection, webhook, secret=sealed)
        await _tell(connection, WEBHOOK_CREATED, NoData(), webhook)
    return WebhookWithSecret(**dict(webhook), secret=shown(secret))


async def change_webhook(
    database: Database,
    webhook_id: UUID,
    change: WebhookChange,
    *,
    caller: Caller,
    if_match: int | None,
) -> Webhook:
    """Change what the patch names; one that goes on sends what has waited.

    Raises:
        Invalid: the address is none that may be called.
        NotFound: there is none.
        PreconditionFailed: it is no longer the version that `if_match` names.
    """
    async with database.acquire() as connection, connection.transaction():
        await lock_webhook(connection, webhook_id=webhook_id)
        before = await _webhook(connection, webhook_id)
        if if_match is not None and before.version != if_match:
            raise PreconditionFailed
        edited = before.model_copy(update=change.given)
        if edited == before:
            return before
        if edited.url != before.url:
            _check_url(caller, edited.url)
        if edited.state != before.state:
            paused = edited.state == "paused"
            edited = edited.model_copy(
                update={
                    "pause_reason": "by-hand" if paused else None,
                    "failing_since": before.failing_since if paused else None,
                }
            )
        await update_webhook(connection, edited, at=datetime.now(UTC))
        await _tell(connection, WEBHOOK_CHANGED, FieldsData(fields=list(change.given)), edited)
        if edited.state != before.state:
            move = (
                update_deliveries_held if edited.state == "paused" else update_deliveries_released
            )
            await move(connection, webhook_id=webhook_id)
        return await _webhook(connection, webhook_id)


async def rotate_secret(
    database: Database, webhook_id: UUID, rotation: SecretRotation, box: SecretBox
) -> WebhookWithSecret:
    """Sign with a new secret, and with the one before for the grace.

    Raises:
        NotFound: there is no such webhook.
        WebhooksOff: the operator has set no key to keep secrets under.
    """
    secret = new_secret()
    sealed = box.seal(secret)
    async with database.acquire() as connection, connection.transaction():
        await lock_webhook(connection, webhook_id=webhook_id)
        now = await select_now(connection)
        await update_webhook_secret(
            connection,
            webhook_id=webhook_id,
            secret=sealed,
            until=now + timedelta(seconds=rotation.grace_seconds),
            at=now,
        )
        webhook = await _webhook(connection, webhook_id)
        await _tell(connection, WEBHOOK_SECRET_ROTATED, NoData(), webhook)
    return WebhookWithSecret(**dict(webhook), secret=shown(secret))


async def remove_webhook(database: Database, webhook_id: UUID) -> None:
    """Forget a webhook, its secret, its deliveries and their log."""
    async with database.acquire() as connection, connection.transaction():
        await lock_webhook(connection, webhook_id=webhook_id)
        webhook = await select_webhook(connection, webhook_id=webhook_id)
        if webhook:
            await delete_webhook(connection, webhook_id)
            await _tell(connection, WEBHOOK_REMOVED, NoData(), webhook)


def _check_url(caller: Caller, url: str) -> None:
    if caller.refuses(url):
        detail = "must not lead to this machine, a private network or anything else not public"
        raise Invalid(errors=[{"pointer": "#/url", "detail": detail}])


async def _tell[D: BaseModel](
    connection: Connection, kind: EventKind[D], data: D, webhook: Webhook
) -> None:
    event = kind.event(
        data, project_id=webhook.project_id, subject_id=webhook.id, subject_name=webhook.name
    )
    await tell(connection, [event])


async def _webhook(connection: Connection, webhook_id: UUID) -> Webhook:
    webhook = await select_webhook(connection, webhook_id=webhook_id)
    if webhook is None:
        raise NotFound
    return webhook

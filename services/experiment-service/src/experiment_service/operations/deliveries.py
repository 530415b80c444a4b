"""Deliveries: queued with what happened, called, tried again, given up, looked at."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from importlib.metadata import version
from time import time
from typing import Literal
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.events import SYSTEM, Event
from servicekit.ids import uuid7
from servicekit.outbox import emit, note
from servicekit.outgoing import Answer, Caller
from servicekit.pagination import Cursor, Page, page_of
from servicekit.problems import NotFound

from experiment_service.models.audited import WEBHOOK_TESTED
from experiment_service.models.events import WEBHOOK_PAUSED, WEBHOOK_TEST, NoData, PauseData
from experiment_service.models.webhooks import (
    Delivery,
    DeliveryDetails,
    DeliveryQuery,
    DeliveryState,
    DueDelivery,
)
from experiment_service.operations.webhook_secrets import SecretBox, sign
from experiment_service.queries.webhook_deliveries import (
    insert_attempt,
    insert_deliveries,
    insert_test_delivery,
    select_attempts,
    select_deliveries,
    select_delivery,
    select_due_delivery,
    update_deliveries_held,
    update_delivery_again,
    update_delivery_tried,
    update_due_deliveries,
)
from experiment_service.queries.webhooks import (
    lock_listeners,
    lock_webhook,
    select_webhook,
    update_webhook_answered,
    update_webhook_failing,
    update_webhook_paused,
)

MAX_TRIES = 10
FIRST_WAIT_SEC = 5.0
WAIT_FACTOR = 4.0
MOST_WAIT_SEC = 86_400.0
JITTER = 0.2
LEASE = timedelta(seconds=60)
FAILING_FOR = timedelta(days=3)
SHOWN_CALLS = 50
AGENT = f"Runbench-Webhooks/{version('experiment-service')}"


async def receive_events(connection: Connection, events: Sequence[Event]) -> None:
    """Queue events for the webhooks that are told of them, in the caller's transaction.

    An event that comes a second time changes nothing.
    """
    projects = {event.project_id for event in events if event.project_id}
    listeners = await lock_listeners(connection, project_ids=list(projects)) if projects else []
    pairs = [
        (event, listener)
        for event in events
        for listener in listeners
        if listener.project_id == event.project_id and event.type in listener.event_types
    ]
    if not pairs:
        return
    await insert_deliveries(
        connection,
        ids=[uuid7() for _ in pairs],
        webhook_ids=[listener.id for _, listener in pairs],
        project_ids=[listener.project_id for _, listener in pairs],
        event_ids=[event.id for event, _ in pairs],
        event_types=[event.type for event, _ in pairs],
        bodies=[event.model_dump_json() for event, _ in pairs],
        due=[listener.active for _, listener in pairs],
    )


async def take_due(database: Database, *, busy: Sequence[UUID], limit: int) -> list[DueDelivery]:
    """Deliveries to call now, none of `busy` webhooks; they are this process's for a minute.

    Whoever is killed before the outcome is stored leaves them to be taken again.
    """
    async with database.acquire() as connection:
        return await update_due_deliveries(connection, busy=busy, lease=LEASE, limit=limit)


async def deliver(
    database: Database, caller: Caller, box: SecretBox, due: DueDelivery, *, once: bool = False
) -> None:
    """Call the address and store how it went; `once` gives up after the first failure."""
    secrets = [box.open(due.secret), due.previous_secret and box.open(due.previous_secret)]
    known = [secret for secret in secrets if secret]
    if known:
        body, timestamp = due.body.encode(), int(time())
        signature = sign(known, message_id=str(due.event_id), timestamp=timestamp, body=body)
        headers = _headers(due.event_id) | {
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature,
        }
        answer = await caller.post(due.url, body, headers)
    else:
        answer = Answer(status=None, failure="no-secret", duration_ms=0)
    async with database.acquire() as connection, connection.transaction():
        await _store(connection, due, answer, once=once)


async def test_webhook(
    database: Database, caller: Caller, box: SecretBox, webhook_id: UUID
) -> DeliveryDetails:
    """Send an event that says nothing happened, once, paused or not; the answer says how it went.

    Raises:
        NotFound: there is no such webhook.
    """
    delivery_id = uuid7()
    async with database.acquire() as connection, connection.transaction():
        webhook = await select_webhook(connection, webhook_id=webhook_id)
        if webhook is None:
            raise NotFound
        event = WEBHOOK_TEST.event(
            NoData(),
            project_id=webhook.project_id,
            subject_id=webhook_id,
            subject_name=webhook.name,
        )
        await insert_test_delivery(
            connection,
            delivery_id=delivery_id,
            webhook_id=webhook_id,
            event_id=event.id,
            event_type=event.type,
            body=event.model_dump_json(),
        )
        told = WEBHOOK_TESTED.event(
            NoData(),
            project_id=webhook.project_id,
            subject_id=webhook_id,
            subject_name=webhook.name,
        )
        await note(connection, [told])
    async with database.acquire() as connection:
        due = await select_due_delivery(connection, delivery_id=delivery_id)
    if due is None:
        raise NotFound
    await deliver(database, caller, box, due, once=True)
    return await get_delivery(database, delivery_id)


async def list_deliveries(
    database: Database, webhook_id: UUID, query: DeliveryQuery
) -> Page[Delivery]:
    """One page of a webhook's deliveries, the newest first."""
    before = Cursor.decode(query.cursor, sort="-id").row_id if query.cursor else None
    async with database.acquire() as connection:
        found = await select_deliveries(
            connection,
            webhook_id=webhook_id,
            state=query.state,
            before=before,
            limit=query.limit + 1,
        )
    return page_of(found, limit=query.limit, cursor=lambda one: Cursor(sort="-id", id=one.id))


async def get_delivery(database: Database, delivery_id: UUID) -> DeliveryDetails:
    """A delivery with what is sent, and how its calls went.

    Raises:
        NotFound: there is none.
    """
    async with database.acquire() as connection:
        delivery = await select_delivery(connection, delivery_id=delivery_id)
        due = await select_due_delivery(connection, delivery_id=delivery_id)
        if delivery is None or due is None:
            raise NotFound
        calls = await select_attempts(connection, delivery_id=delivery_id, limit=SHOWN_CALLS)
    return DeliveryDetails(
        **dict(delivery), url=due.url, headers=_headers(due.event_id), body=due.body, calls=calls
    )


async def redeliver(database: Database, delivery_id: UUID) -> DeliveryDetails:
    """Send a delivery again from the beginning, whatever became of it.

    Raises:
        NotFound: there is none.
    """
    async with database.acquire() as connection, connection.transaction():
        delivery = await select_delivery(connection, delivery_id=delivery_id)
        if delivery is None:
            raise NotFound
        await lock_webhook(connection, webhook_id=delivery.webhook_id)
        await update_delivery_again(connection, delivery_id=delivery_id)
    return await get_delivery(database, delivery_id)


async def _store(connection: Connection, due: DueDelivery, answer: Answer, *, once: bool) -> None:
    if not await lock_webhook(connection, webhook_id=due.webhook_id):
        return
    state, wait = _outcome(due.tries + 1, answer, once=once)
    number = await update_delivery_tried(connection, delivery_id=due.id, state=state, wait=wait)
    if number is None:
        return
    await insert_attempt(connection, delivery_id=due.id, number=number, answer=answer)
    if answer.accepted:
        await update_webhook_answered(connection, webhook_id=due.webhook_id)
    elif not once:
        await _count_failure(connection, due.webhook_id, answer)


async def _count_failure(connection: Connection, webhook_id: UUID, answer: Answer) -> None:
    since = await update_webhook_failing(connection, webhook_id=webhook_id)
    gone = answer.status == HTTPStatus.GONE
    if gone or datetime.now(UTC) - since > FAILING_FOR:
        reason = "gone" if gone else "failing"
        paused = await update_webhook_paused(connection, webhook_id=webhook_id, reason=reason)
        await update_deliveries_held(connection, webhook_id=webhook_id)
        if paused:
            await _tell_of_pause(connection, webhook_id, reason)


async def _tell_of_pause(
    connection: Connection, webhook_id: UUID, reason: Literal["gone", "failing"]
) -> None:
    if webhook := await select_webhook(connection, webhook_id=webhook_id):
        event = WEBHOOK_PAUSED.event(
            PauseData(reason=reason),
            project_id=webhook.project_id,
            subject_id=webhook_id,
            subject_name=webhook.name,
            actor=SYSTEM,
        )
        # No webhook is told of webhooks.
        await emit(connection, [event])


def _outcome(tries: int, answer: Answer, *, once: bool) -> tuple[DeliveryState, timedelta | None]:
    """What becomes of a delivery after so many tries, and how long until the next."""
    if answer.accepted:
        return "delivered", None
    if once or tries >= MAX_TRIES:
        return "dead", None
    wait = min(MOST_WAIT_SEC, FIRST_WAIT_SEC * WAIT_FACTOR ** (tries - 1))
    wait *= random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads calls, guards nothing
    return "pending", timedelta(seconds=max(wait, min(answer.retry_after or 0, MOST_WAIT_SEC)))


def _headers(event_id: UUID) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "webhook-id": str(event_id),
    }

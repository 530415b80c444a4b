"""Mails to people who asked for them: queued with what happened, gathered, bounded, tried again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.events import Event
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.mail import Mailer, MailFailed

from experiment_service.clients.recipients import Recipient, Recipients
from experiment_service.errors import LimitExceeded
from experiment_service.models.events import NOTIFICATION_TEST, NoData
from experiment_service.models.notifications import (
    DueNotification,
    MailLanguage,
    MailState,
    Notification,
    NotificationState,
)
from experiment_service.operations.mail_texts import compose
from experiment_service.queries.notification_rules import lock_matches, lock_rules
from experiment_service.queries.notifications import (
    count_mails,
    insert_notifications,
    insert_test_notification,
    select_notification,
    update_due_notifications,
    update_notifications,
)

GATHER = timedelta(seconds=3)
LEASE = timedelta(minutes=2)
AT_ONCE = 1000
MOST_MAILS = 20
BOUND_OVER = timedelta(hours=1)
WAIT_FOR_ROOM = timedelta(minutes=5)
MAX_TRIES = 8
FIRST_WAIT_SEC = 30.0
WAIT_FACTOR = 3.0
MOST_WAIT_SEC = 21_600.0
JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Post:
    """What a mail needs: who may be written to, how it goes, where the portal is."""

    mailer: Mailer
    recipients: Recipients | None
    portal: str

    @property
    def is_on(self) -> bool:
        """Whether mails can go from here."""
        return self.mailer.is_on and self.recipients is not None

    async def recipient(self, project_id: UUID, user_id: UUID) -> Recipient | None:
        """The person, as long as they are an active member.

        Raises:
            Unavailable: nobody can say at the moment.
        """
        return await self.recipients.find(project_id, user_id) if self.recipients else None

    async def send(self, events: Sequence[Event], to: Recipient, language: MailLanguage) -> None:
        """One mail of the events.

        Raises:
            MailFailed: it was not taken.
        """
        mail = compose(events, to, language, self.portal)
        await self.mailer.send(to=to.email, subject=mail.subject, text=mail.text, html=mail.html)


async def queue_mails(connection: Connection, events: Sequence[Event]) -> None:
    """Queue events for the people who want to be told of them, in the caller's transaction."""
    about_projects = [event for event in events if event.project_id]
    matches = await lock_matches(connection, about_projects) if about_projects else []
    if matches:
        await insert_notifications(
            connection,
            ids=[uuid7() for _ in matches],
            rule_ids=[match.rule_id for match in matches],
            user_ids=[match.user_id for match in matches],
            languages=[match.language for match in matches],
            events=[about_projects[match.number - 1] for match in matches],
            gather=GATHER,
        )


async def send_due(database: Database, post: Post) -> bool:
    """Send one person what is due, in one mail; whether anything was due.

    A person gets so many mails an hour; what happens beyond that gathers for the next one. Whoever
    is killed before the outcome is stored leaves the events to be taken again after the lease.

    Raises:
        Unavailable: nobody can say who is a member at the moment; they are taken again, too.
    """
    async with database.acquire() as connection:
        due = await update_due_notifications(connection, lease=LEASE, gather=GATHER, limit=AT_ONCE)
        if not due:
            return False
        first = due[0]
        since = datetime.now(UTC) - BOUND_OVER
        full = await count_mails(connection, user_id=first.user_id, since=since) >= MOST_MAILS
    if full:
        await _store(database, due, "pending", wait=WAIT_FOR_ROOM, tried=False)
        return True
    recipient = await post.recipient(first.project_id, first.user_id)
    if recipient is None:
        await _store(database, due, "dropped", tried=False)
        return True
    try:
        await post.send([one.event for one in due], recipient, due[-1].language)
    except MailFailed as exc:
        tries = max(one.tries for one in due) + 1
        dead = exc.for_good or tries >= MAX_TRIES
        state: NotificationState = "dead" if dead else "pending"
        wait = None if dead else _wait(tries)
        await _store(database, due, state, failure=exc.failure, wait=wait)
    else:
        await _store(database, due, "sent", mail_id=uuid7())
    return True


async def read_mail_state(post: Post, principal: Principal, project_id: UUID) -> MailState:
    """Whether mails can go, and where the caller's would go.

    Raises:
        Unavailable: auth-service does not answer.
    """
    found = await post.recipient(project_id, principal.user_id) if post.is_on else None
    return MailState(is_set_up=post.is_on, address=found.email if found else None)


async def send_test(
    database: Database, post: Post, principal: Principal, project_id: UUID, language: MailLanguage
) -> Notification:
    """Send the caller a mail that says nothing happened, at once and once.

    Raises:
        LimitExceeded: the caller has got as many mails in this hour as anybody gets.
        Unavailable: auth-service does not answer.
    """
    event = NOTIFICATION_TEST.event(NoData(), project_id=project_id, subject_id=principal.user_id)
    recipient = await post.recipient(project_id, principal.user_id)
    async with database.acquire() as connection, connection.transaction():
        await lock_rules(connection, project_id=project_id, user_id=principal.user_id)
        since = datetime.now(UTC) - BOUND_OVER
        count = await count_mails(connection, user_id=principal.user_id, since=since)
        if count >= MOST_MAILS:
            msg = f"You have got {count} mails within an hour, which is the most; try later."
            raise LimitExceeded(msg)
        await insert_test_notification(
            connection,
            notification_id=event.id,
            project_id=project_id,
            user_id=principal.user_id,
            language=language,
            event=event,
        )
    state, failure = await _try(post, event, recipient, language)
    async with database.acquire() as connection:
        await update_notifications(
            connection,
            ids=[event.id],
            state=state,
            failure=failure,
            wait=None,
            mail_id=None,
            tried=True,
        )
        return await select_notification(connection, event.id)


async def _try(
    post: Post, event: Event, recipient: Recipient | None, language: MailLanguage
) -> tuple[NotificationState, str | None]:
    if not post.is_on:
        return "dead", "off"
    if recipient is None:
        return "dropped", None
    try:
        await post.send([event], recipient, language)
    except MailFailed as exc:
        return "dead", exc.failure
    return "sent", None


async def _store(
    database: Database,
    due: Sequence[DueNotification],
    state: NotificationState,
    *,
    failure: str | None = None,
    wait: timedelta | None = None,
    mail_id: UUID | None = None,
    tried: bool = True,
) -> None:
    async with database.acquire() as connection:
        await update_notifications(
            connection,
            ids=[one.id for one in due],
            state=state,
            failure=failure,
            wait=wait,
            mail_id=mail_id,
            tried=tried,
        )


def _wait(tries: int) -> timedelta:
    """How long until the next try after so many."""
    wait = min(MOST_WAIT_SEC, FIRST_WAIT_SEC * WAIT_FACTOR ** (tries - 1))
    return timedelta(seconds=wait * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 - spreads

"""What people are told of by mail: rules, and what became of each event."""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from servicekit.events import Event
from servicekit.fields import Answer, Body, Label, Timestamp
from servicekit.pagination import PageQuery

from experiment_service.models.events import EventType
from experiment_service.models.webhooks import EventTypes, WebhookState

MAX_RULES = 50

type RuleState = WebhookState
type NotificationState = Literal["pending", "sent", "dead", "dropped"]
type MailLanguage = Literal["en", "ru"]


class NewNotificationRule(Body):
    """What the caller wants to be told of by mail, at the address of their account."""

    event_types: EventTypes = Field(description="What to be told of.")
    only_mine: bool = Field(default=False, description="Of runs: only of those that one made.")
    experiment_id: UUID | None = Field(
        default=None, description="Of runs: only of those of this experiment."
    )
    name_part: Label | None = Field(
        default=None, description="Only where the name of the run or sensor has this in it."
    )
    language: MailLanguage = "en"


class NotificationRuleChange(Body):
    """A merge patch of a rule: what is left out stays."""

    event_types: EventTypes = Field(default=[])
    only_mine: bool = False
    experiment_id: UUID | None = None
    name_part: Label | None = None
    language: MailLanguage = "en"
    state: RuleState = Field(
        default="active", description="What happens while it is paused is not told of later."
    )

    @property
    def given(self) -> dict[str, Any]:
        """The fields that the patch names."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class NotificationRule(Answer):
    """What a person is told of by mail."""

    id: UUID
    project_id: UUID
    user_id: UUID
    event_types: list[EventType]
    only_mine: bool
    experiment_id: UUID | None
    name_part: str | None
    language: MailLanguage
    state: RuleState
    created_at: Timestamp
    updated_at: Timestamp
    version: int


class Notification(Answer):
    """An event that a person is told of (`sent`), or could not be (`dead`, `dropped`)."""

    id: UUID
    rule_id: UUID | None = Field(description="Null for a test.")
    event_type: str
    subject_name: str | None
    state: NotificationState = Field(
        description="`dropped`: the person is no member any more, or the account is not active."
    )
    failure: str | None = Field(description="Why the last try failed, as a word.")
    next_try_at: Timestamp | None
    created_at: Timestamp
    sent_at: Timestamp | None


class TestMail(Body):
    """A mail that says nothing happened."""

    __test__ = False  # for pytest, which takes the name for a test's

    language: MailLanguage = "en"


class NotificationQuery(PageQuery):
    """Which notifications of the caller."""

    state: NotificationState | None = None


class MailState(Answer):
    """Whether mail can reach the caller."""

    is_set_up: bool = Field(description="Whether the operator has set up mail here.")
    address: str | None = Field(description="Where the caller's mails go: their account's address.")


class Match(BaseModel, frozen=True):
    """A rule by which an event is told of; `number` is the event's place among those given."""

    number: int
    rule_id: UUID
    user_id: UUID
    language: MailLanguage


class DueNotification(BaseModel, frozen=True):
    """What a mail needs of an event."""

    id: UUID
    project_id: UUID
    user_id: UUID
    language: MailLanguage
    event: Event
    tries: int

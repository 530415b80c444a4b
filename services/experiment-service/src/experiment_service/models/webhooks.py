"""Webhooks and their deliveries, as asked for, changed, stored and answered."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field
from servicekit.fields import Answer, Body, Name, Timestamp
from servicekit.outgoing import MAX_URL, wrong_with_url
from servicekit.pagination import PageQuery

from experiment_service.models.events import EventType

MAX_WEBHOOKS = 50
MAX_GRACE_SEC = 604_800

type WebhookState = Literal["active", "paused"]
type PauseReason = Literal["by-hand", "failing", "gone"]
type DeliveryState = Literal["pending", "delivered", "dead"]


def _callable(url: str) -> str:
    if wrong := wrong_with_url(url):
        raise ValueError(wrong)
    return url


def _each_once(types: list[EventType]) -> list[EventType]:
    return sorted(set(types))


type Url = Annotated[str, Field(min_length=1, max_length=MAX_URL), AfterValidator(_callable)]
type EventTypes = Annotated[
    list[EventType], Field(min_length=1, max_length=100), AfterValidator(_each_once)
]


class NewWebhook(Body):
    """An address to tell of what happens in the project."""

    name: Name
    url: Url = Field(
        description="https:// or http://, to a public address, without user name and password."
    )
    event_types: EventTypes = Field(description="What it is told of.")


class WebhookChange(Body):
    """A merge patch of a webhook: what is left out stays."""

    name: Name = ""
    url: Url = ""
    event_types: EventTypes = Field(default=[])
    state: WebhookState = Field(
        default="active",
        description="A paused one is called no more; what happens meanwhile waits for it.",
    )

    @property
    def given(self) -> dict[str, Any]:
        """The fields that the patch names."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Webhook(Answer):
    """An address that is told of what happens in a project."""

    id: UUID
    project_id: UUID
    name: str
    url: str
    event_types: list[EventType]
    state: WebhookState
    pause_reason: PauseReason | None = Field(
        description="`failing`: every call failed for days; `gone`: the receiver answered 410."
    )
    failing_since: Timestamp | None = Field(description="Since when no call was accepted.")
    previous_secret_until: Timestamp | None = Field(
        description="How long the secret before goes on signing beside the present one."
    )
    created_by: UUID
    created_at: Timestamp
    updated_at: Timestamp
    version: int


class WebhookWithSecret(Webhook):
    """A webhook with the secret that its calls are signed with."""

    secret: str | None = Field(
        description="`whsec_` and base 64, shown this once. Null where the answer is repeated for"
        " an Idempotency-Key."
    )


class SecretRotation(Body):
    """A new secret in place of the one there is."""

    grace_seconds: int = Field(
        default=86_400,
        ge=0,
        le=MAX_GRACE_SEC,
        description="How long calls are signed with the secret before, too.",
    )


class Attempt(Answer):
    """One call: a status, or why there was no answer."""

    number: int
    at: Timestamp
    status: int | None
    failure: str | None
    duration_ms: int


class Delivery(Answer):
    """An event on its way to an address, or there, or given up (`dead`)."""

    id: UUID
    webhook_id: UUID
    event_id: UUID
    event_type: str
    state: DeliveryState
    attempts: int
    next_try_at: Timestamp | None
    created_at: Timestamp
    last_status: int | None
    last_failure: str | None
    last_duration_ms: int | None


class DeliveryDetails(Delivery):
    """A delivery with what is sent and how each call went, the newest 50."""

    url: str
    headers: dict[str, str] = Field(
        description="As sent, but for the time and the signature, which every call makes anew."
    )
    body: str
    calls: list[Attempt]


class DeliveryQuery(PageQuery):
    """Which deliveries."""

    state: DeliveryState | None = None


class Listener(BaseModel, frozen=True):
    """What a webhook is told of."""

    id: UUID
    project_id: UUID
    event_types: list[str]
    active: bool


class DueDelivery(BaseModel, frozen=True):
    """What a call needs; secrets are still sealed."""

    id: UUID
    webhook_id: UUID
    event_id: UUID
    event_type: str
    body: str
    tries: int
    url: str
    secret: bytes
    previous_secret: bytes | None

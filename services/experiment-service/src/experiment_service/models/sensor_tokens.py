"""Tokens of sensors, as asked for and answered."""

from typing import Literal
from uuid import UUID

from pydantic import Field
from servicekit.fields import Answer, Body, Timestamp

MAX_GRACE_SEC = 604_800


class Rotation(Body):
    """A new token in place of those there are."""

    grace_seconds: int = Field(
        default=86_400,
        ge=0,
        le=MAX_GRACE_SEC,
        description="How long the tokens before stay valid; 0 ends them at once.",
    )


class SensorToken(Answer):
    """What can be said of a token after its secret was shown."""

    id: UUID
    sensor_id: UUID
    key_id: str
    state: Literal["current", "grace", "ended"]
    created_by: UUID
    created_at: Timestamp
    expires_at: Timestamp | None = Field(description="Null for the current one: it has no end.")
    revoked_at: Timestamp | None


class RotatedToken(SensorToken):
    """A new token with its secret."""

    token: str | None = Field(
        description="Shown this once. Null where the answer is repeated for an Idempotency-Key."
    )

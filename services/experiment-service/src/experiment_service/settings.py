"""Everything this service reads from its environment."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode
from servicekit.mail import MailSettings

type Network = IPv4Network | IPv6Network

DEVELOPMENT_KEY = "runbench-development-webhook-key-not-for-production"
MOST_KEYS = 2  # the new one and the old one
KEY_BYTES = 32
KEY_LETTERS = 10


class Settings(MailSettings):
    """Settings of experiment-service."""

    port: int = Field(
        default=8002, ge=0, le=65535, description="Port to listen on; 0 takes a free one."
    )
    run_heartbeat_timeout_sec: float = Field(
        default=60,
        ge=1,
        le=86_400,
        description="Seconds without a heartbeat after which a run counts as interrupted.",
    )
    run_sweep_every_sec: float = Field(
        default=5,
        ge=0.1,
        le=3600,
        description="Seconds between two looks for silent runs and runs to complete.",
    )
    webhook_secret_key: str = Field(
        default="",
        repr=False,
        description="At least 32 random bytes, under which the secrets of webhooks are kept; two"
        " values separated by a comma rotate. Outside dev there are no webhooks without it.",
    )
    webhook_allowed_networks: Annotated[list[Network], NoDecode] = Field(
        default=[],
        description="Networks (CIDR, comma-separated) that webhooks may call though they are not"
        " public.",
    )
    webhook_log_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        description="Days after which a delivery of a webhook, or a mail, is forgotten.",
    )

    @field_validator("webhook_allowed_networks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        keys = [key.strip() for key in self.webhook_secret_key.split(",")]
        if len(keys) > MOST_KEYS:
            msg = "WEBHOOK_SECRET_KEY takes one value, or two separated by a comma"
            raise ValueError(msg)
        if self.webhook_secret_key and not self.is_development and any(map(_is_weak, keys)):
            msg = (
                f"WEBHOOK_SECRET_KEY needs {KEY_BYTES} random bytes or more outside dev, and no"
                " default; for example from `openssl rand -base64 48`"
            )
            raise ValueError(msg)
        return self

    @property
    def webhook_keys(self) -> tuple[bytes, ...]:
        """What secrets of webhooks are kept under, the one in force first; none switches off."""
        given = self.webhook_secret_key or (DEVELOPMENT_KEY if self.is_development else "")
        return tuple(key.strip().encode() for key in given.split(",") if key.strip())


def _is_weak(key: str) -> bool:
    return len(key.encode()) < KEY_BYTES or len(set(key)) < KEY_LETTERS or key == DEVELOPMENT_KEY

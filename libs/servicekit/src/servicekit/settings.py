"""What every service reads from its environment; each variable stands in its `.env.example`."""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn, Self

from pydantic import (
    AfterValidator,
    Field,
    PostgresDsn,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from servicekit.addresses import Network
from servicekit.broker import servers

PER_MIN = 60_000
COSTLY_PER_MIN = 1_200
INGEST_PER_MIN = 600_000

type HttpAddress = Annotated[str, StringConstraints(pattern=r"^(https?://[^\s]+)?$")]
type HttpAddresses = Annotated[
    str, StringConstraints(pattern=r"^(https?://[^\s]+( +https?://[^\s]+)*)?$")
]
"""The addresses of a service that runs several times, separated by blanks."""

type AmqpAddress = Annotated[str, StringConstraints(pattern=r"^(amqps?://[^\s]+)?$")]

SERVICE_SECRET_BYTES = 32
MOST_SERVICE_SECRETS = 2  # the new one and the old one


def _of_a_broker(url: str) -> str:
    if url:
        servers(url)
    return url


type BrokerAddress = Annotated[str, AfterValidator(_of_a_broker)]


class ServiceSettings(BaseSettings):
    """Settings that all services have in common."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    runbench_env: Literal["dev", "production"] = Field(
        default="production",
        description="dev allows development defaults; production refuses them.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    database_url: PostgresDsn = Field(description="PostgreSQL 16 or newer.")
    database_pool_size: int = Field(default=10, ge=1, le=200, description="Connections at most.")
    auth_service_url: HttpAddresses = Field(
        default="",
        description="Where tokens are verified and roles are asked; several with blanks between.",
    )
    service_secret: str = Field(
        default="",
        repr=False,
        description="At least 32 bytes, the same for all services: what they know each other by."
        " Two values separated by a comma rotate: the first is sent, both are taken. Without it"
        " they tell each other no events.",
    )
    telemetry_broker_url: BrokerAddress = Field(
        default="",
        description="Valkey or Redis, one server or a cluster, for live updates;"
        " without it, polling is used.",
    )
    rabbitmq_url: AmqpAddress = Field(
        default="",
        repr=False,
        description="RabbitMQ (amqp:// or amqps://) that is told of what happens; without it only"
        " webhooks and the audit trail are.",
    )
    otel_exporter_otlp_endpoint: HttpAddress = Field(
        default="", description="Traces go here (OTLP over HTTP) when set."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe level that is written."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="json for machines, console for people."
    )
    drain_sec: float = Field(
        default=0,
        ge=0,
        le=60,
        description="Seconds between saying 'not ready' and closing the port on a stop.",
    )

    trusted_proxies: Annotated[list[Network], NoDecode] = Field(
        default=[],
        description="Networks (CIDR, comma-separated) whose X-Forwarded-For is believed.",
    )
    rate_limit_per_min: int | None = Field(
        default=None,
        ge=0,
        le=1_000_000_000,
        description="Requests a minute of one caller; 0 for no limit."
        f" {PER_MIN} if not set, and none in dev.",
    )
    rate_limit_costly_per_min: int | None = Field(
        default=None,
        ge=0,
        le=1_000_000_000,
        description="The same for searches, comparisons and exports."
        f" {COSTLY_PER_MIN} if not set, and none in dev.",
    )
    rate_limit_ingest_per_min: int | None = Field(
        default=None,
        ge=0,
        le=1_000_000_000,
        description="The same for batches of telemetry and metrics, parts of files, heartbeats."
        f" {INGEST_PER_MIN} if not set, and none in dev.",
    )

    @model_validator(mode="after")
    def _check_service_secret(self) -> Self:
        if len(self.service_secrets) > MOST_SERVICE_SECRETS:
            msg = "SERVICE_SECRET takes one value, or two separated by a comma"
            raise ValueError(msg)
        if any(len(secret) < SERVICE_SECRET_BYTES for secret in self.service_secrets):
            msg = (
                f"SERVICE_SECRET needs {SERVICE_SECRET_BYTES} random bytes or more; for example"
                " from `openssl rand -base64 48`"
            )
            raise ValueError(msg)
        return self

    @property
    def service_secrets(self) -> tuple[bytes, ...]:
        """What services know each other by, the one that is sent first; none switches it off."""
        values = (value.strip() for value in self.service_secret.split(","))
        return tuple(value.encode() for value in values if value)

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split_proxies(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @property
    def is_development(self) -> bool:
        """Whether development defaults and the debug headers may be used at all."""
        return self.runbench_env == "dev"


def read_settings[S: ServiceSettings](model: type[S]) -> S:
    """Read the environment, or name every variable that is wrong and leave with exit code 2.

    What the environment leaves out is looked for in files, one a variable and named like it in
    lower case, below `RUNBENCH_SECRETS_DIR` (/run/secrets where it is not set): that is where
    container engines put secrets, which an environment would show to whoever may inspect it.
    """
    folder = Path(os.environ.get("RUNBENCH_SECRETS_DIR") or "/run/secrets")
    try:
        return model(_secrets_dir=folder if folder.is_dir() else None)  # pyright: ignore[reportCallIssue]: pydantic-settings adds it, and the values come from the environment
    except ValidationError as exc:
        _explain(exc)


def _explain(exc: ValidationError) -> NoReturn:
    lines = ["The environment does not fit:"]
    # The value itself stays unsaid: it may be a secret.
    for error in exc.errors(include_url=False, include_context=False, include_input=False):
        variable = "_".join(str(part) for part in error["loc"]).upper() or "settings"
        lines.append(f"  {variable}: {error['msg'].removeprefix('Value error, ')}")
    sys.stderr.write("\n".join(lines) + "\n")
    raise SystemExit(2)

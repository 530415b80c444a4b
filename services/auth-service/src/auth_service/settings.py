"""Everything auth-service reads from its environment."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from servicekit.mail import MailSettings

DEVELOPMENT_SECRET = "runbench-development-secret-not-for-production"  # noqa: S105 - refused elsewhere
MOST_SECRETS = 2  # the new one and the old one
SECRET_BYTES = 32
SECRET_LETTERS = 10
LEAST_RETENTION_DAYS = 30


class Settings(MailSettings):
    """One value a variable; `.env.example` explains each."""

    port: int = Field(default=8001, ge=0, le=65535, description="Port to listen on.")
    jwt_secret: str = Field(
        default="",
        repr=False,
        description="At least 32 bytes; the signing key is derived from it. Two values separated by"
        " a comma rotate: the first signs, both verify. Outside dev there is no default.",
    )
    access_token_ttl_sec: int = Field(
        default=900, ge=10, le=3600, description="How long an access token is good."
    )
    refresh_token_ttl_sec: int = Field(
        default=1_209_600,
        ge=60,
        le=2_592_000,
        description="A session that is not used for so long ends; after 30 days every one does.",
    )
    refresh_grace_sec: float = Field(
        default=10,
        ge=0,
        le=60,
        description="A repeated refresh within this time gets the same successor.",
    )
    bcrypt_rounds: int = Field(
        default=12, ge=4, le=16, description="Cost of a password hash: 2^rounds."
    )
    password_min_length: int = Field(
        default=12, ge=8, le=64, description="Characters that a password needs at least."
    )
    runbench_registration: Literal["open", "closed"] = Field(
        default="open", description="Whether people may register by themselves."
    )
    runbench_admin_email: str = Field(
        default="", description="Made the first administrator at a start that finds none."
    )
    runbench_admin_password: str = Field(
        default="", repr=False, description="That administrator's password."
    )
    audit_retention_days: int = Field(
        default=730,
        ge=0,
        le=36_500,
        description="Days for which the audit is kept at least, 30 or more; months that ended"
        " before go as a whole. 0 keeps it for ever.",
    )

    @field_validator("audit_retention_days")
    @classmethod
    def _keep_a_month(cls, days: int) -> int:
        if 0 < days < LEAST_RETENTION_DAYS:
            msg = f"must be {LEAST_RETENTION_DAYS} or more, or 0 for ever"
            raise ValueError(msg)
        return days

    @model_validator(mode="after")
    def _check_secrets(self) -> Self:
        if self.is_development and not self.jwt_secret:
            return self
        values = [value.strip() for value in self.jwt_secret.split(",")]
        if len(values) > MOST_SECRETS:
            msg = "JWT_SECRET takes one value, or two separated by a comma"
            raise ValueError(msg)
        if not self.is_development and any(_is_weak(value) for value in values):
            msg = (
                f"JWT_SECRET needs {SECRET_BYTES} random bytes or more outside dev, and no default;"
                " for example from `openssl rand -base64 48`"
            )
            raise ValueError(msg)
        return self

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """What keys are derived from, the one in force first."""
        given = self.jwt_secret or DEVELOPMENT_SECRET
        return tuple(value.strip().encode() for value in given.split(",") if value.strip())


def _is_weak(secret: str) -> bool:
    return (
        len(secret.encode()) < SECRET_BYTES
        or len(set(secret)) < SECRET_LETTERS
        or secret == DEVELOPMENT_SECRET
    )

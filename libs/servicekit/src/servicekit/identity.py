"""Who is asking: the principal behind a request, and how access tokens are checked."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, NotRequired, Protocol, TypedDict
from uuid import UUID

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, TypeAdapter, ValidationError

from servicekit.problems import Unauthenticated

ISSUER = "runbench-auth"
AUDIENCE = "runbench-api"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - the media type of RFC 9068, not a secret
ALGORITHM = "EdDSA"
LEEWAY_SEC = 30

_REQUIRED = ["iss", "aud", "sub", "sid", "jti", "iat", "exp"]


class Role(StrEnum):
    """What a member may do in a project; each role includes the ones before it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    def includes(self, other: "Role") -> bool:
        """Whether this role may do whatever `other` may."""
        return self.rank >= other.rank


_RANKS = {role: rank for rank, role in enumerate(Role)}


class Scope(BaseModel, frozen=True):
    """What an API token is limited to."""

    project_id: UUID
    role: Role


class Principal(BaseModel, frozen=True):
    """A person with a session, a program with a person's API token, or a sensor.

    A sensor stands under its own id, and may do nothing but send.
    """

    user_id: UUID
    kind: Literal["user", "token", "sensor"] = "user"
    session_id: UUID | None = None
    token_id: UUID | None = None
    scope: Scope | None = None

    @property
    def key(self) -> str:
        """One string per credential: what caches and idempotency are scoped to."""
        return f"{self.kind}:{self.user_id}:{self.token_id or self.session_id or ''}"


class Access(BaseModel, frozen=True):
    """What a principal may do in one project, as auth-service answers it."""

    project_id: UUID
    slug: str
    user_id: UUID
    role: Role
    archived: bool


PRINCIPAL = web.RequestKey("principal", Principal)
ACCESS = web.RequestKey("access", Access)
TAKES_BASIC = web.RequestKey("takes_basic", bool)
"""Set where a route takes an API token as the password of basic authentication too."""


class Identity(Protocol):
    """How a service learns who asks and what they may do; auth-service has its own."""

    async def identify(self, request: web.Request) -> Principal | None:
        """The principal, or None where the request carries no credentials.

        Raises:
            Unauthenticated: the credentials are not valid.
        """
        ...

    async def access(
        self, request: web.Request, principal: Principal, project_id: UUID
    ) -> Access | None:
        """What the principal may do in the project; None where they have no part in it."""
        ...

    async def is_admin(self, request: web.Request, principal: Principal) -> bool:
        """Whether the principal manages the platform."""
        ...

    async def find_project(
        self, request: web.Request, principal: Principal, slug: str
    ) -> UUID | None:
        """The project of that slug, if the principal has a part in it."""
        ...


class AccessClaims(BaseModel, frozen=True, strict=True):
    """The claims of an access token that Runbench relies on."""

    sub: UUID
    sid: UUID
    jti: str
    iat: int
    exp: int


class _Header(TypedDict):
    alg: Literal["EdDSA"]
    typ: Literal["at+jwt"]
    kid: str
    crit: NotRequired[None]


_HEADER = TypeAdapter(_Header)


def bearer_token(request: web.Request) -> str | None:
    """The token of the Authorization header; None where there is no such header.

    Raises:
        Unauthenticated: the header is doubled or of another scheme.
    """
    values = request.headers.getall("Authorization", [])
    if not values:
        return None
    scheme, _, token = values[0].partition(" ")
    if len(values) == 1 and scheme.lower() == "basic" and request.get(TAKES_BASIC):
        return _basic_token(token)
    if len(values) > 1 or scheme.lower() != "bearer" or not token.strip():
        msg = "The Authorization header must be 'Bearer' and a token, once."
        raise Unauthenticated(msg)
    return token.strip()


def _basic_token(encoded: str) -> str:
    """The API token among a user name and a password; a session's token is not taken."""
    try:
        user, _, password = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as exc:
        msg = "The Authorization header must be 'Basic' and 'user:password' in base 64."
        raise Unauthenticated(msg) from exc
    for text in (password, user):
        if text.startswith("rb_"):
            return text
    msg = "The password, or the user name, must be an API token."
    raise Unauthenticated(msg)


def key_id(token: str) -> str:
    """The `kid` of an access token that claims to be one of ours.

    Raises:
        Unauthenticated: its header says otherwise.
    """
    try:
        header: dict[str, Any] = jwt.get_unverified_header(token)
        if header.get("crit") is not None:
            raise Unauthenticated
        return _HEADER.validate_python(header)["kid"]
    except (jwt.InvalidTokenError, ValidationError) as exc:
        raise Unauthenticated from exc


def verify_access_token(token: str, keys: Mapping[str, Ed25519PublicKey]) -> AccessClaims:
    """The claims of a valid access token (RFC 9068, EdDSA over Ed25519).

    Raises:
        Unauthenticated: signature, time, issuer, audience, type or a claim is wrong.
    """
    key = keys.get(key_id(token))
    if key is None:
        raise Unauthenticated
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=LEEWAY_SEC,
            options={"require": _REQUIRED, "strict_aud": True},
        )
        # PyJWT takes a time that is a numeric string; a token of ours never has one.
        identifiers = {name: UUID(str(claims[name])) for name in ("sub", "sid")}
        return AccessClaims.model_validate(claims | identifiers)
    except (jwt.InvalidTokenError, ValueError, OverflowError) as exc:
        raise Unauthenticated from exc

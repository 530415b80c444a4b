"""Identity for every service but auth-service: verify tokens here, ask for roles there.

Access tokens are verified with the published keys; sessions that ended are known
from a list that is polled, so that a logout reaches every service within seconds.
API tokens and roles are asked for with the caller's own token and kept for seconds.
While auth-service is away nothing new is let in: what is not kept answers 503.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from time import monotonic, time
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

import aiohttp
import structlog
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.utils import base64url_decode
from pydantic import BaseModel

from servicekit.cache import BriefCache
from servicekit.identity import (
    LEEWAY_SEC,
    Access,
    Principal,
    Scope,
    bearer_token,
    key_id,
    verify_access_token,
)
from servicekit.machine_tokens import parse_machine_token
from servicekit.peers import Peers
from servicekit.problems import Unauthenticated, Unavailable
from servicekit.tracing import current_trace

log = structlog.get_logger()

_AWAY = "auth-service does not answer."

KEPT_SEC = 5.0
MAX_SLUG = 60
POLL_SEC = 2.0
# Until auth-service has answered for the first time this service is not ready: it asks more often.
FIRST_POLL_SEC = 0.2
KEYS_EVERY_SEC = 60.0
UNKNOWN_KEY_EVERY_SEC = 5.0
MOST_VERIFIED = 10_000
TIMEOUT = aiohttp.ClientTimeout(total=5)
# Shorter than a service keeps a quiet connection, or one that stops goes on answering.
IDLE_SEC = 4.0
# All are asked once more after this: one that restarts may have been caught in between.
AGAIN_SEC = 0.2


class _Key(BaseModel):
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    kid: str
    x: str


class _Keys(BaseModel):
    keys: list[_Key]


class _Revocations(BaseModel):
    revoked: list[str]


class _Me(BaseModel):
    id: UUID
    kind: Literal["user", "token"]
    is_admin: bool
    token_id: UUID | None = None
    session_id: UUID | None = None
    scope: Scope | None = None


class _Project(BaseModel):
    id: UUID


class _Projects(BaseModel):
    items: list[_Project]


@dataclass(frozen=True, slots=True)
class _Verified:
    """An access token whose signature was checked: who it names, and until when."""

    principal: Principal
    kid: str
    session: str
    expires: int


class AuthClient:
    """What auth-service knows, as far as another service needs it."""

    def __init__(self, addresses: str) -> None:
        self._peers = Peers(addresses)
        self._session: aiohttp.ClientSession | None = None
        self._keys: Mapping[str, Ed25519PublicKey] = {}
        self._keys_asked = -KEYS_EVERY_SEC
        self._unknown_key_asked = -UNKNOWN_KEY_EVERY_SEC
        self._keys_lock = asyncio.Lock()
        self._revoked: frozenset[str] | None = None
        self._verified: dict[str, _Verified] = {}
        self._people: BriefCache[str, _Me | None] = BriefCache(ttl=KEPT_SEC)
        self._access: BriefCache[tuple[str, UUID], Access | None] = BriefCache(ttl=KEPT_SEC)
        self._slugs: BriefCache[tuple[str, str], UUID | None] = BriefCache(ttl=KEPT_SEC)

    async def context(self, _app: web.Application) -> AsyncIterator[None]:
        """Keep the keys and the ended sessions current while the service runs."""
        connector = aiohttp.TCPConnector(keepalive_timeout=IDLE_SEC)
        async with aiohttp.ClientSession(timeout=TIMEOUT, connector=connector) as self._session:
            poll = asyncio.create_task(self._poll())
            yield
            poll.cancel()
            await asyncio.gather(poll, return_exceptions=True)

    async def ready(self) -> bool:
        """Whether tokens can be verified at all: keys and ended sessions were read once."""
        return bool(self._keys) and self._revoked is not None

    async def identify(self, request: web.Request) -> Principal | None:
        """See `Identity.identify`."""
        token = bearer_token(request)
        if token is None:
            return None
        if token.startswith("rb_"):
            return await self._identify_program(token)
        return await self._identify_session(token)

    async def access(
        self, request: web.Request, principal: Principal, project_id: UUID
    ) -> Access | None:
        """See `Identity.access`; kept for five seconds."""
        token = bearer_token(request)
        if token is None or (principal.scope and principal.scope.project_id != project_id):
            return None

        async def ask() -> Access | None:
            found = await self._get(f"/api/v1/projects/{project_id}/access", token)
            return Access.model_validate_json(found) if found else None

        return await self._access.get((principal.key, project_id), ask)

    async def is_admin(self, request: web.Request, principal: Principal) -> bool:
        """See `Identity.is_admin`."""
        token = bearer_token(request)
        me = await self._me(token) if token and principal.kind == "user" else None
        return bool(me and me.is_admin)

    async def find_project(
        self, request: web.Request, principal: Principal, slug: str
    ) -> UUID | None:
        """See `Identity.find_project`; kept for five seconds."""
        token = bearer_token(request)
        if token is None or len(slug) > MAX_SLUG:
            return None

        async def ask() -> UUID | None:
            query = urlencode({"slug": slug, "archived": "all", "limit": 1})
            found = await self._get(f"/api/v1/projects?{query}", token)
            projects = _Projects.model_validate_json(found).items if found else []
            return projects[0].id if projects else None

        return await self._slugs.get((principal.key, slug), ask)

    async def _identify_session(self, token: str) -> Principal:
        verified = self._verified.get(token) or await self._verify(token)
        # Whatever may change of a token that was once valid is looked at every time.
        if verified.kid not in self._keys or verified.expires <= time() - LEEWAY_SEC:
            self._verified.pop(token, None)
            raise Unauthenticated
        if self._revoked is None:
            raise Unavailable(_AWAY)
        if verified.session in self._revoked:
            msg = "The session has ended."
            raise Unauthenticated(msg)
        return verified.principal

    async def _verify(self, token: str) -> _Verified:
        """Check a token's signature and claims: the same token comes with every request."""
        kid = key_id(token)
        await self._know_key(kid)
        if self._revoked is None:
            raise Unavailable(_AWAY)
        claims = verify_access_token(token, self._keys)
        while len(self._verified) >= MOST_VERIFIED:
            del self._verified[next(iter(self._verified))]
        verified = self._verified[token] = _Verified(
            Principal(user_id=claims.sub, session_id=claims.sid),
            kid,
            hashlib.sha256(str(claims.sid).encode()).hexdigest(),
            claims.exp,
        )
        return verified

    async def _identify_program(self, token: str) -> Principal:
        parsed = parse_machine_token(token)
        me = await self._me(token) if parsed and parsed.kind == "pat" else None
        if me is None:
            msg = "The API token is not valid, has expired or was revoked."
            raise Unauthenticated(msg)
        return Principal(user_id=me.id, kind="token", token_id=me.token_id, scope=me.scope)

    async def _me(self, token: str) -> _Me | None:
        async def ask() -> _Me | None:
            found = await self._get("/auth/me", token)
            return _Me.model_validate_json(found) if found else None

        return await self._people.get(hashlib.sha256(token.encode()).hexdigest(), ask)

    async def _know_key(self, kid: str) -> None:
        """Fetch the keys again for an unknown one, seldom enough that nobody can make us flood."""
        if kid in self._keys:
            return
        async with self._keys_lock:
            # Counted apart from the poll: a key may come into use right after one.
            recently = monotonic() - self._unknown_key_asked < UNKNOWN_KEY_EVERY_SEC
            if kid not in self._keys and not (recently and self._keys):
                self._unknown_key_asked = monotonic()
                await self._fetch_keys()

    async def _poll(self) -> None:
        awaited = False
        while True:
            try:
                if monotonic() - self._keys_asked >= KEYS_EVERY_SEC or not self._keys:
                    await self._fetch_keys()
                answer = await self._get("/.well-known/revocations")
                if answer:
                    self._revoked = frozenset(_Revocations.model_validate_json(answer).revoked)
            except Unavailable as exc:
                if self._keys or not awaited:
                    log.warning("auth.unreachable", detail=exc.detail)
                awaited = True
            except Exception:  # the poll must outlive whatever comes back
                log.exception("auth.poll_failed")
            await asyncio.sleep(POLL_SEC if self._keys else FIRST_POLL_SEC)

    async def _fetch_keys(self) -> None:
        answer = await self._get("/.well-known/jwks.json")
        self._keys_asked = monotonic()
        if answer:
            self._keys = {
                key.kid: Ed25519PublicKey.from_public_bytes(base64url_decode(key.x))
                for key in _Keys.model_validate_json(answer).keys
            }

    async def _get(self, path: str, token: str | None = None) -> bytes | None:
        """The answer's body; None where auth-service refuses (401, 403, 404)."""
        if self._session is None:
            msg = "The service is not running."
            raise Unavailable(msg)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if trace := current_trace():
            headers |= {"traceparent": trace.traceparent(), "X-Request-Id": trace.request_id}
        for attempt, address in enumerate(chain(self._peers.each(), self._peers.each())):
            if attempt == len(self._peers):
                await asyncio.sleep(AGAIN_SEC)
            try:
                async with self._session.get(
                    address + path, headers=headers, allow_redirects=False
                ) as response:
                    if response.status == HTTPStatus.OK:
                        return await response.read()
                    if response.status in {401, 403, 404}:
                        return None
                    msg = f"auth-service answered {response.status}."
                    raise Unavailable(msg)
            except aiohttp.ClientConnectionError:
                continue  # that one is gone, or on its way
            except (aiohttp.ClientError, TimeoutError) as exc:
                log.info("auth.no_answer", address=address, error=repr(exc))
                if attempt + 1 < len(self._peers):
                    continue  # another one may be quicker
                raise Unavailable(_AWAY) from exc
        raise Unavailable(_AWAY)

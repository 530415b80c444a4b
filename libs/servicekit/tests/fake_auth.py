"""A small real auth-service for tests: signs tokens, lists ended sessions, knows roles."""

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm


@dataclass
class FakeAuth:
    """What the real one would know; `asked` counts the calls of each path."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    kid: str = "k1"
    revoked: list[UUID] = field(default_factory=list)
    roles: dict[str, str] = field(default_factory=dict)
    programs: dict[str, dict[str, Any]] = field(default_factory=dict)
    slugs: dict[str, UUID] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._count])
        app.router.add_get("/.well-known/jwks.json", self._keys)
        app.router.add_get("/.well-known/revocations", self._revocations)
        app.router.add_get("/api/v1/projects/{project_id}/access", self._access)
        app.router.add_get("/api/v1/projects", self._projects)
        app.router.add_get("/auth/me", self._me)
        return app

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": "runbench-auth",
            "aud": "runbench-api",
            "sub": str(uuid4()),
            "sid": str(uuid4()),
            "jti": str(uuid4()),
            "iat": now,
            "exp": now + 900,
        } | changes

    def token(self, headers: dict[str, Any] | None = None, **changes: Any) -> str:
        claims = {
            name: value for name, value in self.claims(**changes).items() if value is not None
        }
        return jwt.encode(
            claims,
            self.key,
            algorithm="EdDSA",
            headers={"typ": "at+jwt", "kid": self.kid} | (headers or {}),
        )

    @web.middleware
    async def _count(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked[request.path] = self.asked.get(request.path, 0) + 1
        return await handler(request)

    async def _keys(self, _request: web.Request) -> web.Response:
        public = OKPAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return web.json_response({"keys": [public | {"kid": self.kid, "alg": "EdDSA"}]})

    async def _revocations(self, _request: web.Request) -> web.Response:
        revoked = [hashlib.sha256(str(sid).encode()).hexdigest() for sid in self.revoked]
        return web.json_response({"revoked": revoked, "as_of": "2026-01-01T00:00:00Z"})

    async def _access(self, request: web.Request) -> web.Response:
        project_id = request.match_info["project_id"]
        token = request.headers["Authorization"].removeprefix("Bearer ")
        role = self.roles.get(token)
        if role is None:
            raise web.HTTPNotFound
        return web.json_response(
            {
                "project_id": project_id,
                "slug": "p",
                "user_id": str(uuid4()),
                "role": role,
                "archived": False,
            }
        )

    async def _projects(self, request: web.Request) -> web.Response:
        found = self.slugs.get(request.query["slug"])
        return web.json_response({"items": [{"id": str(found)}] if found else []})

    async def _me(self, request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        if token not in self.programs:
            raise web.HTTPUnauthorized
        return web.json_response(self.programs[token])

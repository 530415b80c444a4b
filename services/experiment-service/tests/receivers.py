"""A real HTTP server that webhooks call, and what it was told."""

import base64
import hashlib
import hmac
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass
class Received:
    """One call as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return orjson.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """Verify as docs/webhooks.md tells receivers to."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = b".".join(
            [
                self.headers["webhook-id"].encode(),
                self.headers["webhook-timestamp"].encode(),
                self.body,
            ]
        )
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return any(
            hmac.compare_digest(signature, f"v1,{expected}")
            for signature in self.headers["webhook-signature"].split(" ")
        )


@dataclass
class Receiver:
    """Answers with `statuses` in turn, the last one for ever."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    calls: list[Received] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.calls.append(Received(headers, await request.read()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, headers=self.headers, text="nobody's business")

    @property
    def types(self) -> list[str]:
        return [call.event["type"] for call in self.calls]


@asynccontextmanager
async def receiver() -> AsyncGenerator[Receiver]:
    there = Receiver()
    app = web.Application()
    app.router.add_post("/hook", there.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        there.url = f"http://127.0.0.1:{server.port}/hook"
        yield there

"""Whoever claims to come from elsewhere does not escape the limit of those whom nobody knows."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from gateway_harness import SERVICES, Gateway, start_gateway, stop_gateway
from servicekit import policy
from servicekit.application import application
from servicekit.identity import Identity
from servicekit.limits import request_limits
from servicekit.routing import Routes
from servicekit.settings import ServiceSettings
from servicekit.testing.identity import KnownPeople

PER_MIN = 12
AT_ONCE = PER_MIN // 4
"""Counted by one process without Valkey; the next is let in after twenty seconds."""

routes = Routes("limited")


@routes.get("/auth/anybody", policy=policy.public())
async def anybody(request: web.Request) -> None:
    """Cost what most requests cost."""


@routes.get("/auth/inside", policy=policy.public(), limit="inside")
async def inside(request: web.Request) -> None:
    """Cost nothing, but for those who come through the gateway."""


def service(identity: Identity) -> web.Application:
    """A service with limits, as all of ours have them."""
    settings = ServiceSettings.model_validate(
        {
            "runbench_env": "production",
            "port": 0,
            "database_url": "postgresql://localhost/none",
            "trusted_proxies": "127.0.0.0/8",
            "rate_limit_per_min": PER_MIN,
        }
    )
    return application(
        name="limited",
        version="1",
        routes=[routes],
        contexts=[request_limits(settings)],
        identity=identity,
    )


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Gateway]]]:
    """Starts a gateway in front of a service with limits, and stops it in the end."""
    runner = web.AppRunner(service(KnownPeople()), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    started: list[Gateway] = []

    async def start(**settings: str) -> Gateway:
        started.append(await start_gateway(dict.fromkeys(SERVICES, url), tmp_path, **settings))
        return started[-1]

    yield start
    for gateway in started:
        await stop_gateway(gateway)
    await runner.cleanup()


async def use_up(http: aiohttp.ClientSession, path: str, headers: dict[str, str]) -> None:
    for _ in range(AT_ONCE):
        async with http.get(path, headers=headers) as response:
            assert response.status == 204
            assert response.headers["RateLimit-Policy"]


@pytest.mark.parametrize("path", ["/auth/anybody", "/auth/inside"])
async def test_a_stranger_has_one_limit_whatever_they_claim(start, path: str) -> None:
    gateway = await start()
    claims = [
        {},
        {"Connection": "X-Forwarded-For"},
        {"Connection": "close, X-Forwarded-For", "X-Forwarded-For": "203.0.113.1"},
        {"X-Forwarded-For": "127.0.0.1, 203.0.113.2, 127.0.0.2"},
        {"X-Forwarded-For": ""},
        {"X_Forwarded_For": "203.0.113.3"},
        {"Forwarded": "for=203.0.113.4", "X-Real-IP": "203.0.113.4"},
    ]
    async with aiohttp.ClientSession(gateway.url) as http:
        await use_up(http, path, {})
        for claim in claims:
            async with http.get(path, headers=claim) as response:
                assert response.status == 429, claim
                assert 1 <= int(response.headers["Retry-After"]) <= 20


@pytest.mark.parametrize("path", ["/auth/anybody", "/auth/inside"])
async def test_behind_another_proxy_counts_whom_that_one_saw(start, path: str) -> None:
    gateway = await start(TRUSTED_PROXIES="127.0.0.0/8")
    async with aiohttp.ClientSession(gateway.url) as http:
        await use_up(http, path, {"X-Forwarded-For": "198.51.100.7"})
        for claim in ("203.0.113.1", "127.0.0.1", "198.51.100.8, 127.0.0.1", "nonsense", ""):
            headers = {"X-Forwarded-For": f"{claim}, 198.51.100.7"}
            async with http.get(path, headers=headers) as response:
                assert response.status == 429, claim
        # Somebody else has a limit of their own, and nobody is without any.
        await use_up(http, path, {"X-Forwarded-For": "198.51.100.9"})
        unsaid = {"Connection": "X-Forwarded-For", "X-Forwarded-For": "198.51.100.7"}
        await use_up(http, path, unsaid)
        async with http.get(path, headers=unsaid) as response:
            assert response.status == 429

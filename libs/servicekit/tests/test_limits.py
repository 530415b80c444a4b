"""What one caller may ask for: counted in Valkey for all processes, by each alone without it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from conftest import as_
from notes import create_app
from servicekit.limits import request_limits
from servicekit.settings import ServiceSettings
from servicekit.testing.identity import KnownPeople
from valkey_server import ValkeyServer, reachable

AT_ONCE = 12
ALONE = AT_ONCE // 4
"""Of `PER_MIN` this many at once, and without Valkey this many a process."""
PER_MIN = 12  # one in five seconds, so that no test runs into the next

type Start = Callable[..., Awaitable[TestClient]]


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path / "valkey")
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def start(
    aiohttp_client: Callable[..., Awaitable[TestClient]],
    database_url: str,
    people: KnownPeople,
    valkey: ValkeyServer,
) -> Start:
    """Starts a process with limits."""
    await reachable(valkey.url)

    async def start(**more: Any) -> TestClient:
        values = {
            "runbench_env": "production",
            "port": 0,
            "database_url": database_url,
            "telemetry_broker_url": valkey.url,
            "rate_limit_per_min": PER_MIN,
            "rate_limit_costly_per_min": PER_MIN,
            "rate_limit_ingest_per_min": PER_MIN,
        }
        settings = ServiceSettings.model_validate(values | more)
        return await aiohttp_client(create_app(database_url, people, request_limits(settings)))

    return start


async def statuses(client: TestClient, path: str, count: int, **more: Any) -> list[int]:
    """What so many requests are answered."""
    found: list[int] = []
    for _ in range(count):
        async with client.get(path, **more) as response:
            found.append(response.status)
    return found


async def test_an_answer_says_how_its_caller_stands(start, project_id) -> None:
    client = await start()
    path = f"/api/v1/projects/{project_id}/notes"
    async with client.get(path, headers=as_("viewer")) as response:
        assert response.status == 200
        assert response.headers["RateLimit-Policy"] == '"ordinary";q=12;w=60'
        assert response.headers["RateLimit"] == '"ordinary";r=11;t=5'
        assert "Retry-After" not in response.headers
    # What is refused for another reason was counted, and says so too.
    async with client.get(path, headers=as_("outsider")) as response:
        assert response.status == 404
        assert response.headers["RateLimit"] == '"ordinary";r=11;t=5'


async def test_two_processes_share_one_budget_a_caller(start, project_id) -> None:
    clients = [await start(), await start()]
    path = f"/api/v1/projects/{project_id}/notes"
    for client in clients:
        assert await statuses(client, path, AT_ONCE // 2, headers=as_("viewer")) == [200] * 6
    for client in clients:
        async with client.get(path, headers=as_("viewer")) as response:
            problem = await response.json()
            assert response.status == 429
            assert response.content_type == "application/problem+json"
            assert problem["type"] == "/problems/too-many-requests"
            assert problem["detail"] == "One caller may make 12 such requests a minute."
            assert 1 <= int(response.headers["Retry-After"]) <= 5
            assert response.headers["RateLimit"].startswith('"ordinary";r=0;t=')
        assert await statuses(client, path, 1, headers=as_("editor")) == [200]


async def test_of_many_at_once_no_more_than_the_budget_are_let_in(start, project_id) -> None:
    clients = [await start(), await start()]
    path = f"/api/v1/projects/{project_id}/notes"
    found = await asyncio.gather(
        *(statuses(client, path, 1, headers=as_("viewer")) for client in clients * AT_ONCE)
    )
    let_in = [status for one in found for status in one].count(200)
    assert let_in in {AT_ONCE, AT_ONCE + 1}  # one in five seconds more


async def test_costly_requests_have_a_budget_of_their_own(start) -> None:
    client = await start(rate_limit_costly_per_min=3)
    assert await statuses(client, "/api/v1/costly", 4) == [204] * 3 + [429]
    async with client.get("/api/v1/costly") as response:
        assert response.headers["RateLimit-Policy"] == '"costly";q=3;w=60'
    assert await statuses(client, "/api/v1/cheap", 4) == [204] * 4


async def test_what_is_recorded_has_a_budget_of_its_own_but_not_for_strangers(start) -> None:
    client = await start(rate_limit_per_min=3)
    path = "/api/v1/recorded"
    assert await statuses(client, "/api/v1/mine", 4, headers=as_("viewer")) == [204] * 3 + [429]
    async with client.get(path, headers=as_("viewer")) as response:
        assert response.headers["RateLimit-Policy"] == '"ingest";q=12;w=60'
    found = await statuses(client, path, AT_ONCE, headers=as_("viewer"))
    assert found == [204] * (AT_ONCE - 1) + [429]
    # Who guesses tokens guesses no faster here than elsewhere.
    assert await statuses(client, path, 4, headers=as_("guess")) == [401] * 3 + [429]


async def test_nobody_counts_with_their_neighbours_while_auth_service_is_away(
    start, people
) -> None:
    people.away = True
    client = await start(rate_limit_per_min=3)
    assert await statuses(client, "/api/v1/mine", 5, headers=as_("viewer")) == [503] * 5


async def test_whoever_shows_no_valid_token_counts_by_the_address_that_the_proxy_saw(start) -> None:
    client = await start(trusted_proxies="127.0.0.0/8")
    here = {"X-Forwarded-For": "198.51.100.1"}
    for number in range(AT_ONCE):  # whatever they claim to be, or to come from
        claimed = {"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.1"}
        headers = as_(f"guess-{number}") | claimed
        assert await statuses(client, "/api/v1/mine", 1, headers=headers) == [401]
    assert await statuses(client, "/api/v1/mine", 1, headers=as_("guess") | here) == [429]
    assert await statuses(client, "/api/v1/cheap", 1, headers=here) == [429]
    there = {"X-Forwarded-For": "198.51.100.2"}
    assert await statuses(client, "/api/v1/cheap", 1, headers=there) == [204]
    # Nor does a stranger use up what is somebody's own.
    assert await statuses(client, "/api/v1/mine", 1, headers=as_("viewer") | here) == [204]


async def test_what_services_ask_each_other_counts_only_through_the_gateway(start) -> None:
    client = await start()
    assert await statuses(client, "/api/v1/inside", AT_ONCE + 1) == [204] * (AT_ONCE + 1)
    through = {"X-Forwarded-For": "127.0.0.1"}
    found = await statuses(client, "/api/v1/inside", AT_ONCE + 1, headers=through)
    assert found == [204] * AT_ONCE + [429]
    for path in ("/health", "/metrics", "/api/v1/free"):
        assert 429 not in await statuses(client, path, 3)


async def test_without_valkey_each_process_is_stricter_and_nobody_is_answered_500(
    start, valkey
) -> None:
    clients = [await start(), await start()]
    assert await statuses(clients[0], "/api/v1/cheap", 1) == [204]
    valkey.kill()
    for client in clients:
        assert await statuses(client, "/api/v1/cheap", ALONE + 2) == [204] * ALONE + [429] * 2
        async with client.get("/api/v1/cheap") as response:
            assert 1 <= int(response.headers["Retry-After"]) <= 20
    valkey.start()
    await reachable(valkey.url)
    async with asyncio.timeout(20):
        found = [429]
        while found != [204]:
            found = await statuses(clients[0], "/api/v1/cheap", 1)
            await asyncio.sleep(0.1)
    # It has begun again with nothing, and the two count together.
    async with asyncio.timeout(20):
        while True:
            async with clients[1].get("/api/v1/cheap") as response:
                if response.status == 204:
                    assert response.headers["RateLimit"].startswith('"ordinary";r=1')
                    break
            await asyncio.sleep(0.1)


async def test_development_has_no_limits_unless_it_asks_for_them(start) -> None:
    client = await start(
        runbench_env="dev", rate_limit_per_min=None, rate_limit_costly_per_min=None
    )
    async with client.get("/api/v1/costly") as response:
        assert response.status == 204
        assert "RateLimit" not in response.headers
    off = await start(rate_limit_per_min=0)
    assert await statuses(off, "/api/v1/cheap", AT_ONCE + 1) == [204] * (AT_ONCE + 1)


async def test_production_has_limits_without_being_asked(start) -> None:
    client = await start(rate_limit_per_min=None)
    async with client.get("/api/v1/cheap") as response:
        assert response.headers["RateLimit-Policy"] == '"ordinary";q=10000;w=10'

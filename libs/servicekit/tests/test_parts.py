"""The small parts: tokens, ids, cursors, caches, logs, policies, the contract."""

import asyncio
import json
import string
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient
from hypothesis import given
from hypothesis import strategies as st
from notes import create_app, routes
from openapi_spec_validator import OpenAPIV31SpecValidator
from servicekit.application import UnguardedRoute, application
from servicekit.broker import servers
from servicekit.cache import BriefCache
from servicekit.debug_identity import DebugIdentity
from servicekit.ids import uuid7
from servicekit.logs import redact
from servicekit.machine_tokens import new_machine_token, parse_machine_token
from servicekit.pagination import Cursor
from servicekit.policy import public
from servicekit.problems import InvalidCursor
from servicekit.routing import Routes
from servicekit.settings import ServiceSettings, read_settings
from servicekit.testing.identity import KnownPeople
from servicekit.tracing import begin_trace

BASE62 = string.ascii_letters + string.digits


def test_a_token_is_read_back_and_a_typo_is_found() -> None:
    token = new_machine_token("pat")

    assert parse_machine_token(token.text) == token
    for place in range(7, len(token.text)):
        wrong = "x" if token.text[place] != "x" else "y"
        assert parse_machine_token(token.text[:place] + wrong + token.text[place + 1 :]) is None


@given(st.text(alphabet=BASE62 + "_", max_size=90).map(lambda text: "rb_pat_" + text) | st.text())
def test_no_text_crashes_the_token_parser(text: str) -> None:
    assert parse_machine_token(text) is None


def test_ids_sort_by_when_they_were_made() -> None:
    ids = [uuid7() for _ in range(5000)]

    assert ids == sorted(set(ids))
    assert {one.version for one in ids} == {7}
    assert {one.variant for one in ids} == {"specified in RFC 4122"}


@given(st.none() | st.text() | st.integers() | st.floats(allow_nan=False), st.uuids())
def test_a_cursor_is_read_back_for_its_own_sort_only(value: Any, row_id: UUID) -> None:
    cursor = Cursor(sort="-name", value=value, id=row_id)

    assert Cursor.decode(cursor.encode(), sort="-name").id == row_id
    with pytest.raises(InvalidCursor):
        Cursor.decode(cursor.encode(), sort="name")


@given(st.text() | st.binary().map(lambda raw: raw.hex()))
def test_no_text_crashes_the_cursor(text: str) -> None:
    with pytest.raises(InvalidCursor):
        Cursor.decode(text, sort="name")


async def test_a_brief_cache_asks_once_for_many_and_forgets_failures() -> None:
    cache: BriefCache[str, int] = BriefCache(ttl=60, size=2)
    calls = 0

    async def load() -> int:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.01)
        if calls == 1:
            raise ConnectionError
        return calls

    failures = await asyncio.gather(
        *(cache.get("a", load) for _ in range(3)), return_exceptions=True
    )
    values = await asyncio.gather(*(cache.get("a", load) for _ in range(3)))

    assert all(isinstance(failure, ConnectionError) for failure in failures)
    assert values == [2, 2, 2]
    for key in "bcd":
        await cache.get(key, load)
    assert await cache.get("a", load) > 2  # pushed out by the others


async def test_a_caller_who_leaves_does_not_take_the_answer_along() -> None:
    cache: BriefCache[str, int] = BriefCache(ttl=60)

    async def load() -> int:
        await asyncio.sleep(0.05)
        return 7

    hasty = asyncio.create_task(cache.get("a", load))
    patient = asyncio.create_task(cache.get("a", load))
    await asyncio.sleep(0)
    hasty.cancel()

    assert await patient == 7


def test_logs_hold_no_secrets() -> None:
    token = new_machine_token("pat").text
    event: dict[str, Any] = {
        "event": f"called with {token} and eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2ln",
        "password": "hunter2hunter2",
        "headers": {"Authorization": "Bearer x", "Cookie": "a=b", "Accept": "json"},
        "database": "postgresql://user:hunter2@host/db",
        "refresh": ["rb_rt_abcdef0123456789"],
        "token_id": "kept",
        "long": "x" * 10_000,
    }
    text = json.dumps(redact(None, "info", event))

    for secret in (token, "hunter2", "Bearer x", "a=b", "rb_rt_abc", "eyJ"):
        assert secret not in text
    assert "kept" in text
    assert len(text) < 6000


@given(st.text(), st.text())
def test_no_header_crashes_the_trace(traceparent: str, request_id: str) -> None:
    trace = begin_trace(traceparent, request_id)

    assert len(trace.trace_id) == 32
    assert trace.request_id


def test_a_route_without_a_policy_stops_the_start() -> None:
    unguarded = Routes("x")
    unguarded.get("/x", policy=None)(routes.endpoints[-2].handler)  # pyright: ignore

    with pytest.raises(UnguardedRoute, match="GET /x"):
        application(name="x", version="1", routes=[unguarded], contexts=[], identity=KnownPeople())


def test_a_handler_that_disagrees_with_its_path_stops_the_start() -> None:
    with pytest.raises(TypeError, match="disagree"):

        @Routes("x").get("/x/{thing_id}", policy=public())
        async def handler(request: object, other_id: UUID) -> None: ...


async def test_the_contract_is_valid_openapi_and_says_who_may_call(
    aiohttp_client: Any, database_url: str
) -> None:
    client: TestClient = await aiohttp_client(create_app(database_url, KnownPeople()))
    document = await (await client.get("/openapi.json")).json()

    OpenAPIV31SpecValidator(document).validate()
    write = document["paths"]["/api/v1/projects/{project_id}/notes"]["post"]
    assert write["x-policy"] == "editor"
    assert {"201", "401", "403", "404", "409", "default"} <= write["responses"].keys()
    assert any(one["name"] == "Idempotency-Key" for one in write["parameters"])


@pytest.mark.parametrize(
    "settings",
    [
        {"runbench_env": "production"},
        {"runbench_env": "dev", "host": "192.0.2.1"},
        {"runbench_env": "dev", "auth_service_url": "http://localhost:1"},
    ],
)
def test_debug_headers_stop_the_start_outside_a_developers_machine(
    settings: dict[str, str],
) -> None:
    described = ServiceSettings(port=1, database_url="postgresql://localhost/x", **settings)  # pyright: ignore

    with pytest.raises(SystemExit):
        DebugIdentity(described)


async def test_debug_headers_decide_who_asks(aiohttp_client: Any, database_url: str) -> None:
    settings = ServiceSettings(port=1, database_url="postgresql://localhost/x", runbench_env="dev")  # pyright: ignore
    client = await aiohttp_client(create_app(database_url, DebugIdentity(settings)))
    path = f"/api/v1/projects/{uuid4()}/notes"

    assert (await client.get(path)).status == 401
    assert (await client.get(path, headers={"X-Debug-User": "ada"})).status == 200
    ada = {"X-Debug-User": "ada", "X-Debug-Role": "viewer"}
    assert (await client.post(path, json={"title": "a"}, headers=ada)).status == 403
    assert (await client.get(path, headers=ada | {"X-Debug-Role": "god"})).status == 401


def test_settings_that_do_not_fit_are_named_without_their_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "hunter2")
    monkeypatch.setenv("DATABASE_URL", "mysql://hunter2@x")
    with pytest.raises(SystemExit) as left:
        read_settings(ServiceSettings)

    said = capsys.readouterr().err
    assert left.value.code == 2
    assert "PORT" in said
    assert "DATABASE_URL" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("redis://127.0.0.1:6379/1", ["redis://127.0.0.1:6379/1"]),
        ("valkeys://u:p@h/0", ["valkeys://u:p@h/0"]),
        ("valkey+cluster://a:1,b:2", ["valkey://a:1", "valkey://b:2"]),
        ("rediss+cluster://u:p,q@a,[::1]:2/0", ["rediss://u:p,q@a/0", "rediss://u:p,q@[::1]:2/0"]),
    ],
)
def test_an_address_names_one_server_or_nodes_of_a_cluster(url: str, named: list[str]) -> None:
    assert servers(url) == named


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1",
        "127.0.0.1:6379",
        "valkey+cluster://a:1/3",
        "valkey+cluster://",
        "valkey+cluster://a,,b",
        "valkey+sentinel://a",
        "redis://h:port",
    ],
)
def test_an_address_of_no_server_stops_the_start_without_being_said(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (
        ("PORT", "1"),
        ("DATABASE_URL", "postgresql://localhost/x"),
        ("TELEMETRY_BROKER_URL", url),
    ):
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        read_settings(ServiceSettings)
    said = capsys.readouterr().err
    assert "TELEMETRY_BROKER_URL: " in said
    assert url not in said

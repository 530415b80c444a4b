"""What holds for every route: who is let in, what bad input gets, what is said of it."""

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from uuid import uuid4

import pytest
from auth_service.passwords import Hasher
from auth_service.settings import Settings
from localpostgres import Cluster
from openapi_spec_validator import validate
from people import (
    PASSWORD,
    SERVICE_SECRET,
    Client,
    Person,
    Register,
    Start,
    expect,
    log_in,
    problem,
)
from servicekit.application import ENDPOINTS
from servicekit.problems import Unavailable
from servicekit.routing import Endpoint
from servicekit.testing.environment import differences
from servicekit.testing.schema import schema_text

HERE = Path(__file__).parent

PUBLIC = {
    "POST /auth/register",
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /auth/logout",
    "POST /auth/password-reset",
    "POST /auth/password-reset/confirm",
    "GET /.well-known/jwks.json",
    "GET /.well-known/revocations",
}


def endpoints(client: Client) -> list[Endpoint]:
    return client.app[ENDPOINTS]


def path_of(endpoint: Endpoint, **known: str) -> str:
    values = {name: known.get(name, str(uuid4())) for name in endpoint.path_parameters}
    return endpoint.path.format(**values)


def test_the_public_routes_are_these_and_no_others(client: Client) -> None:
    public = {f"{e.method} {e.path}" for e in endpoints(client) if str(e.policy) == "public"}
    assert public == PUBLIC


async def test_every_other_route_refuses_an_anonymous_caller(client: Client) -> None:
    for endpoint in endpoints(client):
        if str(endpoint.policy) == "public":
            continue
        for headers in ({}, {"Authorization": "Bearer x"}):
            response = await client.request(
                endpoint.method, path_of(endpoint), headers=headers, json={}
            )
            await problem(response, 401, "unauthenticated")


async def test_roles_reach_as_far_as_each_route_says(
    client: Client, register: Register, admin: Person
) -> None:
    rank = {"viewer": 0, "editor": 1, "owner": 2}
    owner, editor, viewer, outsider = [await register() for _ in range(4)]
    members = {"owner": owner, "editor": editor, "viewer": viewer}
    for endpoint in endpoints(client):
        needs = str(endpoint.policy)
        if needs not in rank:
            continue
        project = await owner.project()
        await owner.give(project, editor, "editor")
        await owner.give(project, viewer, "viewer")
        path = path_of(endpoint, project_id=project["id"])
        for stranger in (outsider, admin):
            await problem(await stranger.ask(endpoint.method, path, {}), 404, "not-found")
        for role in ("viewer", "editor", "owner"):
            response = await members[role].ask(endpoint.method, path, {})
            if rank[role] < rank[needs]:
                await problem(response, 403, "forbidden")
            else:
                assert response.status not in {401, 500}, (role, path, await response.text())


async def test_a_parameter_that_is_no_id_is_never_a_crash(client: Client, admin: Person) -> None:
    for endpoint in endpoints(client):
        for name in endpoint.path_parameters:
            for value in ("x", "%00", "..%2f..%2fetc", "1", "%F0%9F%A6%8A", "%ff"):
                path = endpoint.path.replace(f"{{{name}}}", value)
                path = path.format(**{other: str(uuid4()) for other in endpoint.path_parameters})
                response = await admin.client.request(
                    endpoint.method, f"{path}", headers=admin.headers, json={}
                )
                assert response.status in {400, 404, 422}, (path, await response.text())
                assert response.content_type == "application/problem+json"


async def test_every_body_is_read_as_strictly(client: Client, admin: Person) -> None:
    project = await admin.project()
    for endpoint in endpoints(client):
        if endpoint.body is None:
            continue
        path = path_of(endpoint, project_id=project["id"], user_id=admin.id)
        service = str(endpoint.policy) == "service"
        caller = {"Authorization": f"Bearer {SERVICE_SECRET}"} if service else admin.headers
        for raw, kind, statuses in (
            (b"{", "application/json", {400}),
            (b'{"a": NaN}', "application/json", {400}),
            (b"\xff", "application/json", {400}),
            (b"[" * 5000, "application/json", {400}),
            (b"[]", "application/json", {422}),
            (b'"x"', "application/json", {422}),
            (b'{"no_such_field": 1}', "application/json", {422}),
            (b'{"name": "\\u0000"}', "application/json", {422}),
            (b'{"email": 1, "name": [], "role": {}, "token": 1.5}', "application/json", {422}),
            (b"a=b", "application/x-www-form-urlencoded", {415}),
            (b"{}", "text/plain", {415}),
            (b"x" * (endpoint.body_limit + 1), "application/json", {413}),
        ):
            response = await client.request(
                endpoint.method,
                path,
                data=raw,
                headers={**caller, "Content-Type": kind},
            )
            assert response.status in statuses, (path, raw[:40], await response.text())
            assert response.content_type == "application/problem+json"


async def test_no_cursor_of_whoever_wrote_it_is_a_crash(client: Client, admin: Person) -> None:
    project = await admin.project()
    paths = [
        path_of(endpoint, project_id=project["id"])
        for endpoint in endpoints(client)
        if endpoint.query and "cursor" in endpoint.query.json_schema()["properties"]
    ]
    assert len(paths) == 8
    values = [None, 1, 1e308, True, {"a": 1}, [], "a\0", "\ud800", "2026-01-01", "infinity"]
    values += ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-01-01T00:00:00", "-5"]
    for path in paths:
        for sort in ("name", "-created_at", "-id", "-at", ""):
            for value in values:
                for row in (None, str(uuid4()), "x"):
                    written = json.dumps({"sort": sort, "value": value, "id": row}).encode()
                    cursor = urlsafe_b64encode(written).decode().rstrip("=")
                    response = await admin.ask("GET", f"{path}?cursor={cursor}")
                    assert response.status in {200, 400, 422}, await response.text()
        for cursor in ("", "=", "%00", "e30", "W10", "bnVsbA", "x" * 2001):
            response = await admin.ask("GET", f"{path}?cursor={cursor}")
            assert response.status in {200, 400, 422}, await response.text()


async def test_a_program_may_call_itself_what_it_likes(client: Client, person: Person) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    body = json.dumps({"email": person.email, "password": PASSWORD}).encode()
    writer.write(
        b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"User-Agent: \xff\xfe\x80 \xd0\x9f \xe2\x80\xae" + b"y" * 500 + b"\r\n"
        b"X-Forwarded-For: \xff, %00\r\nConnection: close\r\n"
        b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    )
    answer = await reader.read()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 200 ")
    listed = (await person.get("/auth/sessions"))["items"][0]
    assert listed["user_agent"].endswith("y" * 100)
    assert len(listed["user_agent"]) <= 300


async def test_the_contract_is_valid_and_names_every_route(client: Client) -> None:
    document = await expect(200, await client.get("/openapi.json"))

    validate(document)
    described = {
        f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item
    }
    assert described == {f"{e.method} {e.path}" for e in endpoints(client)}


def test_every_setting_is_documented() -> None:
    assert not differences(Settings, HERE.parent / ".env.example")


def test_the_schema_for_readers_is_what_the_migrations_make(
    cluster: Cluster, template: str
) -> None:
    assert (
        schema_text(f"{cluster.address}/{template}", "auth")
        == (HERE.parent / "schema.sql").read_text()
    ), "regenerate schema.sql: python -m servicekit.testing.schema services/auth-service auth"


def test_trusted_proxies_are_networks() -> None:
    def read(value: str) -> list[str]:
        settings = Settings.model_validate(
            {"runbench_env": "dev", "database_url": "postgresql://x/x", "trusted_proxies": value}
        )
        return [str(network) for network in settings.trusted_proxies]

    assert read("10.0.0.0/8, 127.0.0.1/32,::1/128") == ["10.0.0.0/8", "127.0.0.1/32", "::1/128"]
    assert read("") == []
    with pytest.raises(ValueError, match="trusted_proxies"):
        read("everyone")


async def test_health_stays_quick_while_sixty_people_sign_in(
    start: Start, register: Register
) -> None:
    people = [await register() for _ in range(20)]
    client = await start(bcrypt_rounds=11)
    waits: list[float] = []
    done = asyncio.Event()

    async def poll() -> None:
        while not done.is_set():
            began = time.perf_counter()
            await expect(200, await client.get("/health"))
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(0.05)

    polling = asyncio.create_task(poll())
    responses = await asyncio.gather(*(log_in(client, people[n % 20].email) for n in range(60)))
    done.set()
    await polling

    statuses = [response.status for response in responses]
    assert set(statuses) <= {200, 429, 503}
    assert statuses.count(200) >= 10
    assert all("Retry-After" in r.headers for r in responses if r.status != 200)
    # A hash holds a thread for longer than this; a loop that waited for one would show it.
    middle = sorted(waits)[len(waits) // 2]
    assert middle < 0.1


async def test_an_unknown_person_costs_what_a_known_one_does() -> None:
    hasher = Hasher(rounds=9, workers=1)
    stored = await hasher.hash(PASSWORD)
    cheap = await Hasher(rounds=5, workers=1).hash(PASSWORD)

    async def least(hashed: str | None) -> float:
        """Seconds of the processor, which a busy machine does not stretch."""
        efforts: list[float] = []
        for _ in range(15):
            began = time.process_time()
            await hasher.check("wrong", hashed)
            efforts.append(time.process_time() - began)
        return min(efforts)

    known = await least(stored)
    assert 0.7 < await least(None) / known < 1.4
    assert 0.7 < await least(cheap) / known < 1.4
    hasher.close()


async def test_who_would_wait_too_long_is_told_to_come_back() -> None:
    hasher = Hasher(rounds=6, workers=1, patience_sec=0.1)

    results = await asyncio.gather(
        *(hasher.check("x", None) for _ in range(100)), return_exceptions=True
    )

    # 64 rounds are taken to need 4 ms at first.
    assert results.count(False) == 26
    refused = [result for result in results if isinstance(result, Unavailable)]
    assert len(refused) == 74
    assert all("Retry-After" in result.headers for result in refused)
    assert await hasher.check("x", None) is False
    hasher.close()


async def test_an_address_hidden_in_other_letters_is_found_again(
    client: Client, register: Register
) -> None:
    await register(email="straße@bücher.example")

    await expect(200, await log_in(client, "STRASSE@XN--BCHER-KVA.EXAMPLE"))

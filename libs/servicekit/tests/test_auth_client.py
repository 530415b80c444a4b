"""A service that trusts auth-service: whose tokens it takes, for how long, and what it asks."""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fake_auth import FakeAuth
from notes import routes
from servicekit import auth_client
from servicekit.application import application
from servicekit.auth_client import AuthClient
from servicekit.database import database
from servicekit.identity import LEEWAY_SEC
from servicekit.machine_tokens import new_machine_token

type Get = Callable[[str], Awaitable[int]]


@pytest.fixture
def auth() -> FakeAuth:
    return FakeAuth()


@pytest.fixture
async def auth_server(auth: FakeAuth, aiohttp_server: Any) -> TestServer:
    return await aiohttp_server(auth.app())


@pytest.fixture
async def service(
    auth_server: TestServer,
    database_url: str,
    aiohttp_client: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> TestClient:
    monkeypatch.setattr(auth_client, "POLL_SEC", 0.1)
    monkeypatch.setattr(auth_client, "KEPT_SEC", 0.3)
    return await aiohttp_client(_app(str(auth_server.make_url("/")), database_url))


def _app(url: str, database_url: str) -> web.Application:
    identity = AuthClient(url)

    async def ready(_app: web.Application) -> bool:
        return await identity.ready()

    return application(
        name="notes",
        version="1",
        routes=[routes],
        contexts=[database(database_url, schema="notes", size=3), identity.context],
        identity=identity,
        checks={"auth-service": ready},
    )


@pytest.fixture
async def get(service: TestClient, project_id: UUID) -> Get:
    await _until(lambda: _ready(service))

    async def status(token: str) -> int:
        response = await service.get(
            f"/api/v1/projects/{project_id}/notes", headers={"Authorization": f"Bearer {token}"}
        )
        return response.status

    return status


async def _ready(service: TestClient) -> bool:
    return (await service.get("/ready")).status == 200


async def _until(condition: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < end, "this did not come true in time"
        await asyncio.sleep(0.05)


async def test_a_valid_token_of_a_member_is_let_in(auth: FakeAuth, get: Get) -> None:
    token = auth.token()
    auth.roles[token] = "viewer"

    assert await get(token) == 200


async def test_roles_are_asked_once_for_many_requests(
    auth: FakeAuth, get: Get, project_id: UUID
) -> None:
    token = auth.token()
    auth.roles[token] = "viewer"
    assert await asyncio.gather(*(get(token) for _ in range(10))) == [200] * 10

    assert auth.asked[f"/api/v1/projects/{project_id}/access"] <= 2


def _forge(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


async def test_forged_tokens_are_refused(auth: FakeAuth, get: Get) -> None:
    good, claims = auth.token(), auth.claims()
    header = {"typ": "at+jwt", "kid": auth.kid}
    pem = auth.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    raw = auth.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    head, body, signature = good.split(".")
    forged = {
        "no algorithm": _forge(header | {"alg": "none"}, claims),
        "HS256 with the public key": jwt.encode(claims, raw, algorithm="HS256", headers=header),
        "HS256 with its text": _forge(header | {"alg": "HS256"}, claims, pem),
        "another curve": jwt.encode(
            claims, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256", headers=header
        ),
        "another key": jwt.encode(
            claims, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers=header
        ),
        "empty signature": f"{head}.{body}.",
        "flipped byte": f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "unknown key": auth.token({"kid": "other"}),
        "no key id": jwt.encode(claims, auth.key, algorithm="EdDSA", headers={"typ": "at+jwt"}),
        "another type": auth.token({"typ": "JWT"}),
        "critical extension": auth.token({"crit": ["exp"]}),
        "not a token": "abc",
        "two dots": "a.b.c",
        "empty parts": "..",
    }
    for token in forged.values():
        auth.roles[token] = "owner"

    assert {name: await get(token) for name, token in forged.items()} == dict.fromkeys(forged, 401)


async def test_a_token_that_was_let_in_is_refused_once_it_has_expired(
    auth: FakeAuth, get: Get
) -> None:
    """Its signature is not checked again, its time is."""
    token = auth.token(exp=int(time.time()) - LEEWAY_SEC + 2)
    auth.roles[token] = "viewer"

    assert await get(token) == 200
    await asyncio.sleep(2.1)
    assert await get(token) == 401
    assert await get(token) == 401


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "sid", "jti", "iat", "exp"])
async def test_no_claim_may_be_missing(auth: FakeAuth, get: Get, claim: str) -> None:
    token = auth.token(**{claim: None})
    auth.roles[token] = "owner"

    assert await get(token) == 401


async def test_odd_claims_are_refused_and_never_a_crash(auth: FakeAuth, get: Get) -> None:
    now = int(time.time())
    odd: list[dict[str, Any]] = [
        {"exp": now - 60},
        {"exp": str(now + 900)},
        {"exp": now + 900.5},
        {"exp": 1e308},
        {"exp": -1},
        {"exp": True},
        {"exp": [now]},
        {"nbf": now + 3600},
        {"iat": now + 86400},
        {"iat": "x"},
        {"aud": ["runbench-api", "other"]},
        {"aud": "other"},
        {"iss": "other"},
        {"sub": "not-a-uuid"},
        {"sid": "not-a-uuid"},
    ]
    answers = []
    for changes in odd:
        try:
            token = auth.token(**changes)
        except TypeError:  # PyJWT will not write some of them
            token = jwt.api_jws.PyJWS().encode(
                json.dumps(auth.claims(**changes)).encode(),
                auth.key,
                algorithm="EdDSA",
                headers={"typ": "at+jwt", "kid": auth.kid},
            )
        auth.roles[token] = "owner"
        answers.append(await get(token))

    assert answers == [401] * len(odd)


async def test_an_ended_session_is_refused_within_seconds(auth: FakeAuth, get: Get) -> None:
    sid = uuid4()
    token = auth.token(sid=str(sid))
    auth.roles[token] = "viewer"
    assert await get(token) == 200
    auth.revoked.append(sid)

    async def refused() -> bool:
        return await get(token) == 401

    await _until(refused, 5)


async def test_a_new_signing_key_is_learnt_when_first_seen(
    auth: FakeAuth, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_client, "UNKNOWN_KEY_EVERY_SEC", 0.0)
    auth.key, auth.kid = Ed25519PrivateKey.generate(), "k2"
    token = auth.token()
    auth.roles[token] = "viewer"

    assert await get(token) == 200


async def test_unknown_keys_do_not_make_us_ask_again_and_again(auth: FakeAuth, get: Get) -> None:
    before = auth.asked["/.well-known/jwks.json"]
    for number in range(20):
        assert await get(auth.token({"kid": f"unknown-{number}"})) == 401

    assert auth.asked["/.well-known/jwks.json"] <= before + 1


async def test_an_api_token_is_a_program_within_its_scope(
    auth: FakeAuth, get: Get, service: TestClient, project_id: UUID
) -> None:
    def program(project: UUID) -> str:
        token = new_machine_token("pat").text
        auth.roles[token] = "editor"
        auth.programs[token] = {
            "id": str(uuid4()),
            "kind": "token",
            "is_admin": True,
            "token_id": str(uuid4()),
            "session_id": None,
            "scope": {"project_id": str(project), "role": "editor"},
        }
        return token

    assert await get(program(project_id)) == 200
    assert await get(program(uuid4())) == 404
    unknown = new_machine_token("pat").text
    assert await get(unknown) == 401
    assert await get(unknown[:-1] + ("A" if unknown[-1] != "A" else "B")) == 401
    door = await service.get(
        "/api/v1/admin/door", headers={"Authorization": f"Bearer {program(project_id)}"}
    )
    assert door.status == 403


async def test_a_typo_in_an_api_token_is_found_without_asking(auth: FakeAuth, get: Get) -> None:
    token = new_machine_token("pat").text
    wrong = token.replace(token[20], "x" if token[20] != "x" else "y", 1)

    assert await get(wrong) == 401
    assert "/auth/me" not in auth.asked


async def test_nobody_is_let_in_while_auth_service_is_away(
    auth: FakeAuth, auth_server: TestServer, database_url: str, aiohttp_client: Any, get: Get
) -> None:
    known = auth.token()
    auth.roles[known] = "viewer"
    assert await get(known) == 200
    address = str(auth_server.make_url("/"))
    await auth_server.close()
    fresh = auth.token()
    auth.roles[fresh] = "viewer"

    assert await get(fresh) == 503
    newcomer = await aiohttp_client(_app(address, database_url))
    assert (await newcomer.get("/health")).status == 200
    ready = await newcomer.get("/ready")
    assert ready.status == 503
    assert (await ready.json())["dependencies"]["auth-service"] == "unreachable"
    door = await newcomer.get("/api/v1/admin/door", headers={"Authorization": f"Bearer {fresh}"})
    assert door.status == 503


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer ", "token x", ""])
async def test_other_schemes_are_refused(
    service: TestClient, project_id: UUID, header: str
) -> None:
    response = await service.get(
        f"/api/v1/projects/{project_id}/notes", headers={"Authorization": header}
    )

    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_two_authorization_headers_are_refused(
    auth: FakeAuth, service: TestClient, project_id: UUID, get: Get
) -> None:
    token = auth.token()
    auth.roles[token] = "viewer"
    both = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {auth.token()}")]
    response = await service.get(f"/api/v1/projects/{project_id}/notes", headers=both)

    assert response.status == 401


async def test_another_auth_service_is_asked_where_one_is_gone(
    auth: FakeAuth,
    project_id: UUID,
    database_url: str,
    aiohttp_server: Any,
    aiohttp_client: Any,
) -> None:
    first, second = [await aiohttp_server(auth.app()) for _ in range(2)]
    service = await aiohttp_client(
        _app(f"{first.make_url('/')} {second.make_url('/')}", database_url)
    )
    await _until(lambda: _ready(service))

    async def ask() -> int:
        token = auth.token()
        auth.roles[token] = "viewer"
        headers = {"Authorization": f"Bearer {token}"}
        answer = await service.get(f"/api/v1/projects/{project_id}/notes", headers=headers)
        return answer.status

    assert await ask() == 200
    await first.close()
    assert [await ask() for _ in range(3)] == [200] * 3
    await second.close()
    assert await ask() == 503

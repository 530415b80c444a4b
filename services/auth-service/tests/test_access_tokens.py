"""Access tokens: what they say, and every way in which a forged one fails."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from uuid import uuid4

import jwt
import pytest
from auth_service.settings import Settings
from auth_service.signing import Keys
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from people import Client, Person, Start, actions, expect
from servicekit.database import Connection

NEW = "n3w-secret-of-at-least-thirty-two-bytes-0123456789"
OLD = "o1d-secret-of-at-least-thirty-two-bytes-0123456789"


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """The service's own key, to forge with what only it can have."""
    derived = HKDF(
        algorithm=SHA256(), length=32, salt=b"runbench auth-service", info=b"access tokens"
    ).derive(settings.secrets[0])
    return Ed25519PrivateKey.from_private_bytes(derived)


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})


async def status_of(client: Client, token: str) -> int:
    response = await client.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
    if response.status == 401:
        assert (await response.json())["type"] == "/problems/unauthenticated"
        assert response.headers["WWW-Authenticate"] == "Bearer"
    return response.status


async def test_a_token_names_person_and_session_and_no_role(client: Client, person: Person) -> None:
    header, claims = parts(person.session["access_token"])

    (key,) = (await expect(200, await client.get("/.well-known/jwks.json")))["keys"]
    assert header == {"alg": "EdDSA", "typ": "at+jwt", "kid": key["kid"]}
    assert claims.keys() == {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}
    assert claims["sub"] == person.id
    assert claims["sid"] == person.session["user"]["session_id"]
    assert claims["exp"] - claims["iat"] == 900


async def test_the_published_key_verifies_and_its_id_is_its_thumbprint(
    client: Client, person: Person
) -> None:
    (key,) = (await expect(200, await client.get("/.well-known/jwks.json")))["keys"]

    assert {name: key[name] for name in ("kty", "crv", "alg", "use")} == {
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "use": "sig",
    }
    assert key.keys() == {"kty", "crv", "alg", "use", "kid", "x"}
    public = jwt.PyJWK(key)
    assert jwt.decode(
        person.session["access_token"], public, algorithms=["EdDSA"], audience="runbench-api"
    )
    members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": key["x"]}, separators=(",", ":"))
    digest = hashlib.sha256(members.encode()).digest()
    assert key["kid"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")


async def test_a_token_without_any_one_of_its_claims_is_refused(
    client: Client, person: Person, settings: Settings
) -> None:
    header, claims = parts(person.session["access_token"])
    key = signing_key(settings)

    def signed(changed: dict[str, Any], **headers: Any) -> str:
        payload = json.dumps(changed).encode()
        return jwt.PyJWS().encode(payload, key, algorithm="EdDSA", headers=header | headers)

    assert await status_of(client, signed(claims)) == 200
    for claim in claims:
        assert (
            await status_of(client, signed({k: v for k, v in claims.items() if k != claim})) == 401
        )
    for claim in claims:
        for value in (None, "", "x", [], {}, -1, 1.5, 1e308, True, str(claims[claim]) + "x"):
            if (claim == "jti" and isinstance(value, str)) or (claim, value) == ("iat", -1):
                continue  # odd, but ours to say and harmless
            assert await status_of(client, signed(claims | {claim: value})) == 401, (claim, value)
    now = int(time.time())
    for changes in (
        {"exp": now - 31},
        {"exp": str(now + 900)},
        {"iat": now + 86_400},
        {"nbf": now + 86_400},
        {"aud": ["runbench-api", "other"]},
        {"sub": str(uuid4())},
        {"sid": str(uuid4())},
    ):
        assert await status_of(client, signed(claims | changes)) == 401, changes
    for headers in ({"typ": "JWT"}, {"typ": None}, {"kid": "x"}, {"crit": ["x"], "x": 1}):
        assert await status_of(client, signed(claims, **headers)) == 401, headers


async def test_a_token_signed_otherwise_is_refused(
    client: Client, person: Person, settings: Settings
) -> None:
    token = person.session["access_token"]
    header, claims = parts(token)
    public: Ed25519PublicKey = signing_key(settings).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    head, body, signature = token.split(".")

    def encoded(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    def hs256(secret: bytes) -> str:
        text = f"{encoded(header | {'alg': 'HS256'})}.{body}"
        digest = hmac.digest(secret, text.encode(), "sha256")
        return f"{text}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"

    stranger = Ed25519PrivateKey.generate()
    ec = generate_private_key(SECP256R1())
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    forged = [
        f"{encoded(header | {'alg': 'none'})}.{body}.",
        f"{encoded(header | {'alg': 'None'})}.{body}.{signature}",
        hs256(pem),
        hs256(raw),
        jwt.encode(claims, stranger, algorithm="EdDSA", headers=header),
        jwt.encode(claims, ec, algorithm="ES256", headers={"typ": "at+jwt", "kid": header["kid"]}),
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{flipped}",
        f"{head}.{encoded(claims | {'sub': str(uuid4())})}.{signature}",
        f"{head}..{signature}",
        "..",
        "a.b.c",
        "",
        "x" * 5000,
        "é",
        "rb_pat_" + "A" * 63,
        person.session["refresh_token"],
    ]

    for attempt in forged:
        assert await status_of(client, attempt) == 401, attempt[:60]
    assert await status_of(client, token) == 200


async def test_the_token_is_taken_from_one_bearer_header_only(
    client: Client, person: Person
) -> None:
    token = person.session["access_token"]
    for value in (token, f"Basic {token}", f"Token {token}", "Bearer", f"Bearer{token}"):
        response = await client.get("/auth/me", headers={"Authorization": value})
        assert response.status == 401
    doubled = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    assert (await client.get("/auth/me", headers=doubled)).status == 401
    assert (await client.get("/auth/me", cookies={"runbench": token})).status == 401
    lower = await client.get("/auth/me", headers={"Authorization": f"bearer {token}"})
    assert lower.status == 200


async def test_identity_headers_of_a_client_mean_nothing(client: Client, person: Person) -> None:
    for name in ("X-User-Id", "X_User_Id", "x-user_id", "X-Debug-User", "X-Forwarded-User"):
        response = await client.get("/auth/me", headers={name: person.id, "X-Debug-Role": "owner"})
        assert response.status == 401


async def test_changing_the_secret_keeps_everybody_signed_in(
    start: Start, connection: Connection
) -> None:
    before = await start(jwt_secret=OLD)
    new = {"email": "ada@example.com", "password": "quiet rivers run deep", "name": "Ada"}
    session = await expect(201, await before.post("/auth/register", json=new))
    refreshed = await expect(
        200, await before.post("/auth/refresh", json={"refresh_token": session["refresh_token"]})
    )

    between = await start(jwt_secret=f"{NEW},{OLD}")
    assert await status_of(between, session["access_token"]) == 200
    again = await expect(
        200, await between.post("/auth/refresh", json={"refresh_token": session["refresh_token"]})
    )
    assert again["refresh_token"] == refreshed["refresh_token"]
    keys = (await expect(200, await between.get("/.well-known/jwks.json")))["keys"]
    assert parts(again["access_token"])[0]["kid"] == keys[0]["kid"] != keys[1]["kid"]
    assert parts(session["access_token"])[0]["kid"] == keys[1]["kid"]

    after = await start(jwt_secret=NEW)
    assert await status_of(after, session["access_token"]) == 401
    assert await status_of(after, again["access_token"]) == 200
    noted = [event["details"]["kid"] for event in await actions(connection, "signing-key.begin")]
    assert len(noted) == len(set(noted)) == 2


@pytest.mark.parametrize(
    "secret",
    ["", "short", "a" * 64, "changeme" * 8, f"{NEW},short", f"{NEW},{OLD},{NEW}", f"{NEW},"],
)
def test_production_does_not_start_with_a_weak_secret(secret: str) -> None:
    with pytest.raises(ValueError, match="JWT_SECRET"):
        Settings(
            runbench_env="production", database_url="postgresql://localhost/x", jwt_secret=secret
        )


def test_development_has_a_secret_that_production_refuses() -> None:
    settings = Settings(runbench_env="dev", database_url="postgresql://localhost/x")

    with pytest.raises(ValueError, match="JWT_SECRET"):
        Settings(
            runbench_env="production",
            database_url="postgresql://localhost/x",
            jwt_secret=settings.secrets[0].decode(),
        )
    assert len(Keys(settings.secrets).published) == 1
    assert "secret" not in repr(settings).replace("jwt_secret", "")

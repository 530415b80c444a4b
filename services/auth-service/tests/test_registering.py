"""Registering: who may, with which address and which password."""

import asyncio

from people import PASSWORD, Client, Person, Register, Start, actions, expect, log_in, problem
from servicekit.database import Connection


def body(**changes: object) -> dict[str, object]:
    return {"email": "ada@example.com", "password": PASSWORD, "name": "Ada", **changes}


async def test_who_registers_is_signed_in(client: Client, connection: Connection) -> None:
    session = await expect(201, await client.post("/auth/register", json=body()))

    assert session["token_type"] == "Bearer"
    assert (session["expires_in"], session["refresh_expires_in"]) == (900, 1_209_600)
    me = await Person(client, session).get("/auth/me")
    assert me == session["user"]
    assert (me["email"], me["name"], me["is_admin"]) == ("ada@example.com", "Ada", False)
    assert (me["kind"], me["token_id"], me["scope"]) == ("user", None, None)
    (event,) = await actions(connection, "register")
    assert str(event["actor_id"]) == me["id"]
    assert event["actor_name"] == "Ada"
    assert len(event["trace_id"]) == 32


async def test_twenty_registrations_of_one_address_at_once_make_one_account(
    client: Client, connection: Connection
) -> None:
    spellings = [
        "Ada@bücher.example",
        "ADA@BÜCHER.EXAMPLE",
        "ada@xn--bcher-kva.example",
        "ada@bücher.example",  # the ü as two characters
        "ada@ｂücher.example",  # a full-width b
    ]
    responses = await asyncio.gather(
        *(client.post("/auth/register", json=body(email=spellings[n % 5])) for n in range(20))
    )

    statuses = sorted(response.status for response in responses)
    assert statuses == [201] + [409] * 19
    await problem(next(r for r in responses if r.status == 409), 409, "email-taken")
    assert await connection.fetchval("SELECT count(*) FROM auth.users") == 1


async def test_a_domain_of_letters_that_only_look_latin_is_the_same_domain(
    client: Client,
) -> None:
    await expect(201, await client.post("/auth/register", json=body()))

    look_alike = body(email="ada@exаmple.com")  # its second a is Cyrillic
    await problem(await client.post("/auth/register", json=look_alike), 409, "email-taken")


async def test_what_is_no_address_is_refused(client: Client) -> None:
    for email in [
        "",
        "ada",
        "ada@",
        "@example.com",
        "a da@example.com",
        "ada@exa mple.com",
        "ada@example..com",
        "ada@-example.com",
        "ada@example.com\nBcc: eve@example.com",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "a" * 300 + "@example.com",
        "ada@[127.0.0.1]",
    ]:
        response = await client.post("/auth/register", json=body(email=email))

        document = await problem(response, 422, "invalid")
        assert [error["pointer"] for error in document["errors"]] == ["#/email"]


async def test_a_short_common_or_personal_password_is_refused_with_the_rule(
    client: Client,
) -> None:
    for password in [
        "elevenchars",
        "x" * 257,
        "password1234",
        "Password1234!",
        "P@ssw0rd1234",
        "passwordpassword",
        "123456789012",
        "qwertyuiop12",
        "abcdefghijkl",
        "aaaaaaaaaaaa",
        "letmeinletmein",
        "ilovEyou1234",
        "ada@example.com",
        "Ada Lovelace King",
    ]:
        new = body(password=password, name="Ada Lovelace King")

        document = await problem(await client.post("/auth/register", json=new), 422, "invalid")

        (error,) = document["errors"]
        assert error["pointer"] == "#/password"
        assert error["detail"].startswith(("must ", "is too common", "String should have at most"))
        assert password not in str(document)


async def test_any_long_enough_password_of_any_letters_will_do(client: Client) -> None:
    passwords = [
        "twelve chars",
        "plainlowercaseletters",
        "839201748392",
        "пароль из нескольких слов",
        "🦊🦊🐻🐻🐼🐼🐨🐨🐯🐯🦁🦁",
        "demo-runbench-1",
        "x" * 73,
        "é" * 256,
    ]
    for number, password in enumerate(passwords):
        email = f"person{number}@example.org"
        new = body(email=email, password=password)
        await expect(201, await client.post("/auth/register", json=new))
        await expect(200, await log_in(client, email, password))


async def test_the_least_length_is_a_setting(start: Start) -> None:
    client = await start(password_min_length=15)

    await problem(
        await client.post("/auth/register", json=body(password="fourteen chars")), 422, "invalid"
    )
    await expect(201, await client.post("/auth/register", json=body(password="fifteen  chars!")))


async def test_a_password_counts_to_its_last_letter(client: Client) -> None:
    password = "m" * 72 + "first"
    await expect(201, await client.post("/auth/register", json=body(password=password)))

    await problem(
        await log_in(client, "ada@example.com", "m" * 72 + "other"), 401, "wrong-credentials"
    )
    await expect(200, await log_in(client, "ada@example.com", password))


async def test_a_password_is_the_same_in_both_forms_of_unicode(client: Client) -> None:
    await expect(201, await client.post("/auth/register", json=body(password="Café " * 5)))

    await expect(200, await log_in(client, "ada@example.com", "Cafe\u0301 " * 5))


async def test_nobody_registers_as_more_than_a_person(client: Client) -> None:
    for field in ("is_admin", "role", "id", "email_verified", "status", "password_hash"):
        response = await client.post("/auth/register", json=body(**{field: True}))
        document = await problem(response, 422, "invalid")
        assert [error["pointer"] for error in document["errors"]] == [f"#/{field}"]


async def test_a_giant_password_is_refused_before_it_is_read(client: Client) -> None:
    for path, new in (
        ("/auth/register", body(password="x" * (1 << 20))),
        ("/auth/login", {"email": "ada@example.com", "password": "x" * (1 << 20)}),
    ):
        await problem(await client.post(path, json=new), 413, "too-large")


async def test_credentials_in_the_address_are_not_read(client: Client, person: Person) -> None:
    query = f"?email={person.email}&password={PASSWORD.replace(' ', '+')}"

    assert (await client.post(f"/auth/login{query}")).status in {400, 415, 422}
    token = person.session["access_token"]
    assert (await client.get(f"/auth/me?access_token={token}")).status == 401


async def test_registration_can_be_closed(start: Start, register: Register) -> None:
    client = await start(runbench_registration="closed")

    await problem(await client.post("/auth/register", json=body()), 403, "registration-closed")


async def test_a_bad_body_makes_no_account(client: Client, connection: Connection) -> None:
    for raw, status in [
        (b"{", 400),
        (b"", 400),
        (b"[" * 2000 + b"]" * 2000, 400),
        (b"null", 422),
        (b"[]", 422),
        (b'{"email": 1, "password": 2, "name": 3}', 422),
        (b'{"email": "a@example.com", "password": "' + b"x" * 20 + b'", "name": "a\\u0000"}', 422),
        (b'{"email": "a@example.com", "password": "' + b"x\\u0000" * 20 + b'", "name": "a"}', 422),
        (b'{"email": "a@example.com", "password": "' + b"x" * 20 + b'", "name": "\\ud800"}', 400),
    ]:
        response = await client.post(
            "/auth/register", data=raw, headers={"Content-Type": "application/json"}
        )

        assert response.status == status, await response.text()
        assert response.content_type == "application/problem+json"
    assert await connection.fetchval("SELECT count(*) FROM auth.users") == 0

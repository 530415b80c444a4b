"""Signing in and out, sessions, and what becomes of their tokens."""

import asyncio
import hashlib
from uuid import uuid4

from people import PASSWORD, Client, Person, Register, Start, actions, expect, log_in, problem
from servicekit.database import Connection


async def refresh(client: Client, token: str):
    return await client.post("/auth/refresh", json={"refresh_token": token})


async def test_address_and_password_open_a_session(
    client: Client, person: Person, connection: Connection
) -> None:
    session = await expect(200, await log_in(client, f"  {person.email.upper()} "))

    assert session["user"]["id"] == person.id
    assert session["user"]["session_id"] != person.session["user"]["session_id"]
    (event,) = await actions(connection, "login")
    assert (event["result"], str(event["actor_id"])) == ("success", person.id)
    assert await connection.fetchval("SELECT last_login_at IS NOT NULL FROM auth.users")


async def test_wrong_password_and_unknown_address_are_answered_alike(
    client: Client, person: Person, connection: Connection
) -> None:
    wrong = await problem(
        await log_in(client, person.email, "not my password"), 401, "wrong-credentials"
    )
    unknown = await problem(
        await log_in(client, "nobody@example.com", "not my password"), 401, "wrong-credentials"
    )
    nonsense = await problem(await log_in(client, "\u200b@", "no"), 401, "wrong-credentials")

    for document in (wrong, unknown, nonsense):
        document.pop("trace_id")
    assert wrong == unknown == nonsense
    events = await actions(connection, "login")
    assert [event["result"] for event in events] == ["failure"] * 3
    reasons = [event["details"]["reason"] for event in events]
    assert reasons == ["wrong-password", "unknown-account", "unknown-account"]
    assert {event["actor_id"] for event in events} == {None}


async def test_refreshing_gives_the_next_token_of_the_same_session(
    client: Client, person: Person
) -> None:
    first = person.session
    second = await expect(200, await refresh(client, first["refresh_token"]))
    third = await expect(200, await refresh(client, second["refresh_token"]))

    tokens = {session["refresh_token"] for session in (first, second, third)}
    assert len(tokens) == 3
    assert all(token.startswith("rb_rt_") for token in tokens)
    sessions = {s["user"]["session_id"] for s in (first, second, third)}
    assert len(sessions) == 1


async def test_fifty_refreshes_of_one_token_get_the_same_successor(
    client: Client, person: Person, connection: Connection
) -> None:
    token = person.session["refresh_token"]

    responses = await asyncio.gather(*(refresh(client, token) for _ in range(50)))

    answers = [await expect(200, response) for response in responses]
    assert len({answer["refresh_token"] for answer in answers}) == 1
    assert await connection.fetchval("SELECT count(*) FROM auth.refresh_tokens") == 2
    await expect(200, await refresh(client, answers[0]["refresh_token"]))


async def test_a_lost_answer_can_be_asked_for_again_even_after_a_restart(
    client: Client, start: Start, person: Person
) -> None:
    token = person.session["refresh_token"]
    lost = await expect(200, await refresh(client, token))
    other = await start()

    again = await expect(200, await refresh(other, token))

    assert again["refresh_token"] == lost["refresh_token"]


async def test_a_token_that_returns_late_ends_the_session_for_both(
    client: Client, person: Person, connection: Connection
) -> None:
    token = person.session["refresh_token"]
    newest = await expect(200, await refresh(client, token))
    await connection.execute(
        "UPDATE auth.refresh_tokens SET used_at = used_at - interval '11 seconds'"
    )

    await problem(await refresh(client, token), 401, "refresh-token-invalid")

    await problem(await refresh(client, newest["refresh_token"]), 401, "refresh-token-invalid")
    assert not await Person(client, newest).is_signed_in()
    (event,) = await actions(connection, "refresh.reuse")
    assert (event["result"], str(event["target_id"])) == (
        "denied",
        person.session["user"]["session_id"],
    )


async def test_a_stolen_token_is_found_out_even_within_the_grace(
    client: Client, person: Person, connection: Connection
) -> None:
    first = person.session["refresh_token"]
    second = (await expect(200, await refresh(client, first)))["refresh_token"]
    third = (await expect(200, await refresh(client, second)))["refresh_token"]

    for token in (first, second, third):
        await problem(await refresh(client, token), 401, "refresh-token-invalid")
    assert len(await actions(connection, "refresh.reuse")) == 1


async def test_a_session_ends_unused_and_in_any_case_after_thirty_days(
    start: Start, person: Person, connection: Connection
) -> None:
    client = await start(refresh_token_ttl_sec=2_592_000)
    session = await expect(200, await log_in(client, person.email))
    assert session["refresh_expires_in"] == 2_592_000

    await connection.execute(
        "UPDATE auth.sessions SET absolute_expires_at = now() + interval '1 hour'"
    )
    session = await expect(200, await refresh(client, session["refresh_token"]))
    assert 3500 < session["refresh_expires_in"] <= 3600

    await connection.execute("UPDATE auth.sessions SET expires_at = now()")
    await problem(await refresh(client, session["refresh_token"]), 401, "refresh-token-invalid")


async def test_what_is_no_refresh_token_is_refused(client: Client, person: Person) -> None:
    good = person.session["refresh_token"]
    for token in (
        "x",
        good[:-1],
        good + "A",
        good.replace("rb_rt_", "rb_xx_"),
        "rb_rt_" + "é" * 43,
    ):
        await problem(await refresh(client, token), 401, "refresh-token-invalid")
    await problem(await client.post("/auth/refresh", json={"refresh_token": ""}), 422, "invalid")
    await problem(await client.post("/auth/refresh", json={}), 422, "invalid")
    await expect(200, await refresh(client, good))


async def test_nothing_that_signs_anybody_in_is_stored_readable(
    client: Client, person: Person, connection: Connection
) -> None:
    project = await person.project()
    token = await person.token(project)
    again = await expect(200, await refresh(client, person.session["refresh_token"]))
    secrets = [
        PASSWORD,
        person.session["access_token"],
        person.session["refresh_token"],
        again["refresh_token"],
        token["token"],
        token["token"].split("_")[3],
    ]
    tables = await connection.fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'auth'"
    )

    for (table,) in tables:
        rows = await connection.fetch(f"SELECT t::text FROM auth.{table} t")  # noqa: S608
        dump = " ".join(row[0] for row in rows)
        for secret in secrets:
            assert secret not in dump, table


async def test_signing_out_ends_the_session_at_once(
    client: Client, person: Person, connection: Connection
) -> None:
    await expect(204, await person.ask("POST", "/auth/logout"))

    assert not await person.is_signed_in()
    await problem(
        await refresh(client, person.session["refresh_token"]), 401, "refresh-token-invalid"
    )
    revoked = await expect(200, await client.get("/.well-known/revocations"))
    session_id = person.session["user"]["session_id"]
    assert revoked["revoked"] == [hashlib.sha256(session_id.encode()).hexdigest()]
    assert revoked["as_of"].endswith("Z")
    assert len(await actions(connection, "logout")) == 1
    assert not await actions(connection, "refresh.reuse")


async def test_a_refresh_token_alone_signs_out_too(client: Client, person: Person) -> None:
    body = {"refresh_token": person.session["refresh_token"]}

    await expect(204, await client.post("/auth/logout", json=body))

    assert not await person.is_signed_in()


async def test_signing_out_twice_or_as_nobody_is_no_mistake(
    client: Client, person: Person, connection: Connection
) -> None:
    await expect(204, await client.post("/auth/logout"))
    await expect(204, await client.post("/auth/logout", json={"refresh_token": "rb_rt_x"}))
    for _ in range(2):
        await expect(204, await person.ask("POST", "/auth/logout"))
    assert len(await actions(connection, "logout")) == 1


async def test_a_revocation_is_listed_as_long_as_an_access_token_may_live(
    client: Client, person: Person, connection: Connection
) -> None:
    await expect(204, await person.ask("POST", "/auth/logout"))
    for age, listed in ((955, True), (965, False)):
        await connection.execute(
            "UPDATE auth.sessions SET revoked_at = now() - make_interval(secs => $1)", age
        )
        answer = await expect(200, await client.get("/.well-known/revocations"))
        assert bool(answer["revoked"]) is listed


async def test_sessions_are_listed_and_one_can_be_ended(client: Client, person: Person) -> None:
    phone = Person(
        client, await expect(200, await log_in(client, person.email, User_Agent="Phone 1"))
    )

    listed = (await person.get("/auth/sessions"))["items"]

    assert [session["current"] for session in listed] == [False, True]
    assert listed[0]["user_agent"] == "Phone 1"
    assert listed[0]["address"] == "127.0.0.1"
    await expect(204, await person.ask("DELETE", f"/auth/sessions/{listed[0]['id']}"))
    assert not await phone.is_signed_in()
    assert await person.is_signed_in()
    assert len((await person.get("/auth/sessions"))["items"]) == 1
    await problem(
        await person.ask("DELETE", f"/auth/sessions/{listed[0]['id']}"), 404, "session-not-found"
    )


async def test_sessions_come_in_pages(client: Client, person: Person) -> None:
    for _ in range(4):
        await expect(200, await log_in(client, person.email))

    seen, path = [], "/auth/sessions?limit=2"
    while True:
        page = await person.get(path)
        seen += [session["id"] for session in page["items"]]
        if not page["next_cursor"]:
            break
        path = f"/auth/sessions?limit=2&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)


async def test_nobody_ends_somebody_elses_session(register: Register) -> None:
    ada, eve = await register(), await register()

    session_id = ada.session["user"]["session_id"]
    await problem(await eve.ask("DELETE", f"/auth/sessions/{session_id}"), 404, "session-not-found")

    await problem(await eve.ask("DELETE", f"/auth/sessions/{uuid4()}"), 404, "session-not-found")
    await problem(await eve.ask("DELETE", "/auth/sessions/x"), 422, "invalid")
    assert await ada.is_signed_in()


async def test_signing_out_everywhere_ends_every_session_of_the_person_alone(
    client: Client, register: Register
) -> None:
    ada, eve = await register(), await register()
    other = Person(client, await expect(200, await log_in(client, ada.email)))

    await expect(204, await ada.ask("POST", "/auth/logout-everywhere"))

    assert [await p.is_signed_in() for p in (ada, other, eve)] == [False, False, True]


async def test_a_hash_of_another_cost_is_renewed_at_the_next_sign_in(
    start: Start, person: Person, connection: Connection
) -> None:
    client = await start(bcrypt_rounds=5)

    # At once: both see the old hash, and both are let in.
    responses = await asyncio.gather(*(log_in(client, person.email) for _ in range(5)))

    assert [response.status for response in responses] == [200] * 5
    stored = await connection.fetchval("SELECT password_hash FROM auth.users")
    assert stored.startswith("$2b$05$")
    await expect(200, await log_in(client, person.email))


async def test_people_change_their_own_name_and_nothing_else(person: Person) -> None:
    changed = await expect(200, await person.ask("PATCH", "/auth/me", {"name": "  Grace "}))

    assert changed["name"] == "Grace"
    assert (await person.get("/auth/me"))["name"] == "Grace"
    assert await expect(200, await person.ask("PATCH", "/auth/me", {})) == changed
    for body in (
        {"name": None},
        {"name": ""},
        {"name": "x" * 201},
        {"name": "a\nb"},
        {"is_admin": True},
        {"email": "other@example.com"},
    ):
        await problem(await person.ask("PATCH", "/auth/me", body), 422, "invalid")

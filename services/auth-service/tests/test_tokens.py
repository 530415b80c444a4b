"""API tokens of people's programs."""

import asyncio
import re
from typing import Any
from uuid import uuid4

from people import Client, Person, Register, actions, expect, problem
from servicekit.database import Connection


class Program(Person):
    """A program with a token in place of a session."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.session['token']}"}


async def test_a_token_is_shown_once_and_acts_for_its_person_in_its_project(
    client: Client, person: Person, connection: Connection
) -> None:
    project, other = await person.project("One"), await person.project("Two")
    made = await person.token(project, "editor")
    program = Program(client, made)

    assert re.fullmatch(r"rb_pat_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}", made["token"])
    assert made["key_id"] == made["token"].split("_")[2]
    me = await program.get("/auth/me")
    assert (me["id"], me["kind"], me["token_id"]) == (person.id, "token", made["id"])
    assert me["session_id"] is None
    assert me["scope"] == {"project_id": project["id"], "role": "editor"}
    access = await program.get(f"/api/v1/projects/{project['id']}/access")
    assert (access["role"], access["user_id"]) == ("editor", person.id)
    seen = (await program.get("/api/v1/projects"))["items"]
    assert [(p["id"], p["role"]) for p in seen] == [(project["id"], "editor")]
    for sub in ("", "/access", "/members"):
        path = f"/api/v1/projects/{other['id']}{sub}"
        await problem(await program.ask("GET", path), 404, "not-found")
    (listed,) = (await person.get("/api/v1/tokens"))["items"]
    assert listed.keys() == made.keys() - {"token"}
    assert listed["last_used_at"]
    (event,) = await actions(connection, "token.create")
    assert event["details"]["key_id"] == made["key_id"]
    assert made["token"] not in str(event)


async def test_a_token_does_what_its_role_allows_and_no_more(
    client: Client, person: Person, register: Register
) -> None:
    eve = await register()
    project = await person.project()
    path = f"/api/v1/projects/{project['id']}"
    viewer = Program(client, await person.token(project, "viewer"))
    owner = Program(client, await person.token(project, "owner"))

    await problem(await viewer.ask("PATCH", path, {"name": "x"}), 403, "forbidden")
    await expect(200, await owner.ask("PATCH", path, {"name": "Renamed"}))
    for method, where, body in (
        ("POST", f"{path}/tokens", {"name": "x", "role": "viewer"}),
        ("GET", f"{path}/tokens", None),
        ("GET", "/api/v1/tokens", None),
        ("PUT", f"{path}/members/{eve.id}", {"role": "viewer"}),
        ("DELETE", f"{path}/members/{person.id}", None),
        ("POST", "/api/v1/projects", {"name": "x"}),
        ("GET", "/api/v1/users?q=ab", None),
        ("PATCH", "/auth/me", {"name": "x"}),
        ("GET", "/auth/sessions", None),
        ("POST", "/auth/logout-everywhere", None),
        ("POST", "/auth/change-password", {"current_password": "x", "new_password": "y"}),
        ("GET", "/api/v1/admin/users", None),
    ):
        await problem(await owner.ask(method, where, body), 403, "forbidden")
    await expect(204, await owner.ask("POST", "/auth/logout"))
    assert await person.is_signed_in()
    assert await owner.is_signed_in()


async def test_a_token_of_an_administrator_administers_nothing(
    client: Client, admin: Person
) -> None:
    project = await admin.project()
    program = Program(client, await admin.token(project, "owner"))

    await problem(await program.ask("GET", "/api/v1/admin/users"), 403, "forbidden")


async def test_a_token_never_has_more_than_its_person(client: Client, register: Register) -> None:
    ada, eve = await register(), await register()
    project = await ada.project()
    path = f"/api/v1/projects/{project['id']}"
    await ada.give(project, eve, "editor")
    too_much = {"name": "x", "role": "owner"}
    await problem(await eve.ask("POST", f"{path}/tokens", too_much), 403, "forbidden")
    program = Program(client, await eve.token(project, "editor"))

    await ada.give(project, eve, "viewer")

    assert (await program.get(f"{path}/access"))["role"] == "viewer"
    assert (await program.get(path))["role"] == "viewer"
    await expect(204, await ada.ask("DELETE", f"{path}/members/{eve.id}"))
    await problem(await program.ask("GET", f"{path}/access"), 401, "unauthenticated")
    await ada.give(project, eve, "owner")
    await problem(await program.ask("GET", "/auth/me"), 401, "unauthenticated")


async def test_a_token_expires_when_it_was_asked_to(
    client: Client, person: Person, connection: Connection
) -> None:
    project = await person.project()
    path = f"/api/v1/projects/{project['id']}/tokens"

    async def days(body: dict[str, Any]) -> int | None:
        made = await expect(201, await person.ask("POST", path, body))
        return await connection.fetchval(
            "SELECT round(extract(epoch FROM expires_at - created_at) / 86400)"
            " FROM auth.api_tokens WHERE id = $1",
            made["id"],
        )

    new = {"name": "x", "role": "viewer"}
    assert await days(new) == 90
    assert await days(new | {"expires_in_days": 1}) == 1
    assert await days(new | {"expires_in_days": 3650}) == 3650
    assert await days(new | {"expires_in_days": None}) is None

    program = Program(client, await person.token(project))
    assert await program.is_signed_in()
    await connection.execute("UPDATE auth.api_tokens SET expires_at = now()")
    assert not await program.is_signed_in()


async def test_a_bad_token_request_is_refused_with_every_mistake(person: Person) -> None:
    project = await person.project()
    for body, pointers in (
        ({}, {"#/name", "#/role"}),
        ({"name": "", "role": "king"}, {"#/name", "#/role"}),
        ({"name": "x", "role": "viewer", "expires_in_days": 0}, {"#/expires_in_days"}),
        ({"name": "x", "role": "viewer", "expires_in_days": 3651}, {"#/expires_in_days"}),
        ({"name": "x", "role": "viewer", "expires_in_days": 1.5}, {"#/expires_in_days"}),
        ({"name": "x", "role": "viewer", "expires_in_days": "9"}, {"#/expires_in_days"}),
        ({"name": "x", "role": "viewer", "token": "mine", "user_id": 1}, {"#/token", "#/user_id"}),
    ):
        response = await person.ask("POST", f"/api/v1/projects/{project['id']}/tokens", body)
        document = await problem(response, 422, "invalid")
        assert {error["pointer"] for error in document["errors"]} == pointers


async def test_a_repeated_request_with_its_key_answers_the_same_token(
    person: Person, connection: Connection
) -> None:
    project = await person.project()
    path = f"/api/v1/projects/{project['id']}/tokens"
    body = {"name": "x", "role": "viewer"}

    first = await expect(201, await person.ask("POST", path, body, Idempotency_Key="k"))
    again = await expect(201, await person.ask("POST", path, body, Idempotency_Key="k"))

    assert again == first
    kept = await connection.fetchval("SELECT body FROM auth.idempotency_keys")
    assert first["token"].encode() not in kept
    assert first["token"].split("_")[3].encode() not in kept
    assert await connection.fetchval("SELECT count(*) FROM auth.api_tokens") == 1


async def test_tokens_are_revoked_by_their_person_and_by_owners(
    client: Client, register: Register, connection: Connection
) -> None:
    ada, ed, eve = [await register() for _ in range(3)]
    project = await ada.project()
    await ada.give(project, ed, "editor")
    mine, first, second, third = (
        await ada.token(project),
        *[await ed.token(project) for _ in range(3)],
    )

    async def revoke(who: Person, token: dict[str, Any]):
        return await who.ask("DELETE", f"/api/v1/tokens/{token['id']}")

    await problem(await revoke(ed, mine), 404, "token-not-found")
    await problem(await revoke(eve, first), 404, "token-not-found")
    await problem(await eve.ask("DELETE", f"/api/v1/tokens/{uuid4()}"), 404, "token-not-found")
    await problem(await revoke(Program(client, second), first), 404, "token-not-found")
    await expect(204, await revoke(ed, first))
    await expect(204, await revoke(ada, second))
    await expect(204, await revoke(Program(client, third), third))
    for token in (first, second, third):
        assert not await Program(client, token).is_signed_in()
    assert await Program(client, mine).is_signed_in()
    await problem(await revoke(ed, first), 404, "token-not-found")
    assert len(await actions(connection, "token.revoke")) == 3


async def test_an_owner_lists_all_tokens_of_a_project_and_others_their_own(
    register: Register,
) -> None:
    ada, ed, vi = [await register() for _ in range(3)]
    project = await ada.project()
    path = f"/api/v1/projects/{project['id']}/tokens"
    await ada.give(project, ed, "editor")
    await ada.give(project, vi, "viewer")
    tokens = [await who.token(project) for who in (ada, ed, vi)]

    async def listed(who: Person, query: str = "") -> list[str]:
        return [token["id"] for token in (await who.get(path + query))["items"]]

    assert await listed(ada) == [token["id"] for token in reversed(tokens)]
    assert await listed(ed) == [tokens[1]["id"]]
    assert await listed(vi) == [tokens[2]["id"]]
    page = await ada.get(f"{path}?limit=2")
    rest = await ada.get(f"{path}?limit=2&cursor={page['next_cursor']}")
    assert [t["id"] for t in page["items"] + rest["items"]] == await listed(ada)


async def test_a_use_is_noted_once_a_minute_at_most(
    client: Client, person: Person, connection: Connection
) -> None:
    project = await person.project()
    program = Program(client, await person.token(project))

    async def last_used() -> Any:
        return await connection.fetchval("SELECT last_used_at FROM auth.api_tokens")

    assert await last_used() is None
    await asyncio.gather(*(program.get("/auth/me") for _ in range(10)))
    first = await last_used()
    await program.get("/auth/me")
    assert await last_used() == first
    await connection.execute(
        "UPDATE auth.api_tokens SET last_used_at = last_used_at - interval '61 seconds'"
    )
    await program.get("/auth/me")
    assert await last_used() > first


async def test_what_is_no_token_is_refused(client: Client, person: Person) -> None:
    project = await person.project()
    text: str = (await person.token(project))["token"]
    kind, head, key_id, secret, checksum = text.split("_")
    for forged in (
        text[:-1],
        text + "x",
        f"{kind}_{head}_{key_id}_{secret[::-1]}_{checksum}",
        f"{kind}_{head}_{key_id[::-1]}_{secret}_{checksum}",
        text.replace("rb_pat_", "rb_sensor_"),
        text.replace("rb_pat_", "rb_rt_"),
        "rb_",
    ):
        assert not await Program(client, {"token": forged}).is_signed_in()
    assert await Program(client, {"token": text}).is_signed_in()
    assert (await client.get(f"/auth/me?token={text}")).status == 401


async def test_a_new_token_and_a_removal_at_once_leave_no_living_token(
    client: Client, register: Register
) -> None:
    ada, eve = await register(), await register()
    project = await ada.project()
    path = f"/api/v1/projects/{project['id']}"
    for _ in range(5):
        await ada.give(project, eve, "viewer")
        made, _removed = await asyncio.gather(
            eve.ask("POST", f"{path}/tokens", {"name": "x", "role": "viewer"}),
            ada.ask("DELETE", f"{path}/members/{eve.id}"),
        )
        if made.status == 201:
            assert not await Program(client, await made.json()).is_signed_in()
        else:
            assert made.status in {403, 404}

"""What administrators do, and the first of them."""

import asyncio
import io
import sys
from typing import Any
from uuid import uuid4

import pytest
from auth_service.__main__ import SERVICE, create_admin
from auth_service.settings import Settings
from people import PASSWORD, Client, Person, Register, Start, actions, expect, log_in, problem
from servicekit.database import Connection

USERS = "/api/v1/admin/users"


async def test_an_administrator_sees_all_people(admin: Person, register: Register) -> None:
    ada, eve = await register("Ada"), await register("Eve")
    await expect(200, await admin.ask("POST", f"{USERS}/{eve.id}/deactivate"))

    async def found(query: str = "") -> list[str]:
        return [user["id"] for user in (await admin.get(f"{USERS}?{query}"))["items"]]

    assert await found() == [eve.id, ada.id, admin.id]
    assert await found("status=deactivated") == [eve.id]
    assert await found("status=active") == [ada.id, admin.id]
    assert await found("q=AD") == [ada.id, admin.id]
    assert await found(f"q={ada.email}") == [ada.id]
    page = await admin.get(f"{USERS}?limit=2")
    rest = await admin.get(f"{USERS}?limit=2&cursor={page['next_cursor']}")
    assert [u["id"] for u in page["items"] + rest["items"]] == await found()
    assert page["items"][0].keys() == {
        "id",
        "email",
        "name",
        "is_admin",
        "status",
        "created_at",
        "last_login_at",
    }
    assert (await admin.ask("GET", f"{USERS}?status=gone")).status == 422


async def test_nobody_else_administers(person: Person, admin: Person) -> None:
    for method, path, body in (
        ("GET", USERS, None),
        ("PATCH", f"{USERS}/{person.id}", {"is_admin": True}),
        ("POST", f"{USERS}/{admin.id}/deactivate", None),
        ("POST", f"{USERS}/{person.id}/activate", None),
        ("POST", f"{USERS}/{admin.id}/reset-password", None),
        ("GET", "/api/v1/admin/audit", None),
    ):
        await problem(await person.ask(method, path, body), 403, "forbidden")
    assert not (await person.get("/auth/me"))["is_admin"]
    events = (await admin.get("/api/v1/admin/audit?action=access.denied"))["items"]
    assert len(events) == 6
    assert events[-1]["details"]["route"] == USERS


async def test_deactivating_ends_sessions_tokens_and_links_at_once(
    client: Client, admin: Person, person: Person, connection: Connection
) -> None:
    project = await person.project()
    token = await person.token(project, "owner")

    user = await expect(200, await admin.ask("POST", f"{USERS}/{person.id}/deactivate"))

    assert user["status"] == "deactivated"
    assert not await person.is_signed_in()
    bearer = {"Authorization": f"Bearer {token['token']}"}
    assert (await client.get("/auth/me", headers=bearer)).status == 401
    refreshing = {"refresh_token": person.session["refresh_token"]}
    await problem(await client.post("/auth/refresh", json=refreshing), 401, "refresh-token-invalid")
    refused = await problem(await log_in(client, person.email), 401, "wrong-credentials")
    assert "deactivated" in refused["detail"]
    silent = await problem(await log_in(client, person.email, "x" * 12), 401, "wrong-credentials")
    assert "detail" not in silent
    revoked = await expect(200, await client.get("/.well-known/revocations"))
    assert len(revoked["revoked"]) == 1

    again = await expect(200, await admin.ask("POST", f"{USERS}/{person.id}/deactivate"))
    assert again == user
    assert len(await actions(connection, "user.deactivate")) == 1


async def test_activating_lets_the_person_in_but_not_their_old_credentials(
    client: Client, admin: Person, person: Person, connection: Connection
) -> None:
    project = await person.project()
    token = await person.token(project)
    await expect(200, await admin.ask("POST", f"{USERS}/{person.id}/deactivate"))

    for _ in range(2):
        user = await expect(200, await admin.ask("POST", f"{USERS}/{person.id}/activate"))
        assert user["status"] == "active"

    assert not await person.is_signed_in()
    bearer = {"Authorization": f"Bearer {token['token']}"}
    assert (await client.get("/auth/me", headers=bearer)).status == 401
    fresh = Person(client, await expect(200, await log_in(client, person.email)))
    assert (await fresh.get("/api/v1/projects"))["items"][0]["id"] == project["id"]
    assert len(await actions(connection, "user.activate")) == 1


async def test_an_administrator_makes_another_who_has_no_part_in_projects(
    admin: Person, register: Register
) -> None:
    ada, eve = await register(), await register()
    project = await eve.project()

    user = await expect(200, await admin.ask("PATCH", f"{USERS}/{ada.id}", {"is_admin": True}))

    assert user["is_admin"]
    assert (await ada.get("/auth/me"))["is_admin"]
    assert len((await ada.get(USERS))["items"]) == 3
    path = f"/api/v1/projects/{project['id']}"
    await problem(await ada.ask("GET", path), 404, "not-found")
    await problem(await ada.ask("GET", f"{path}/audit"), 404, "not-found")
    await expect(200, await ada.ask("PATCH", f"{USERS}/{ada.id}", {"is_admin": False}))
    await problem(await ada.ask("GET", USERS), 403, "forbidden")


async def test_the_last_administrator_stays(
    admin: Person, person: Person, connection: Connection
) -> None:
    own = f"{USERS}/{admin.id}"
    for method, path, body in (
        ("PATCH", own, {"is_admin": False}),
        ("POST", f"{own}/deactivate", None),
    ):
        await problem(await admin.ask(method, path, body), 409, "last-admin")
    await connection.execute(
        "UPDATE auth.users SET is_admin = true, deactivated_at = now() WHERE id = $1", person.id
    )
    await problem(await admin.ask("PATCH", own, {"is_admin": False}), 409, "last-admin")
    assert (await admin.get("/auth/me"))["is_admin"]


async def test_administrators_who_demote_each_other_at_once_leave_one(
    admin: Person, register: Register, connection: Connection
) -> None:
    people = [admin, *[await register() for _ in range(4)]]
    await connection.execute("UPDATE auth.users SET is_admin = true")

    await asyncio.gather(
        *(
            person.ask("PATCH", f"{USERS}/{people[n - 1].id}", {"is_admin": False})
            for n, person in enumerate(people[:3])
        ),
        *(
            person.ask("POST", f"{USERS}/{people[n + 2].id}/deactivate")
            for n, person in enumerate(people[3:])
        ),
    )

    assert await connection.fetchval(
        "SELECT count(*) FROM auth.users WHERE is_admin AND deactivated_at IS NULL"
    )


async def test_unknown_people_and_bad_changes_are_refused(admin: Person, person: Person) -> None:
    nobody = f"{USERS}/{uuid4()}"
    for method, path, body in (
        ("PATCH", nobody, {"is_admin": True}),
        ("POST", f"{nobody}/deactivate", None),
        ("POST", f"{nobody}/activate", None),
        ("POST", f"{nobody}/reset-password", None),
    ):
        await problem(await admin.ask(method, path, body), 404, "user-not-found")
    for body in ({}, {"is_admin": None}, {"is_admin": "yes"}, {"is_admin": 1}, {"role": "x"}):
        await problem(await admin.ask("PATCH", f"{USERS}/{person.id}", body), 422, "invalid")
    await expect(200, await admin.ask("POST", f"{USERS}/{person.id}/deactivate"))
    refused = await admin.ask("PATCH", f"{USERS}/{person.id}", {"is_admin": True})
    await problem(refused, 409, "user-deactivated")
    refused = await admin.ask("POST", f"{USERS}/{person.id}/reset-password")
    await problem(refused, 409, "user-deactivated")


async def test_the_environment_names_the_first_administrator(
    start: Start, connection: Connection
) -> None:
    named: dict[str, Any] = {
        "runbench_admin_email": "Root@example.com",
        "runbench_admin_password": PASSWORD,
    }
    clients = [await start(**named), await start(**named)]

    session = await expect(200, await log_in(clients[0], "root@example.com"))

    assert session["user"]["is_admin"]
    assert await connection.fetchval("SELECT count(*) FROM auth.users") == 1
    assert len(await actions(connection, "admin.bootstrap")) == 1
    await start(runbench_admin_email="other@example.com", runbench_admin_password=PASSWORD)
    assert await connection.fetchval("SELECT count(*) FROM auth.users") == 1


async def test_nobody_becomes_administrator_by_registering_the_named_address_first(
    start: Start, person: Person
) -> None:
    client = await start(
        runbench_admin_email=person.email, runbench_admin_password="another quiet river"
    )
    session = await expect(200, await log_in(client, person.email))
    assert not session["user"]["is_admin"]

    client = await start(runbench_admin_email=person.email, runbench_admin_password=PASSWORD)
    session = await expect(200, await log_in(client, person.email))
    assert session["user"]["is_admin"]


async def test_a_command_makes_an_administrator_and_says_why_not(
    settings: Settings, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SERVICE.commands["create-admin"] is create_admin
    named = settings.model_copy(
        update={"runbench_admin_email": "root@example.com", "runbench_admin_password": PASSWORD}
    )
    assert await create_admin(named) == 0
    session = await expect(200, await log_in(await start(), "root@example.com"))
    assert session["user"]["is_admin"]

    for changes, reason in (
        ({"runbench_admin_password": "short"}, "at least 12 characters"),
        ({"runbench_admin_email": "root"}, "email"),
        ({"runbench_admin_password": "another quiet river"}, "another password"),
    ):
        assert await create_admin(named.model_copy(update=changes)) == 1
        assert reason in capsys.readouterr().err


async def test_the_command_asks_for_what_the_environment_does_not_say(
    settings: Settings, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("root@example.com\n"))
    named = settings.model_copy(update={"runbench_admin_password": PASSWORD})

    assert await create_admin(named) == 0

    session = await expect(200, await log_in(await start(), "root@example.com"))
    assert session["user"]["is_admin"]

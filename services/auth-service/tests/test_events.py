"""What this service tells: on a RabbitMQ, in order, with the change, and no secret in it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from auth_service.models.events import EVENTS
from auth_service.settings import Settings
from people import PASSWORD, Client, Person, Register, Start, actions, expect, problem
from servicekit.database import Connection
from servicekit.testing.rabbitmq import Broker, keep, listening, take_kept

type Heard = list[Any]

USERS = "/api/v1/admin/users"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("rabbitmq"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def settings(settings: Settings, broker: Broker) -> Settings:
    return settings.model_copy(update={"rabbitmq_url": broker.url})


@pytest.fixture
async def heard(client: Client, broker: Broker) -> AsyncIterator[Heard]:
    """Every message since the service runs; other tests' databases have nothing left to tell."""
    async with listening(broker) as came:
        yield came


async def waiting(connection: Connection) -> int:
    return await connection.fetchval("SELECT count(*) FROM auth.outbox")


async def none_waits(connection: Connection, *, within: float = 30) -> None:
    async with asyncio.timeout(within):
        while await waiting(connection):  # noqa: ASYNC110 - the relay says nothing
            await asyncio.sleep(0.05)


async def all_told(connection: Connection, heard: Heard, last: str) -> list[dict[str, Any]]:
    """The events, once one of the last kind has come and none waits."""
    await none_waits(connection)
    async with asyncio.timeout(30):
        while last not in {message.type for message in heard}:  # noqa: ASYNC110 - it comes by itself
            await asyncio.sleep(0.05)
    return [json.loads(message.body) for message in heard]


def about(events: list[dict[str, Any]], subject: str) -> list[tuple[str, Any]]:
    """Kind and data of what happened to one subject, in order."""
    return [(event["type"], event["data"]) for event in events if event["subject"]["id"] == subject]


async def test_what_becomes_of_a_project_and_its_members_is_told_in_order(
    register: Register, connection: Connection, heard: Heard
) -> None:
    ada, eve = await register("Ada"), await register("Eve")
    project = await ada.project("Rig")
    path = f"/api/v1/projects/{project['id']}"
    for role in ("viewer", "editor", "editor"):
        await ada.give(project, eve, role)
    token = await eve.token(project, "viewer")
    change = {"name": "Motor rig", "slug": "rig"}
    await expect(200, await ada.ask("PATCH", path, change))
    await expect(200, await ada.ask("PATCH", path, change))
    await expect(204, await ada.ask("DELETE", f"{path}/members/{eve.id}"))
    await expect(204, await ada.ask("DELETE", path))
    await problem(await ada.ask("DELETE", path), 409, "project-archived")
    await expect(200, await ada.ask("POST", f"{path}/restore"))
    told = await all_told(connection, heard, "project.restored")

    assert about(told, project["id"]) == [
        ("project.created", {"slug": "rig"}),
        ("member.added", {"user_id": ada.id, "role": "owner"}),
        ("member.added", {"user_id": eve.id, "role": "viewer"}),
        ("member.changed", {"user_id": eve.id, "role": "editor", "before": "viewer"}),
        ("project.changed", {"fields": ["name"]}),
        ("member.removed", {"user_id": eve.id, "role": "editor"}),
        ("project.archived", {}),
        ("project.restored", {}),
    ]
    assert about(told, token["id"]) == [
        (
            "token.created",
            {"user_id": eve.id, "role": "viewer", "expires_at": token["expires_at"]},
        ),
        ("token.revoked", {"user_id": eve.id, "reason": "member_removed"}),
    ]
    last = next(message for message in heard if message.type == "project.restored")
    event = json.loads(last.body)
    assert last.routing_key == f"{project['id']}.project.restored"
    assert last.app_id == "auth-service"
    assert event["subject"] == {"kind": "project", "id": project["id"], "name": "Motor rig"}
    assert (event["actor"]["kind"], event["actor"]["id"]) == ("user", ada.id)
    assert event["project_id"] == project["id"]


async def test_what_becomes_of_people_is_told(
    admin: Person, register: Register, connection: Connection, heard: Heard
) -> None:
    ada = await register("Ada")
    project = await ada.project()
    tokens = [await ada.token(project) for _ in range(2)]
    await expect(204, await ada.ask("DELETE", f"/api/v1/tokens/{tokens[0]['id']}"))
    for name in ("Ada", "Ada Lovelace"):
        await expect(200, await ada.ask("PATCH", "/auth/me", {"name": name}))
    for body in ({"is_admin": True}, {"is_admin": True}, {"is_admin": False}):
        await expect(200, await admin.ask("PATCH", f"{USERS}/{ada.id}", body))
    for step in ("deactivate", "deactivate", "activate"):
        await expect(200, await admin.ask("POST", f"{USERS}/{ada.id}/{step}"))
    told = await all_told(connection, heard, "user.activated")

    assert about(told, ada.id) == [
        ("user.registered", {}),
        ("user.changed", {"fields": ["name"]}),
        ("user.admin_granted", {}),
        ("user.admin_withdrawn", {}),
        ("user.deactivated", {}),
        ("user.activated", {}),
    ]
    ends = [about(told, token["id"])[1:] for token in tokens]
    assert ends == [
        [("token.revoked", {"user_id": ada.id, "reason": reason})]
        for reason in ("revoked", "user_deactivated")
    ]
    mine = [event for event in told if event["subject"]["id"] == ada.id]
    assert [event["subject"]["name"] for event in mine] == ["Ada"] + ["Ada Lovelace"] * 5
    assert [event["actor"]["id"] for event in mine] == [ada.id] * 2 + [admin.id] * 4
    assert {event["actor"]["kind"] for event in mine} == {"user"}
    routes = {message.routing_key for message in heard if message.type.startswith("user.")}
    assert "platform.user.registered" in routes


async def test_no_secret_and_no_address_is_told_and_of_signing_in_nothing(
    client: Client, register: Register, connection: Connection, heard: Heard
) -> None:
    ada = await register("Ada", email="ada.l@example.com")
    project = await ada.project()
    token = await ada.token(project)
    for password in ("wrong and long enough", PASSWORD):
        await client.post("/auth/login", json={"email": ada.email, "password": password})
    await client.post("/auth/refresh", json={"refresh_token": ada.session["refresh_token"]})
    change = {"current_password": PASSWORD, "new_password": "another river runs by"}
    await ada.ask("POST", "/auth/password", change)
    await expect(204, await ada.ask("DELETE", f"/api/v1/tokens/{token['id']}"))
    await all_told(connection, heard, "token.revoked")

    kinds = {message.type for message in heard}
    assert kinds == {
        "user.registered", "project.created", "member.added", "token.created", "token.revoked"
    }  # fmt: skip
    assert kinds <= {kind.name for kind in EVENTS}
    told = b"".join(message.body for message in heard)
    secrets = [token["token"], token["key_id"], PASSWORD, ada.email, "127.0.0.1"]
    secrets += [ada.session[name] for name in ("access_token", "refresh_token")]
    assert [secret for secret in secrets if secret.encode() in told] == []


async def test_a_program_is_the_actor_of_what_it_does(
    client: Client, person: Person, connection: Connection, heard: Heard
) -> None:
    project = await person.project()
    token = await person.token(project, "owner")
    bearer = {"Authorization": f"Bearer {token['token']}"}
    path = f"/api/v1/projects/{project['id']}"
    await expect(200, await client.patch(path, json={"description": "x"}, headers=bearer))
    told = await all_told(connection, heard, "project.changed")

    (actor,) = (event["actor"] for event in told if event["type"] == "project.changed")
    assert (actor["kind"], actor["id"], actor["token_id"]) == ("token", person.id, token["id"])


async def test_the_first_administrator_is_told_of(
    start: Start, broker: Broker, connection: Connection
) -> None:
    await start()
    async with listening(broker, "platform.#") as heard:
        await start(
            runbench_admin_email="root@example.com", runbench_admin_password="quiet hills sleep"
        )
        told = await all_told(connection, heard, "user.admin_granted")

    assert [event["type"] for event in told] == ["user.registered", "user.admin_granted"]
    assert {event["actor"]["kind"] for event in told} == {"system"}


async def test_a_broker_that_is_away_loses_nothing_and_stops_nobody(
    client: Client, broker: Broker, register: Register, connection: Connection
) -> None:
    ada = await register("Ada")
    project = await ada.project()
    eves = [await register(f"Eve {number}") for number in range(3)]
    await none_waits(connection)
    await keep(broker, f"{project['id']}.#", queue="kept")

    broker.stop()
    try:
        await asyncio.gather(*(ada.give(project, eve, "viewer") for eve in eves))
        for eve in eves:
            await ada.give(project, eve, "editor")
        await expect(204, await ada.ask("DELETE", f"/api/v1/projects/{project['id']}"))
        assert await waiting(connection) == 7
        assert (await (await client.get("/ready")).json())["status"] == "ready"
    finally:
        broker.start()
    await none_waits(connection, within=90)

    # Once each here; whoever listens has to expect a repeat, and knows it by its id.
    told = list({event["id"]: event for event in await take_kept(broker, "kept")}.values())
    assert {event["data"]["user_id"] for event in told[:3]} == {eve.id for eve in eves}
    assert [event["type"] for event in told] == [
        *["member.added"] * 3, *["member.changed"] * 3, "project.archived"
    ]  # fmt: skip
    assert [event["data"]["user_id"] for event in told[3:6]] == [eve.id for eve in eves]


async def test_the_audit_has_each_change_once(
    start: Start, connection: Connection, heard: Heard
) -> None:
    """Also where this service's own address is among its settings, as the others need it."""
    client = await start(auth_service_url="http://127.0.0.1:1")
    body = {"email": "bob@example.com", "password": PASSWORD, "name": "Bob"}
    bob = Person(client, await expect(201, await client.post("/auth/register", json=body)))
    project = await bob.project()
    await expect(204, await bob.ask("DELETE", f"/api/v1/projects/{project['id']}"))
    await all_told(connection, heard, "project.archived")

    sinks = await connection.fetch("SELECT name FROM auth.outbox_sinks")
    assert [sink["name"] for sink in sinks] == ["rabbitmq"]
    assert len(await actions(connection, "project.archive")) == 1
    assert await actions(connection, "project.archived") == []


async def test_nothing_is_told_of_what_did_not_happen(
    person: Person, connection: Connection, heard: Heard
) -> None:
    taken = await person.project("Taken")
    other = await person.project("Other")
    refused = await person.ask("PATCH", f"/api/v1/projects/{other['id']}", {"slug": taken["slug"]})
    await problem(refused, 409, "project-slug-taken")
    leaving = f"/api/v1/projects/{other['id']}/members/{person.id}"
    await problem(await person.ask("DELETE", leaving), 409, "last-owner")
    await expect(204, await person.ask("DELETE", f"/api/v1/projects/{other['id']}"))
    told = await all_told(connection, heard, "project.archived")

    assert [kind for kind, _ in about(told, other["id"])] == [
        "project.created", "member.added", "project.archived"
    ]  # fmt: skip

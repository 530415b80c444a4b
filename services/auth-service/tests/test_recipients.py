"""Whom other services may write to: active members, at their own address, and nobody else."""

from typing import Any
from uuid import uuid4

from people import SERVICE_SECRET, Client, Register, expect
from servicekit.database import Connection

DOOR = "/internal/recipients"


async def ask(client: Client, *members: tuple[str, str], secret: str = SERVICE_SECRET) -> Any:
    body = {"members": [{"project_id": one, "user_id": other} for one, other in members]}
    return await client.post(DOOR, json=body, headers={"Authorization": f"Bearer {secret}"})


async def test_active_members_are_found_and_nobody_else(
    client: Client, register: Register, connection: Connection
) -> None:
    ada, bob = await register("Ada"), await register("Bob")
    made = await client.post("/api/v1/projects", json={"name": "Bench"}, headers=ada.headers)
    project = await expect(201, made)
    mine = (project["id"], str(ada.id))
    others = [(project["id"], str(bob.id)), (str(uuid4()), str(ada.id))]

    found = await expect(200, await ask(client, mine, mine, *others))
    assert found["items"] == [
        {
            "project_id": project["id"],
            "project_slug": project["slug"],
            "project_name": "Bench",
            "user_id": str(ada.id),
            "name": "Ada",
            "email": ada.email,
        }
    ]

    await connection.execute("UPDATE auth.users SET deactivated_at = now() WHERE id = $1", ada.id)
    assert (await expect(200, await ask(client, mine)))["items"] == []


async def test_it_is_for_services_alone(client: Client, register: Register) -> None:
    ada = await register("Ada")
    assert (await ask(client, secret="wrong" * 10)).status == 401
    answer = await client.post(DOOR, json={"members": []}, headers=ada.headers)
    assert answer.status == 401
    assert (await ask(client, *[(str(uuid4()), str(uuid4()))] * 501)).status == 422

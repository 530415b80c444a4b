"""The audit as a chain: whoever changes, takes out or puts in a row is found."""

import asyncio
import csv
import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from auth_service.app import ROLE, SCHEMA
from auth_service.jobs.audit_months import keep_months
from auth_service.operations.audit_chain import Broken, verify
from auth_service.settings import Settings
from people import Client, Person, expect
from servicekit.database import Connection, open_database
from test_inbox import event, tell


@pytest.fixture
async def service(settings: Settings) -> Any:
    """The database as the running service has it."""
    address = str(settings.database_url)
    async with open_database(address, schema=SCHEMA, size=2, role=ROLE) as pool:
        yield pool


async def as_owner(connection: Connection, *statements: str) -> None:
    """What somebody can do who owns the tables, or the server."""
    await connection.execute("SET session_replication_role = replica")
    for statement in statements:
        await connection.execute(statement)
    await connection.execute("RESET session_replication_role")


TAMPERING = {
    "changed": (
        "UPDATE auth.audit_events SET details = '[]' WHERE chain_number = 2 AND project_id IS NULL",
        "number 2. is not as it was written",
    ),
    "moved in time": (
        "UPDATE auth.audit_events SET at = at - interval '1 ms'"
        " WHERE chain_number = 2 AND project_id IS NULL",
        "number 2. is not as it was written",
    ),
    "another actor": (
        "UPDATE auth.audit_events SET actor_id = gen_random_uuid() WHERE project_id IS NOT NULL",
        "is not as it was written",
    ),
    "to another chain": (
        "UPDATE auth.audit_events SET project_id = gen_random_uuid() WHERE chain_number = 2",
        "number 2 is gone|only events are left",
    ),
    "taken out": (
        "DELETE FROM auth.audit_events WHERE chain_number = 2 AND project_id IS NULL",
        "number 2 is gone",
    ),
    "taken from the end": (
        "DELETE FROM auth.audit_events WHERE project_id IS NULL AND chain_number ="
        " (SELECT max(chain_number) FROM auth.audit_events WHERE project_id IS NULL)",
        "at the end",
    ),
    "put in": (
        "INSERT INTO auth.audit_events (id, action, result, details)"
        " VALUES (gen_random_uuid(), 'a.forged', 'success', '{}')",
        "stands in no chain",
    ),
    "put in with a number": (
        "INSERT INTO auth.audit_events (id, action, result, details, chain_number, hash)"
        " VALUES (gen_random_uuid(), 'a.forged', 'success', '{}', 2, sha256('x'))",
        "number 2",
    ),
    "put in beyond the end": (
        "INSERT INTO auth.audit_events (id, action, result, details, chain_number, hash)"
        " VALUES (gen_random_uuid(), 'a.forged', 'success', '{}', 99, sha256('x'))",
        "not theirs",
    ),
    "a shorter head": ("UPDATE auth.audit_chains SET length = length - 1", "end of the chain"),
    "a head taken away": ("DELETE FROM auth.audit_chains", "chain is gone"),
}


@pytest.mark.parametrize("how", TAMPERING)
async def test_what_was_done_to_a_row_is_found(
    person: Person, connection: Connection, service: Any, how: str
) -> None:
    for _ in range(3):
        await expect(200, await person.ask("PATCH", "/auth/me", {"name": "Ada \u2713"}))
    await person.project()
    await verify(service)
    statement, said = TAMPERING[how]

    await as_owner(connection, statement)

    with pytest.raises(Broken, match=said):
        await verify(service)


async def test_twenty_who_write_at_once_keep_the_chains_whole(
    client: Client, person: Person, service: Any, connection: Connection
) -> None:
    projects = [None, *(str(uuid4()) for _ in range(4))]
    told = [event(type="a.told", project_id=projects[n % 5]) for n in range(400)]

    async def one(number: int) -> None:
        mine = told[number * 20 : (number + 1) * 20]
        await expect(204, await tell(client, *mine, *told[:5]))
        await expect(200, await person.ask("PATCH", "/auth/me", {"name": f"Ada {number}"}))

    await asyncio.gather(*(one(number) for number in range(20)))

    found = await verify(service)
    assert found.events == await connection.fetchval("SELECT count(*) FROM auth.audit_events")
    assert found.chains == 5
    assert found.events >= 420


async def test_months_that_are_forgotten_leave_a_chain_that_can_be_verified(
    client: Client, service: Any, connection: Connection
) -> None:
    project = str(uuid4())
    now = datetime.now(UTC)
    for days in (200, 0, 200, 170, 0, 1200, 40, 200):
        at = (now - timedelta(days=days)).isoformat()
        await expect(
            204,
            await tell(
                client,
                event(type="a.told", project_id=project, occurred_at=at),
                event(type="a.told", project_id=None, occurred_at=at),
            ),
        )
    before = await verify(service)
    await keep_months(service, days=0)
    assert await verify(service) == before

    await keep_months(service, days=100)

    after = await verify(service)
    assert after.events < before.events
    await expect(204, await tell(client, event(type="a.told", project_id=project)))
    await verify(service)
    await as_owner(connection, "DELETE FROM auth.audit_forgotten")
    with pytest.raises(Broken, match="gone"):
        await verify(service)


async def test_what_was_there_before_stands_before_the_beginning(
    connection: Connection, service: Any, person: Person
) -> None:
    await as_owner(
        connection,
        "INSERT INTO auth.audit_events (id, at, action, result, details)"
        " SELECT gen_random_uuid(), began_at - interval '1 day', 'a.old', 'success', '{}'"
        " FROM auth.audit_chains",
    )
    await keep_months(service, days=0)
    await verify(service)


async def test_the_service_cannot_touch_the_chains(service: Any) -> None:
    for statement in (
        "UPDATE auth.audit_chains SET length = 0",
        "DELETE FROM auth.audit_chains",
        "INSERT INTO auth.audit_forgotten VALUES (gen_random_uuid(), 1, 2, '')",
        "ALTER TABLE auth.audit_events DISABLE TRIGGER audit_events_chained",
        "SELECT auth.forget_chains('audit_events_default', now())",
    ):
        async with service.acquire() as own:
            with pytest.raises(Exception, match=r"permission denied|must be owner"):
                await own.execute(statement)


async def test_files_have_the_hashes_and_the_command_says_how_it_is(
    admin: Person, settings: Settings, connection: Connection
) -> None:
    path = "/api/v1/admin/audit/export"
    lines = (await (await admin.ask("GET", f"{path}?format=jsonl")).text()).splitlines()
    table = (await (await admin.ask("GET", f"{path}?format=csv")).read()).decode("utf-8-sig")
    stored = {
        str(row["id"]): (row["chain_number"], row["hash"].hex())
        for row in await connection.fetch("SELECT id, chain_number, hash FROM auth.audit_events")
    }
    for row in (json.loads(line) for line in lines):
        assert stored[row["id"]] == (row["chain_number"], row["hash"])
    for row in csv.DictReader(io.StringIO(table, newline="")):
        assert stored[row["id"]] == (int(row["chain_number"]), row["hash"])

    async def command() -> tuple[int, str]:
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "auth_service", "verify-audit"],
            env={"DATABASE_URL": str(settings.database_url), "RUNBENCH_ENV": "dev"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    status, said = await command()
    assert status == 0, said
    assert "The audit is whole" in said
    await as_owner(connection, "UPDATE auth.audit_events SET action = 'a.lie'")
    status, said = await command()
    assert status == 1
    assert "is not as it was written" in said

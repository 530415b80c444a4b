"""The audit as the database keeps it: by month, for as long as was said, and never changed."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from auth_service.app import ROLE, SCHEMA
from auth_service.jobs.audit_months import keep_months
from auth_service.settings import Settings
from people import Client, Person, Register, Start, actions, expect
from servicekit.database import Connection, Database, open_database
from servicekit.migrations import NotMigrated, migrate
from test_inbox import event, tell

MIGRATIONS = Path(__file__).parents[1] / "migrations"
WRITE = """
    INSERT INTO auth.audit_events (id, at, action, result, details)
    VALUES (gen_random_uuid(), $1, 'a.kept', 'success', '{}')
"""


@pytest.fixture
async def service(settings: Settings) -> Any:
    """The database as the running service has it."""
    address = str(settings.database_url)
    async with open_database(address, schema=SCHEMA, size=2, role=ROLE) as pool:
        yield pool


def month(days_ago: int) -> str:
    return f"audit_events_{datetime.now(UTC) - timedelta(days=days_ago):%Y_%m}"


async def _tell(client: Client, one: dict[str, Any]) -> None:
    await expect(204, await tell(client, one))


async def parts(connection: Connection) -> dict[str, int]:
    """Rows of each part of the audit by its name."""
    names = await connection.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits"
        " WHERE inhparent = 'auth.audit_events'::regclass"
    )
    return {
        row["name"].removeprefix("auth."): await connection.fetchval(
            f"SELECT count(*) FROM {row['name']}"  # noqa: S608 - of the catalogue
        )
        for row in names
    }


async def test_rows_from_before_move_to_their_months_and_new_months_are_ready(
    connection: Connection, service: Database
) -> None:
    now = datetime.now(UTC)
    for days in (0, 1, 40, 40, 100, 400):
        await connection.execute(WRITE, now - timedelta(days=days))

    done = await keep_months(service, days=0)

    kept = await parts(connection)
    assert kept["audit_events_default"] == 0
    assert kept[month(0)] >= 1
    assert kept[month(100)] == kept[month(400)] == 1
    assert sum(kept.values()) == 6
    following = now.replace(day=1) + timedelta(days=32)
    assert f"audit_events_{following:%Y_%m}" in kept
    assert done[0] == f"made {month(0)}"
    assert await keep_months(service, days=0) == []
    await connection.execute(WRITE, now)
    assert (await parts(connection))["audit_events_default"] == 0


async def test_months_that_ended_too_long_ago_go_and_that_is_written_down(
    connection: Connection, service: Database
) -> None:
    now = datetime.now(UTC)
    for days in (0, 40, 200, 200, 900):
        await connection.execute(WRITE, now - timedelta(days=days))
    await keep_months(service, days=0)
    await connection.execute(WRITE, now - timedelta(days=1200))

    await keep_months(service, days=100)

    kept = await parts(connection)
    assert month(40) in kept
    assert not {month(200), month(900), month(1200)} & set(kept)
    assert len(await actions(connection, "a.kept")) == 2
    gone = {
        row["target_id"]: row["details"]["events"]
        for row in await actions(connection, "audit.forget")
    }
    assert gone == {month(200): 2, month(900): 1, "audit_events_default": 1}
    with pytest.raises(asyncpg.RaiseError, match="30 days"):
        await keep_months(service, days=29)


async def test_an_event_told_again_stays_one_whichever_part_has_it(
    start: Start, connection: Connection, service: Database
) -> None:
    client = await start()
    old = event(type="a.told", occurred_at="2025-03-01T00:00:00Z")
    new = event(type="a.told", occurred_at=datetime.now(UTC).isoformat())
    await expect(204, await tell(client, old, new))

    await keep_months(service, days=0)
    await expect(204, await tell(client, old, new))

    assert len(await actions(connection, "a.told")) == 2


async def test_who_writes_while_months_are_made_waits_and_loses_nothing(
    start: Start, connection: Connection, service: Database
) -> None:
    client = await start()
    now = datetime.now(UTC)
    for days in range(0, 400, 20):
        await connection.execute(WRITE, now - timedelta(days=days))
    told = [
        event(type="a.told", occurred_at=(now - timedelta(days=days)).isoformat())
        for days in range(0, 400, 10)
    ]

    await asyncio.gather(
        keep_months(service, days=0),
        *(_tell(client, one) for one in told),
    )

    assert len(await actions(connection, "a.told")) == len(told)
    assert len(await actions(connection, "a.kept")) == 20


async def test_one_who_reads_for_long_puts_upkeep_off_and_stops_nobody(
    person: Person, connection: Connection, service: Database
) -> None:
    await connection.execute(WRITE, datetime.now(UTC) - timedelta(days=400))
    await keep_months(service, days=0)
    async with connection.transaction():
        await connection.fetch("SELECT * FROM auth.audit_events")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await keep_months(service, days=100)

    assert await person.project()
    assert await keep_months(service, days=100) == [f"dropped {month(400)}"]


FORBIDDEN = (
    "UPDATE auth.audit_events SET action = 'x'",
    "DELETE FROM auth.audit_events",
    "TRUNCATE auth.audit_events",
    "UPDATE auth.{part} SET action = 'x'",
    "DELETE FROM auth.{part}",
    "TRUNCATE auth.{part}",
    "SELECT * FROM auth.{part}",
    "INSERT INTO auth.{part} SELECT * FROM auth.audit_events",
    "DROP TABLE auth.{part}",
    "DROP TABLE auth.audit_events",
    "ALTER TABLE auth.audit_events DETACH PARTITION auth.{part}",
    "ALTER TABLE auth.audit_events DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_events_append_only ON auth.audit_events",
    "CREATE OR REPLACE FUNCTION auth.refuse_change() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NULL; END'",
    "SELECT auth.make_audit_month('2020-01-01')",
    "CALL auth.grant_rights()",
    "CREATE TABLE auth.mine (id integer)",
    "INSERT INTO auth.schema_migrations (name, checksum) VALUES ('x', 'x')",
    "SET session_replication_role = replica",
)


async def test_the_service_cannot_change_what_it_wrote(
    person: Person, connection: Connection, service: Database
) -> None:
    await keep_months(service, days=0)
    before = await parts(connection)
    for statement in FORBIDDEN:
        for part in (month(0), "audit_events_default"):
            async with service.acquire() as own:
                assert await own.fetchval("SELECT current_user") == ROLE
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await own.execute(statement.format(part=part))
    assert await parts(connection) == before
    assert await actions(connection, "register")


async def test_the_owner_is_held_by_triggers(
    person: Person, connection: Connection, service: Database
) -> None:
    await keep_months(service, days=0)
    for table in ("audit_events", month(0)):
        for statement in (
            "UPDATE auth.{} SET action = 'x'",
            "DELETE FROM auth.{}",
            "TRUNCATE auth.{}",
        ):
            with pytest.raises(asyncpg.RaiseError, match="only ever added"):
                await connection.execute(statement.format(table))
    assert await actions(connection, "register")


async def test_a_user_who_owns_nothing_runs_the_service(
    settings: Settings, connection: Connection, start: Start, register: Register
) -> None:
    """As in production: the owner migrates, the service comes as somebody with the role alone."""
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"CREATE ROLE login_{name} LOGIN PASSWORD 'x' IN ROLE {ROLE}")
    parsed = settings.database_url.hosts()[0]
    address = f"postgresql://login_{name}:x@{parsed['host']}:{parsed['port']}/{name}"

    assert await migrate(address, MIGRATIONS, schema=SCHEMA) == []
    client = await start(database_url=address)

    ada = Person(client, (await register("Ada")).session)
    project = await ada.project()
    assert (await ada.get(f"/api/v1/projects/{project['id']}/audit"))["items"]
    own = await asyncpg.connect(address)
    for statement in (*FORBIDDEN, "SET ROLE postgres"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await own.execute(statement.format(part="audit_events_default"))
    await own.close()
    await connection.execute("DELETE FROM auth.schema_migrations WHERE name LIKE '0002%'")
    with pytest.raises(NotMigrated, match="0002"):
        await migrate(address, MIGRATIONS, schema=SCHEMA)


async def test_an_owner_who_may_not_make_roles_runs_the_service_too(
    settings: Settings, connection: Connection, empty_database_url: str
) -> None:
    """Then the triggers alone hold, until an administrator makes the role."""
    database = empty_database_url.rpartition("/")[2]
    owner = f"owner_{database}"
    await connection.execute(f"CREATE ROLE {owner} LOGIN PASSWORD 'x'")
    await connection.execute(f"ALTER DATABASE {database} OWNER TO {owner}")
    parsed = settings.database_url.hosts()[0]
    address = f"postgresql://{owner}:x@{parsed['host']}:{parsed['port']}/{database}"

    assert "0002_audit_by_month.sql" in await migrate(address, MIGRATIONS, schema=SCHEMA)
    unknown = open_database(address, schema=SCHEMA, size=1, role=f"other_{database}")
    async with unknown as pool, pool.acquire() as own:
        assert await own.fetchval("SELECT current_user") == owner
        await own.execute(WRITE, datetime.now(UTC))
        with pytest.raises(asyncpg.RaiseError, match="only ever added"):
            await own.execute("DELETE FROM auth.audit_events")

    await connection.execute(f"GRANT {ROLE} TO {owner}")
    await migrate(address, MIGRATIONS, schema=SCHEMA)
    known = open_database(address, schema=SCHEMA, size=1, role=ROLE)
    async with known as pool, pool.acquire() as own:
        assert await own.fetchval("SELECT current_user") == ROLE


@pytest.mark.parametrize("days", [1, 29, -1])
def test_the_audit_is_kept_for_a_month_at_least(settings: Settings, days: int) -> None:
    with pytest.raises(ValueError, match=r"30 or more|greater than or equal to 0"):
        Settings.model_validate(settings.model_dump() | {"audit_retention_days": days})

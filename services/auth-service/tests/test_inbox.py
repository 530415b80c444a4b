"""What other services tell the audit trail."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import structlog
from auth_service.settings import Settings
from people import SERVICE_SECRET, Client, Person, Start, actions, expect, problem
from pydantic import ValidationError
from servicekit.database import Connection
from servicekit.ids import uuid7

DOOR = "/internal/events"


def event(**changes: Any) -> dict[str, Any]:
    """What a service tells of a run that has ended."""
    return {
        "id": str(uuid7()),
        "type": "run.succeeded",
        "version": 1,
        "project_id": str(uuid4()),
        "subject": {"kind": "run", "id": str(uuid4()), "name": "brave-otter"},
        "actor": {"kind": "user", "id": str(uuid4()), "name": "Ada"},
        "occurred_at": "2026-11-20T10:00:00.123456Z",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "address": "192.0.2.7",
        "data": {"status": "succeeded"},
    } | changes


async def tell(client: Client, *events: Any, secret: str = SERVICE_SECRET) -> Any:
    return await client.post(
        DOOR, json={"events": list(events)}, headers={"Authorization": f"Bearer {secret}"}
    )


async def test_an_event_becomes_a_row_and_a_repeat_changes_nothing(
    client: Client, connection: Connection
) -> None:
    first, second = event(), event(type="run.failed", address="2001:db8::7")

    await expect(204, await tell(client, first))
    await expect(204, await tell(client, first | {"type": "run.forged"}, second))
    await expect(204, await tell(client, first, second, second))

    (row,) = await actions(connection, "run.succeeded")
    assert str(row["id"]) == first["id"]
    assert row["at"] == datetime.fromisoformat(first["occurred_at"])
    assert str(row["project_id"]) == first["project_id"]
    assert (row["target_type"], row["target_id"]) == ("run", first["subject"]["id"])
    assert (str(row["actor_id"]), row["actor_name"]) == (first["actor"]["id"], "Ada")
    assert str(row["address"]) == "192.0.2.7"
    assert row["trace_id"] == first["trace_id"]
    assert row["result"] == "success"
    assert row["details"]["subject_name"] == "brave-otter"
    assert row["details"]["data"] == {"status": "succeeded"}
    assert len(await actions(connection, "run.failed")) == 1
    assert not await actions(connection, "run.forged")


async def test_who_did_it_may_be_a_program_a_sensor_or_nobody(
    client: Client, person: Person, connection: Connection
) -> None:
    token = str(uuid4())
    told = [
        event(type="a.told", actor={"kind": "token", "id": person.id, "token_id": token}),
        event(type="a.told", actor={"kind": "sensor", "id": str(uuid4()), "name": "TC-1"}),
        event(type="a.told", actor={"kind": "system"}, address=None, project_id=None),
        event(type="a.told", actor=None, trace_id=None),
    ]

    await expect(204, await tell(client, *told))

    rows = {str(row["id"]): row for row in await actions(connection, "a.told")}
    program, sensor, system, nobody = (rows[one["id"]] for one in told)
    assert program["actor_name"] == person.session["user"]["name"]
    assert program["details"]["token_id"] == token
    assert sensor["actor_name"] == "TC-1"
    assert (system["actor_id"], system["address"], system["project_id"]) == (None, None, None)
    assert nobody["actor_id"] is None


@pytest.mark.parametrize(
    "secret", ["", "x", SERVICE_SECRET[:-1], SERVICE_SECRET + "x", "\u00e9" * 40]
)
async def test_who_does_not_know_the_secret_tells_nothing(
    client: Client, connection: Connection, secret: str
) -> None:
    with structlog.testing.capture_logs() as logs:
        await problem(await tell(client, event(), secret=secret), 401, "unauthenticated")

    assert not await actions(connection, "run.succeeded")
    assert SERVICE_SECRET not in repr(logs)


async def test_a_person_is_no_service_and_no_secret_is_a_shut_door(
    admin: Person, start: Start
) -> None:
    refused = await admin.ask("POST", DOOR, {"events": [event()]})
    await problem(refused, 401, "unauthenticated")

    shut = await start(service_secret="")
    await problem(await tell(shut, event()), 404, "not-found")
    await problem(await tell(shut, event(), secret=""), 404, "not-found")


async def test_a_secret_is_rotated_by_two_values(start: Start) -> None:
    other = "another secret that is as long as the first"
    client = await start(service_secret=f"{other}, {SERVICE_SECRET}")

    for secret in (SERVICE_SECRET, other):
        await expect(204, await tell(client, event(), secret=secret))
    await problem(
        await tell(client, event(), secret=f"{other}, {SERVICE_SECRET}"), 401, "unauthenticated"
    )


@pytest.mark.parametrize(
    "secret", ["short", f"{SERVICE_SECRET},short", f"{'a' * 32},{'b' * 32},{'c' * 32}"]
)
def test_a_weak_secret_stops_the_start(secret: str) -> None:
    with pytest.raises(ValidationError, match="SERVICE_SECRET"):
        Settings(database_url="postgresql://localhost/x", runbench_env="dev", service_secret=secret)  # pyright: ignore[reportArgumentType]


LATER = datetime.now(UTC) + timedelta(days=2)
BAD: list[tuple[dict[str, Any], str]] = [
    ({"id": "x"}, "/id"),
    ({"type": 1}, "/type"),
    ({"subject": {"kind": "run"}}, "/subject/id"),
    ({"actor": {"kind": "ghost"}}, "/actor/kind"),
    ({"occurred_at": "2026-11-20T10:00:00"}, "/occurred_at"),
    ({"occurred_at": LATER.isoformat()}, "/occurred_at"),
    ({"address": "somewhere"}, "/address"),
]


@pytest.mark.parametrize(("changes", "pointer"), BAD, ids=lambda one: str(one)[:40])
async def test_a_bad_event_is_named_and_nothing_of_its_batch_is_kept(
    client: Client, connection: Connection, changes: dict[str, Any], pointer: str
) -> None:
    refused = await problem(await tell(client, event(), event(**changes)), 422, "invalid")

    assert [error["pointer"] for error in refused["errors"]] == [f"#/events/1{pointer}"]
    assert not await actions(connection, "run.succeeded")


async def test_a_batch_has_bounds(client: Client, connection: Connection) -> None:
    await problem(await tell(client), 422, "invalid")
    many = [event() for _ in range(501)]
    await problem(await tell(client, *many), 422, "invalid")
    await expect(204, await tell(client, *many[:500]))
    assert len(await actions(connection, "run.succeeded")) == 500

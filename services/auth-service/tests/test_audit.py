"""The audit as owners and administrators read it: filters, pages, files."""

import csv
import io
import json
from typing import Any

import pytest
from people import PASSWORD, SERVICE_SECRET, Client, Person, Register, actions, expect, problem
from servicekit.database import Connection
from test_inbox import event, tell

ALL = "/api/v1/admin/audit"


async def test_pages_have_no_gaps(admin: Person, register: Register) -> None:
    ada = await register()
    for _ in range(4):
        await ada.project()

    whole = (await admin.get(f"{ALL}?limit=1000"))["items"]
    seen: list[Any] = []
    cursor = ""
    while True:
        page = await admin.get(f"{ALL}?limit=2{cursor}")
        seen += page["items"]
        if not page["next_cursor"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == whole
    assert len(whole) >= 6


async def test_each_filter_leaves_what_fits(
    client: Client, admin: Person, register: Register
) -> None:
    ada = await register("Ada Lovelace")
    project = await ada.project("Wind tunnel")
    token = await ada.token(project)
    bearer = {"Authorization": f"Bearer {token['token']}"}
    await client.request("GET", f"/api/v1/projects/{project['id']}/audit", headers=bearer)
    run = event(project_id=project["id"], data={"reason": "Out of 100 % memory"})
    await expect(204, await tell(client, run, event(type="runner.begin")))

    async def found(query: str) -> list[str]:
        return sorted(one["action"] for one in (await admin.get(f"{ALL}?{query}"))["items"])

    made = "project.create"
    assert await found(f"actor_id={ada.id}&action={made}") == [made]
    assert await found(f"actor_id={ada.id}&action=project.") == [made]
    assert await found(f"actor_id={ada.id}&action=p*") == [made]
    assert await found("action=run.") == ["run.succeeded"]
    assert await found("action=run*") == ["run.succeeded", "runner.begin"]
    assert await found("action=run") == []
    assert await found(f"target_type=run&target_id={run['subject']['id']}") == ["run.succeeded"]
    assert await found(f"target_type=project&target_id={project['id']}") == [made]
    assert await found(f"result=denied&actor_id={ada.id}") == ["access.denied"]
    assert await found("actor_kind=token") == ["access.denied"]
    assert await found("actor_kind=system") == ["signing-key.begin"]
    assert await found("until=2026-11-20T10:00:00.123456Z") == []
    assert await found("until=2026-11-20T10:00:00.123457Z") == ["run.succeeded", "runner.begin"]
    assert await found("since=2026-11-20T10:00:00.123456Z&action=run.") == ["run.succeeded"]
    assert await found("since=2100-01-01T00:00:00Z") == []
    assert await found("q=OUT+OF+100+%25+mem") == ["run.succeeded"]
    assert await found(f"q=lovelace&action={made}") == [made]
    assert await found("q=192.0.2.7") == ["run.succeeded", "runner.begin"]
    assert await found("q=no%20such%20thing") == []

    mine = await ada.get(f"/api/v1/projects/{project['id']}/audit?action=run.")
    (seen,) = mine["items"]
    assert seen["id"] == run["id"]
    assert seen["at"] == run["occurred_at"]
    assert (seen["actor_kind"], seen["actor_name"]) == ("user", "Ada")
    assert seen["address"] == "192.0.2.7"


@pytest.mark.parametrize(
    "query",
    [
        "actor_id=x",
        "limit=0",
        "colour=1",
        "result=fine",
        "since=yesterday",
        "actor_kind=ghost",
        "since=0001-01-01T00:00:00%2B14:00",
        "until=9999-12-31T23:59:59-14:00",
    ],
)
async def test_a_filter_that_is_none_is_refused(admin: Person, query: str) -> None:
    for path in (ALL, f"{ALL}/export"):
        refused = await problem(await admin.ask("GET", f"{path}?{query}"), 422, "invalid")
        assert refused["errors"][0]["parameter"] in query or "limit" in query


async def test_a_program_is_named_by_its_token(
    client: Client, person: Person, connection: Connection
) -> None:
    project = await person.project()
    token = await person.token(project, "owner")
    bearer = {"Authorization": f"Bearer {token['token']}"}

    path = f"/api/v1/projects/{project['id']}"
    changed = await client.patch(path, json={"name": "New"}, headers=bearer)

    await expect(200, changed)
    (row,) = await actions(connection, "project.change")
    assert (str(row["actor_id"]), row["actor_kind"]) == (person.id, "token")
    assert row["details"]["token_id"] == token["id"]
    (made,) = await actions(connection, "project.create")
    assert made["actor_kind"] == "user"


async def test_the_trace_of_a_request_leads_to_its_event(
    client: Client, connection: Connection
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    body = {"email": "ada@example.com", "password": PASSWORD, "name": "Ada"}
    await client.post(
        "/auth/register", json=body, headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    )

    (event,) = await actions(connection, "register")
    assert event["trace_id"] == trace


async def test_a_file_has_what_the_list_has_and_taking_it_is_an_event(
    client: Client, admin: Person, register: Register, connection: Connection
) -> None:
    ada, eve = await register("Ada"), await register("Eve")
    project = await ada.project()
    await ada.give(project, eve, "editor")
    path = f"/api/v1/projects/{project['id']}/audit"
    listed = (await ada.get(path))["items"]

    lines = await ada.ask("GET", f"{path}/export?format=jsonl")
    table = await ada.ask("GET", f"{path}/export?action=member.")

    assert [json.loads(line) for line in (await lines.text()).splitlines()] == listed
    assert lines.headers["Content-Type"] == "application/jsonl"
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert table.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(io.StringIO((await table.read()).decode("utf-8-sig"))))
    assert [row["action"] for row in rows] == ["member.set"]
    assert json.loads(rows[0]["details"]) == listed[0]["details"]
    taken = await actions(connection, "audit.export")
    assert [row["details"] for row in taken] == [
        {"format": "jsonl", "filter": {}},
        {"format": "csv", "filter": {"action": "member."}},
    ]
    assert {str(row["project_id"]) for row in taken} == {project["id"]}
    await problem(await eve.ask("GET", f"{path}/export"), 403, "forbidden")
    await problem(await ada.ask("GET", f"{ALL}/export"), 403, "forbidden")
    await problem(await admin.ask("GET", f"{path}/export"), 404, "not-found")
    whole = await (await admin.ask("GET", f"{ALL}/export?format=jsonl")).text()
    assert len(whole.splitlines()) > len(listed)


async def test_a_spreadsheet_finds_no_formula_in_a_file(client: Client, admin: Person) -> None:
    evil = ["=1+1", "+cmd", "-2", "@SUM(A1)", "\t=1+1", " =1", 'a","b\n=2']
    told = [
        event(type="a.told", actor={"kind": "user", "name": name}, subject=subject)
        for name in evil
        for subject in [{"kind": name, "id": "00000000-0000-0000-0000-000000000001"}]
    ]
    await expect(204, await tell(client, *told))

    text = (await (await admin.ask("GET", f"{ALL}/export?action=a.told")).read()).decode(
        "utf-8-sig"
    )

    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == len(evil)
    assert all(
        not cell.lstrip().startswith(("=", "+", "-", "@")) for r in rows for cell in r.values()
    )
    assert {row["actor_name"].removeprefix("'") for row in rows} == set(evil)


async def test_a_long_file_is_whole_across_its_parts(client: Client, admin: Person) -> None:
    told = [event(type="a.told") for _ in range(2100)]
    for first in range(0, len(told), 500):
        await expect(204, await tell(client, *told[first : first + 500]))

    answer = await admin.ask("GET", f"{ALL}/export?format=jsonl&action=a.told")

    ids = [json.loads(line)["id"] for line in (await answer.text()).splitlines()]
    assert sorted(ids) == sorted(one["id"] for one in told)
    assert SERVICE_SECRET not in await answer.text()

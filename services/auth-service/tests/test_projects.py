"""Projects and who is a member of them."""

import asyncio
from typing import Any
from uuid import uuid4

from people import Person, Register, actions, expect, problem
from servicekit.database import Connection


async def test_whoever_makes_a_project_owns_it(person: Person, connection: Connection) -> None:
    made = await person.ask("POST", "/api/v1/projects", {"name": " Motor rig ", "description": "x"})
    project = await expect(201, made)

    assert made.headers["ETag"] == '"1"'
    assert (project["name"], project["slug"], project["role"]) == (
        "Motor rig",
        "motor-rig",
        "owner",
    )
    assert (project["member_count"], project["version"]) == (1, 1)
    assert project["archived_at"] is None
    assert await person.get(f"/api/v1/projects/{project['id']}") == project
    assert (await person.get("/api/v1/projects"))["items"] == [project]
    (event,) = await actions(connection, "project.create")
    assert (str(event["actor_id"]), str(event["project_id"])) == (person.id, project["id"])


async def test_a_slug_is_made_from_the_name_and_stays_its_own(person: Person) -> None:
    slugs = [
        (await person.project(name))["slug"]
        for name in ("Démo Größe", "demo große", "Проект", "x" * 100, "x" * 100, "a--b_c!")
    ]

    assert slugs == ["demo-grosse", "demo-grosse-2", "project", "x" * 60, "x" * 54 + "-2", "a-b-c"]


async def test_projects_of_one_name_made_at_once_each_get_a_slug(person: Person) -> None:
    made = await asyncio.gather(*(person.project("Rig") for _ in range(10)))

    assert len({project["slug"] for project in made}) == 10


async def test_a_slug_that_was_asked_for_is_taken_once(register: Register) -> None:
    ada, eve = await register(), await register()
    body = {"name": "Rig", "slug": "rig"}
    await expect(201, await ada.ask("POST", "/api/v1/projects", body))

    await problem(await eve.ask("POST", "/api/v1/projects", body), 409, "project-slug-taken")
    other = await eve.project("Other")
    taken = await eve.ask("PATCH", f"/api/v1/projects/{other['id']}", {"slug": "rig"})
    await problem(taken, 409, "project-slug-taken")


async def test_a_bad_project_is_refused_with_every_mistake(person: Person) -> None:
    for body, pointers in (
        ({}, {"#/name"}),
        ({"name": ""}, {"#/name"}),
        ({"name": "   "}, {"#/name"}),
        ({"name": "x" * 201}, {"#/name"}),
        ({"name": "a\tb"}, {"#/name"}),
        ({"name": "a\u0000b"}, {"#/name"}),
        ({"name": None}, {"#/name"}),
        ({"name": 5}, {"#/name"}),
        ({"name": ["a"]}, {"#/name"}),
        ({"name": "a", "slug": "A b"}, {"#/slug"}),
        ({"name": "a", "slug": "-a"}, {"#/slug"}),
        ({"name": "a", "slug": "a--b"}, {"#/slug"}),
        ({"name": "a", "slug": "x" * 61}, {"#/slug"}),
        ({"name": "a", "slug": "a\n"}, set[str]()),
        ({"name": "a", "description": "x" * 10_001}, {"#/description"}),
        (
            {"name": "", "slug": "-", "role": "owner", "id": "1"},
            {"#/name", "#/slug", "#/role", "#/id"},
        ),
    ):
        response = await person.ask("POST", "/api/v1/projects", body)
        if pointers:
            document = await problem(response, 422, "invalid")
            assert {error["pointer"] for error in document["errors"]} == pointers
        else:
            await expect(201, response)


async def test_a_repeated_request_with_its_key_makes_one_project(
    person: Person, register: Register
) -> None:
    async def make(who: Person, name: str = "Rig"):
        body = {"name": name}
        return await who.ask("POST", "/api/v1/projects", body, Idempotency_Key="k1")

    first = await expect(201, await make(person))
    again = await make(person)
    assert await expect(201, again) == first
    assert again.headers["Idempotent-Replayed"] == "true"
    await problem(await make(person, "Other"), 422, "idempotency-key-reused")
    assert len((await person.get("/api/v1/projects"))["items"]) == 1

    eve = await register()
    assert (await expect(201, await make(eve)))["id"] != first["id"]


async def test_projects_are_found_by_slug_text_and_state(person: Person) -> None:
    names = ["beta", "Alpha", "gamma rig", "Delta"]
    projects = {name: await person.project(name) for name in names}
    gamma = projects["gamma rig"]
    await expect(204, await person.ask("DELETE", f"/api/v1/projects/{gamma['id']}"))

    async def found(query: str) -> list[str]:
        return [p["name"] for p in (await person.get(f"/api/v1/projects?{query}"))["items"]]

    assert await found("") == ["Alpha", "beta", "Delta"]
    assert await found("sort=-created_at") == ["Delta", "Alpha", "beta"]
    assert await found("archived=true") == ["gamma rig"]
    assert await found("archived=all&sort=name") == ["Alpha", "beta", "Delta", "gamma rig"]
    assert await found("slug=gamma-rig") == []
    assert await found("slug=gamma-rig&archived=all") == ["gamma rig"]
    assert await found("q=ALP") == ["Alpha"]
    assert await found("q=%25") == []
    for query in ("sort=version", "archived=yes", "limit=0", "limit=1001", "limit=x", "colour=1"):
        response = await person.ask("GET", f"/api/v1/projects?{query}")
        document = await problem(response, 422, "invalid")
        assert document["errors"][0]["parameter"] == query.partition("=")[0]


async def test_projects_come_in_pages_in_both_orders(person: Person) -> None:
    for name in ("b", "A", "a", "C", "B"):
        await person.project(name)
    for sort in ("name", "-created_at"):
        whole = (await person.get(f"/api/v1/projects?sort={sort}"))["items"]
        seen: list[Any] = []
        path = f"/api/v1/projects?sort={sort}&limit=2"
        cursor = ""
        while True:
            page = await person.get(path + cursor)
            seen += page["items"]
            if not page["next_cursor"]:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert seen == whole
        assert len(seen) == 5
    first = await person.get("/api/v1/projects?sort=name&limit=1")
    for cursor in (
        first["next_cursor"] + "A",
        first["next_cursor"][4:],
        "x",
        "eyJzb3J0IjoibmFtZSJ9",
    ):
        response = await person.ask("GET", f"/api/v1/projects?sort=name&cursor={cursor}")
        assert response.status == 400, await response.text()
    response = await person.ask(
        "GET", f"/api/v1/projects?sort=-created_at&cursor={first['next_cursor']}"
    )
    await problem(response, 400, "invalid-cursor")


async def test_a_change_needs_the_version_it_is_based_on(person: Person) -> None:
    project = await person.project()
    path = f"/api/v1/projects/{project['id']}"

    first = await person.ask("PATCH", path, {"name": "One"}, If_Match='"1"')
    assert (await expect(200, first))["version"] == 2
    assert first.headers["ETag"] == '"2"'
    second = await person.ask("PATCH", path, {"name": "Two"}, If_Match='"1"')
    await problem(second, 412, "precondition-failed")
    await problem(await person.ask("PATCH", path, {"name": "x"}, If_Match="1"), 400, "malformed")
    same = await expect(200, await person.ask("PATCH", path, {"name": "One"}, If_Match='"2"'))
    assert same["version"] == 2
    assert (await person.get(path))["name"] == "One"

    responses = await asyncio.gather(
        *(person.ask("PATCH", path, {"name": f"n{n}"}, If_Match='"2"') for n in range(10))
    )
    assert sorted(response.status for response in responses) == [200] + [412] * 9


async def test_null_clears_what_can_be_cleared(person: Person) -> None:
    project = await person.project()
    path = f"/api/v1/projects/{project['id']}"
    await expect(200, await person.ask("PATCH", path, {"description": "text"}))

    changed = await expect(200, await person.ask("PATCH", path, {"description": None}))

    assert changed["description"] == ""
    for body in ({"name": None}, {"slug": None}, {"role": "owner"}, {"archived_at": None}):
        await problem(await person.ask("PATCH", path, body), 422, "invalid")


async def test_an_archived_project_is_read_and_not_changed_until_it_is_restored(
    register: Register, connection: Connection
) -> None:
    ada, eve = await register(), await register()
    project = await ada.project()
    path = f"/api/v1/projects/{project['id']}"

    await expect(204, await ada.ask("DELETE", path))

    archived = await ada.get(path)
    assert archived["archived_at"]
    assert archived["version"] == 2
    assert (await ada.get(f"{path}/access"))["archived"] is True
    for method, sub, body in (
        ("PATCH", "", {"name": "x"}),
        ("DELETE", "", None),
        ("PUT", f"/members/{eve.id}", {"role": "viewer"}),
        ("POST", "/tokens", {"name": "x", "role": "viewer"}),
    ):
        await problem(await ada.ask(method, path + sub, body), 409, "project-archived")
    restored = await expect(200, await ada.ask("POST", f"{path}/restore"))
    assert restored["archived_at"] is None
    again = await expect(200, await ada.ask("POST", f"{path}/restore"))
    assert again["version"] == restored["version"] == 3
    await ada.give(project, eve, "viewer")
    assert len(await actions(connection, "project.archive")) == 1
    assert len(await actions(connection, "project.restore")) == 1


async def test_outsiders_see_nothing_that_a_missing_project_would_not_show(
    register: Register,
) -> None:
    ada, eve = await register(), await register()
    project = await ada.project()
    answers: list[tuple[int, dict[str, Any]]] = []
    for project_id in (project["id"], str(uuid4())):
        for sub in ("", "/access", "/members", "/tokens", "/audit"):
            response = await eve.ask("GET", f"/api/v1/projects/{project_id}{sub}")
            document = await problem(response, 404, "not-found")
            document.pop("trace_id")
            answers.append((response.status, document))
    assert len({str(answer) for answer in answers}) == 1
    assert (await eve.get("/api/v1/projects"))["items"] == []


async def test_members_are_listed_by_name_with_their_roles(register: Register) -> None:
    ada, zoe, bob = await register("ada"), await register("Zoe"), await register("Bob")
    project = await ada.project()
    await ada.give(project, zoe, "viewer")
    await ada.give(project, bob, "editor")

    members = (await zoe.get(f"/api/v1/projects/{project['id']}/members"))["items"]

    assert [(m["name"], m["role"]) for m in members] == [
        ("ada", "owner"),
        ("Bob", "editor"),
        ("Zoe", "viewer"),
    ]
    assert members[1].keys() == {"user_id", "name", "email", "role", "added_at"}
    assert (await zoe.get(f"/api/v1/projects/{project['id']}"))["member_count"] == 3
    assert (await zoe.get(f"/api/v1/projects/{project['id']}/access")) == {
        "project_id": project["id"],
        "slug": project["slug"],
        "user_id": zoe.id,
        "role": "viewer",
        "archived": False,
    }
    page = await zoe.get(f"/api/v1/projects/{project['id']}/members?limit=2")
    rest = await zoe.get(
        f"/api/v1/projects/{project['id']}/members?limit=2&cursor={page['next_cursor']}"
    )
    assert page["items"] + rest["items"] == members


async def test_nobody_grants_more_than_they_may(register: Register, connection: Connection) -> None:
    ada, ed, vi, eve = [await register() for _ in range(4)]
    project = await ada.project()
    await ada.give(project, ed, "editor")
    await ada.give(project, vi, "viewer")
    members = f"/api/v1/projects/{project['id']}/members"

    for who in (ed, vi):
        for target in (who, eve, ada):
            response = await who.ask("PUT", f"{members}/{target.id}", {"role": "owner"})
            await problem(response, 403, "forbidden")
        await problem(await who.ask("DELETE", f"{members}/{ada.id}"), 403, "forbidden")
    await problem(await eve.ask("PUT", f"{members}/{eve.id}", {"role": "viewer"}), 404, "not-found")
    for role in ("admin", "Owner", "", None, 1):
        await problem(await ada.ask("PUT", f"{members}/{eve.id}", {"role": role}), 422, "invalid")
    await problem(
        await ada.ask("PUT", f"{members}/{uuid4()}", {"role": "viewer"}), 404, "user-not-found"
    )
    denied = await actions(connection, "access.denied")
    assert len(denied) == 8
    assert {str(event["project_id"]) for event in denied} == {project["id"]}
    assert {event["result"] for event in denied} == {"denied"}


async def test_the_last_owner_stays(register: Register, connection: Connection) -> None:
    ada, eve = await register(), await register()
    project = await ada.project()
    own = f"/api/v1/projects/{project['id']}/members/{ada.id}"

    await problem(await ada.ask("PUT", own, {"role": "editor"}), 409, "last-owner")
    await problem(await ada.ask("DELETE", own), 409, "last-owner")
    await ada.give(project, eve, "owner")
    await connection.execute("UPDATE auth.users SET deactivated_at = now() WHERE id = $1", eve.id)
    await problem(await ada.ask("DELETE", own), 409, "last-owner")
    await connection.execute("UPDATE auth.users SET deactivated_at = NULL")
    await expect(204, await ada.ask("DELETE", own))

    assert (await ada.ask("GET", f"/api/v1/projects/{project['id']}")).status == 404
    assert (await eve.get(f"/api/v1/projects/{project['id']}"))["role"] == "owner"


async def test_owners_who_leave_at_once_leave_one_behind(
    register: Register, connection: Connection
) -> None:
    people = [await register() for _ in range(6)]
    project = await people[0].project()
    for other in people[1:]:
        await people[0].give(project, other, "owner")
    path = f"/api/v1/projects/{project['id']}/members"

    responses = await asyncio.gather(
        *(person.ask("DELETE", f"{path}/{person.id}") for person in people[:3]),
        *(person.ask("PUT", f"{path}/{person.id}", {"role": "viewer"}) for person in people[3:]),
    )

    assert sorted(response.status for response in responses) == [200, 200, 204, 204, 204, 409] or (
        sorted(response.status for response in responses) == [200, 200, 200, 204, 204, 409]
    )
    owners = await connection.fetchval(
        "SELECT count(*) FROM auth.members WHERE project_id = $1 AND role = 'owner'", project["id"]
    )
    assert owners == 1


async def test_two_owners_who_remove_each_other_do_not_both_succeed(
    register: Register, connection: Connection
) -> None:
    ada, eve = await register(), await register()
    project = await ada.project()
    await ada.give(project, eve, "owner")
    path = f"/api/v1/projects/{project['id']}/members"

    responses = await asyncio.gather(
        ada.ask("DELETE", f"{path}/{eve.id}"), eve.ask("DELETE", f"{path}/{ada.id}")
    )

    statuses = [response.status for response in responses]
    assert statuses.count(204) == 1
    assert set(statuses) <= {204, 403, 404}
    assert await connection.fetchval("SELECT count(*) FROM auth.members") == 1


async def test_a_member_leaves_by_themselves_even_when_the_project_is_archived(
    register: Register, connection: Connection
) -> None:
    ada, vi, ed = [await register() for _ in range(3)]
    project = await ada.project()
    await ada.give(project, vi, "viewer")
    await ada.give(project, ed, "editor")
    path = f"/api/v1/projects/{project['id']}"
    await expect(204, await ada.ask("DELETE", path))

    await expect(204, await vi.ask("DELETE", f"{path}/members/{vi.id}"))

    await problem(await vi.ask("GET", path), 404, "not-found")
    await problem(await ada.ask("DELETE", f"{path}/members/{ed.id}"), 409, "project-archived")
    await expect(200, await ada.ask("POST", f"{path}/restore"))
    await expect(204, await ada.ask("DELETE", f"{path}/members/{ed.id}"))
    await problem(await ada.ask("DELETE", f"{path}/members/{ed.id}"), 404, "member-not-found")
    assert len(await actions(connection, "member.remove")) == 2


async def test_a_deactivated_person_cannot_become_a_member(
    register: Register, connection: Connection
) -> None:
    ada, eve = await register(), await register()
    project = await ada.project()
    await connection.execute("UPDATE auth.users SET deactivated_at = now() WHERE id = $1", eve.id)

    path = f"/api/v1/projects/{project['id']}/members/{eve.id}"
    await problem(await ada.ask("PUT", path, {"role": "viewer"}), 409, "user-deactivated")


async def test_an_owner_reads_the_projects_audit_and_nobody_else_does(register: Register) -> None:
    ada, ed = await register("Ada"), await register("Ed")
    project, other = await ada.project("One"), await ada.project("Two")
    await ada.give(project, ed, "editor")
    path = f"/api/v1/projects/{project['id']}/audit"

    page = await ada.get(path)

    assert [event["action"] for event in page["items"]] == ["member.set", "project.create"]
    assert page["items"][0] | {"id": "", "at": "", "trace_id": "", "hash": ""} == {
        "id": "",
        "at": "",
        "action": "member.set",
        "actor_kind": "user",
        "actor_id": ada.id,
        "actor_name": "Ada",
        "project_id": project["id"],
        "target_type": "user",
        "target_id": ed.id,
        "address": "127.0.0.1",
        "result": "success",
        "details": {"role": "editor", "before": None},
        "trace_id": "",
        "chain_number": 2,
        "hash": "",
    }
    await problem(await ed.ask("GET", path), 403, "forbidden")
    assert (await ada.get(f"{path}?action=project.create"))["items"][0] == page["items"][1]
    first = await ada.get(f"{path}?limit=1")
    rest = await ada.get(f"{path}?limit=10&cursor={first['next_cursor']}")
    assert [e["action"] for e in rest["items"]][-1] == "project.create"
    assert len((await ada.get(f"/api/v1/projects/{other['id']}/audit"))["items"]) == 1


async def test_people_are_found_by_the_beginning_of_a_name_or_address(
    register: Register, connection: Connection
) -> None:
    ada = await register("Ada Lovelace", email="countess@example.com")
    grace = await register("Grace Hopper", email="grace@navy.example")
    gone = await register("Adam Gone")
    await connection.execute("UPDATE auth.users SET deactivated_at = now() WHERE id = $1", gone.id)

    async def found(query: str) -> list[str]:
        return [p["name"] for p in (await ada.get(f"/api/v1/users?q={query}"))["items"]]

    assert await found("AD") == ["Ada Lovelace"]
    assert await found("love") == ["Ada Lovelace"]
    assert await found("countess@") == ["Ada Lovelace"]
    assert await found("GRACE@n") == ["Grace Hopper"]
    assert await found("ovelace") == []
    assert await found("%25%25") == []
    assert (await ada.get("/api/v1/users?q=gr"))["items"] == [
        {"id": grace.id, "name": "Grace Hopper", "email": "grace@navy.example"}
    ]
    for query in ("", "q=a", "q=ab&limit=0", "q=ab&q=cd", "q=%00%00"):
        assert (await ada.ask("GET", f"/api/v1/users?{query}")).status == 422

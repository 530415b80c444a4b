"""Saved views: personal ones are their author's alone, shared ones every editor's."""

import asyncio

import pytest
from experiment_api import as_

STATE = {"columns": ["name"], "filter": "params.a = 1"}


@pytest.fixture
def views(api) -> str:
    return f"{api.project}/views"


async def save(api, views, name="Mine", *, as_who="editor", status=201, **more):
    body = {"name": name, "state": STATE, **more}
    return await api.post(views, body, status=status, headers=as_(as_who))


async def names(api, views, who) -> list[str]:
    page = await api.get(views, headers=as_(who))
    return [view["name"] for view in page["items"]]


async def test_a_personal_view_is_its_authors_alone(api, views) -> None:
    view = await save(api, views, as_who="viewer")
    path = f"/api/v1/views/{view['id']}"

    assert view["state"] == STATE
    assert (await api.get(path, headers=as_("viewer")))["name"] == "Mine"
    for somebody in ("editor", "owner", "outsider"):
        await api.get(path, status=404, headers=as_(somebody))
        await api.patch(path, {"name": "x"}, status=404, headers=as_(somebody))
        await api.ask("DELETE", path, status=404, headers=as_(somebody))
    assert await names(api, views, "owner") == []
    assert await names(api, views, "viewer") == ["Mine"]


async def test_a_shared_view_is_seen_by_all_and_changed_by_editors(api, views) -> None:
    await save(api, views, as_who="viewer", visibility="shared", status=403)
    view = await save(api, views, "Ours", visibility="shared")
    path = f"/api/v1/views/{view['id']}"

    assert await names(api, views, "viewer") == ["Ours"]
    await api.patch(path, {"name": "x"}, status=403, headers=as_("viewer"))
    await api.ask("DELETE", path, status=403, headers=as_("viewer"))
    changed = await api.patch(path, {"state": {"a": 1}}, headers=as_("owner"))
    assert (changed["state"], changed["version"]) == ({"a": 1}, 2)
    problem = await api.patch(path, {"visibility": "personal"}, status=403, headers=as_("owner"))
    assert "author" in problem["detail"]
    await api.ask("DELETE", path, status=204, headers=as_("owner"))
    await api.get(path, status=404)


async def test_names_are_told_apart_without_regard_to_case(api, views) -> None:
    await save(api, views, "Loss")
    await save(api, views, "LOSS", status=409)
    await save(api, views, "loss", as_who="owner")
    await save(api, views, "loss", visibility="shared")
    problem = await save(api, views, "lOSS", visibility="shared", status=409)
    assert problem["type"] == "/problems/view-name-taken"
    own = await save(api, views, "another")
    await api.patch(f"/api/v1/views/{own['id']}", {"visibility": "shared", "name": "loss"},
                    status=409)  # fmt: skip
    shared = await api.patch(f"/api/v1/views/{own['id']}", {"visibility": "shared"})
    assert shared["visibility"] == "shared"


async def test_one_view_is_the_default_of_each_reach(api, views) -> None:
    first = await save(api, views, "a", is_default=True)
    second = await save(api, views, "b", is_default=True)
    shared = await save(api, views, "c", visibility="shared", is_default=True)

    async def defaults() -> set[str]:
        page = await api.get(views)
        return {view["name"] for view in page["items"] if view["is_default"]}

    assert await defaults() == {"b", "c"}
    await api.patch(f"/api/v1/views/{first['id']}", {"is_default": True})
    assert await defaults() == {"a", "c"}
    await api.patch(f"/api/v1/views/{shared['id']}", {"is_default": False})
    assert await defaults() == {"a"}
    answers = await asyncio.gather(
        *(api.patch(f"/api/v1/views/{view['id']}", {"is_default": True})
          for view in [first, second] * 4)
    )  # fmt: skip
    assert len(answers) == 8
    assert len(await defaults()) == 1


async def test_who_changed_it_meanwhile_is_not_overwritten(api, views) -> None:
    view = await save(api, views)
    path = f"/api/v1/views/{view['id']}"

    await api.patch(path, {"name": "new"}, headers={"If-Match": '"1"'})
    await api.patch(path, {"name": "newer"}, status=412, headers={"If-Match": '"1"'})


async def test_views_come_in_pages_by_name(api, views) -> None:
    for name in ("b", "A", "c", "É"):
        await save(api, views, name)

    assert await api.names(views) == ["A", "b", "c", "É"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "state": {}},
        {"name": "x" * 201, "state": {}},
        {"name": "a\0", "state": {}},
        {"name": "a"},
        {"name": "a", "state": []},
        {"name": "a", "state": {"x": "y" * 70_000}},
        {"name": "a", "state": {}, "kind": "sensors"},
        {"name": "a", "state": {}, "visibility": "public"},
        {"name": "a", "state": {}, "created_by": "me"},
    ],
)
async def test_what_is_no_view_is_refused(api, views, body) -> None:
    await api.post(views, body, status=422)


async def test_there_are_so_many_views_of_a_person_and_no_more(api, views, connection) -> None:
    await connection.execute(
        """
        INSERT INTO experiment.views (id, project_id, kind, visibility, name, name_key, state,
                                      created_by, created_at, updated_at)
        SELECT gen_random_uuid(), $1::uuid, 'runs', 'personal', 'v' || n, 'v' || n, '{}', $2::uuid,
               now(), now()
        FROM generate_series(1, 199) AS n
        """,
        views.split("/")[-2],
        (await save(api, views))["created_by"],
    )

    await save(api, views, "one more", status=422)
    await save(api, views, "one more", visibility="shared")

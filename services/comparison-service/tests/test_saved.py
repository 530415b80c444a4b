"""Saved comparisons."""

from uuid import uuid4

import pytest
from comparison_api import Api


@pytest.fixture
def path(api: Api) -> str:
    return f"/api/v1/projects/{api.project_id}/comparisons"


async def test_a_screen_is_saved_and_opened_again(api: Api, path: str) -> None:
    view = {"runs": ["a", "b"], "x": "step", "deep": [{"on": True, "n": 2**53}]}
    new = {"title": " Which  is better? ", "notes": "**B**", "view": view}
    saved = await api.ask("POST", path, new, as_="editor", status=201)

    opened = await api.ask("GET", f"/api/v1/comparisons/{saved['id']}")
    assert opened == saved
    assert (opened["title"], opened["view"], opened["version"]) == ("Which  is better?", view, 1)
    listed = await api.ask("GET", path)
    assert listed["items"] == [saved]


async def test_the_list_is_paged_the_newest_first_and_searched_by_title(
    api: Api, path: str
) -> None:
    for n in range(5):
        await api.ask("POST", path, {"title": f"No {n}", "view": {}}, as_="editor", status=201)

    first = await api.ask("GET", f"{path}?limit=3")
    rest = await api.ask("GET", f"{path}?limit=3&cursor={first['next_cursor']}")
    titles = [one["title"] for one in first["items"] + rest["items"]]
    assert titles == ["No 4", "No 3", "No 2", "No 1", "No 0"]
    assert rest["next_cursor"] is None
    assert len((await api.ask("GET", f"{path}?q=nO%203"))["items"]) == 1
    await api.ask("GET", f"{path}?cursor=zzz", status=400)


async def test_of_two_people_who_edit_the_same_the_second_is_told(api: Api, path: str) -> None:
    saved = await api.ask("POST", path, {"title": "T", "view": {}}, as_="editor", status=201)
    one = f"/api/v1/comparisons/{saved['id']}"

    match = {"If-Match": '"1"'}
    changed = await api.ask("PATCH", one, {"title": "U"}, as_="editor", **match)
    assert (changed["title"], changed["version"], changed["notes"]) == ("U", 2, "")
    await api.ask("PATCH", one, {"title": "V"}, as_="owner", status=412, **match)
    assert (await api.ask("PATCH", one, {"notes": None}, as_="editor"))["version"] == 2


async def test_viewers_read_editors_write_and_outsiders_see_nothing(api: Api, path: str) -> None:
    saved = await api.ask("POST", path, {"title": "T", "view": {}}, as_="editor", status=201)
    one = f"/api/v1/comparisons/{saved['id']}"

    await api.ask("GET", one, as_="viewer")
    for method, where, body in (
        ("POST", path, {"title": "T", "view": {}}),
        ("PATCH", one, {"title": "U"}),
        ("DELETE", one, None),
    ):
        await api.ask(method, where, body, as_="viewer", status=403)
        await api.ask(method, where, body, as_="outsider", status=404)
    for where in (path, one):
        await api.ask("GET", where, as_="outsider", status=404)
    await api.ask("DELETE", one, as_="editor", status=204)
    await api.ask("GET", one, status=404)
    await api.ask("GET", f"/api/v1/comparisons/{uuid4()}", status=404)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"view": {}}, "#/title"),
        ({"title": " ", "view": {}}, "#/title"),
        ({"title": "T"}, "#/view"),
        ({"title": "T", "view": {"a": "x" * 70_000}}, "#/view"),
        ({"title": "T", "view": {"a": 2**64}}, "#/view"),
        ({"title": "T", "view": {"a": ["\0"]}}, "#/view/a/0"),
        ({"title": "T", "view": {}, "runs": []}, "#/runs"),
        ({"title": "T", "view": {}, "notes": "\0"}, "#/notes"),
    ],
)
async def test_what_cannot_be_saved_is_named(api: Api, path: str, body: dict, pointer: str) -> None:
    problem = await api.ask("POST", path, body, as_="editor", status=422)
    assert problem["errors"][0]["pointer"] == pointer

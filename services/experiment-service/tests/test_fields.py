"""What runs can be searched by, and the values that there are."""

import pytest


@pytest.fixture
async def shelf(api, experiment):
    for number in range(6):
        await api.run(
            experiment,
            name=f"r{number}",
            params={"opt": "adam" if number % 3 else "sgd", "Lr": 0.1, "text": "7", "on": True},
            tags={"rig": f"A{number % 2}"},
            host=f"h{number % 2}",
        )


async def test_names_are_listed_by_kind(api, shelf) -> None:
    found = await api.get(f"{api.project}/runs/fields")

    named = {(item["kind"], item["key"]): item["type"] for item in found["items"]}
    assert named["param", "opt"] == "text"
    assert named["param", "Lr"] == named["param", "text"] == "number"
    assert named["param", "on"] == "boolean"
    assert named["tag", "rig"] == named["dataset", "name"] == "text"
    assert named["attribute", "created_at"] == "time"


async def test_names_are_found_by_a_part_in_any_case(api, shelf) -> None:
    found = await api.get(f"{api.project}/runs/fields", params={"q": "lR", "kind": "param"})
    assert [item["key"] for item in found["items"]] == ["Lr"]
    few = await api.get(f"{api.project}/runs/fields", params={"kind": "param", "limit": "2"})
    assert [item["key"] for item in few["items"]] == ["Lr", "on"]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("params.opt", [("adam", 4), ("sgd", 2)]),
        ("params.Lr", [(0.1, 6)]),
        ("params.on", [(True, 6)]),
        ("tags.rig", [("A0", 3), ("A1", 3)]),
        ("host", [("h0", 3), ("h1", 3)]),
        ("experiment", [("digits", 6)]),
        ("datasets.name", []),
        ("metrics.loss", []),
        ("created_at", []),
    ],
)
async def test_values_come_with_how_many_runs_have_them(api, shelf, field, values) -> None:
    found = await api.get(f"{api.project}/runs/fields/values", params={"field": field})

    assert [(item["value"], item["count"]) for item in found["items"]] == values


async def test_an_experiment_has_names_and_values_of_its_own(api, shelf) -> None:
    other = await api.experiment("letters")
    await api.run(other, params={"opt": "lion", "depth": 3}, tags={"site": "north"})
    of_other = {"experiment_id": other["id"]}

    found = await api.get(f"{api.project}/runs/fields", params=of_other)
    named = {(item["kind"], item["key"]): item["type"] for item in found["items"]}
    assert [key for kind, key in named if kind == "param"] == ["depth", "opt"]
    assert [key for kind, key in named if kind == "tag"] == ["site"]
    assert named["param", "depth"] == "number"

    for field, values in {
        "params.opt": [("lion", 1)],
        "params.Lr": [],
        "tags.site": [("north", 1)],
        "tags.rig": [],
        "experiment": [("letters", 1)],
        "datasets.name": [],
    }.items():
        found = await api.get(
            f"{api.project}/runs/fields/values", params={"field": field, **of_other}
        )
        assert [(item["value"], item["count"]) for item in found["items"]] == values


async def test_every_status_is_offered(api, shelf) -> None:
    found = await api.get(f"{api.project}/runs/fields/values", params={"field": "status"})
    assert found["items"][0] == {"value": "running", "count": 6}
    assert {item["value"] for item in found["items"]} >= {"failed", "succeeded", "draft"}
    few = {"field": "status", "q": "fail"}
    found = await api.get(f"{api.project}/runs/fields/values", params=few)
    assert [item["value"] for item in found["items"]] == ["failed"]


async def test_a_field_that_is_none_is_refused(api) -> None:
    for field in ("x.y", "nothing", "params.a b"):
        params = {"field": field}
        await api.get(f"{api.project}/runs/fields/values", params=params, status=422)


async def test_nothing_of_another_project_is_listed(api, shelf) -> None:
    headers = {"Authorization": "Bearer outsider"}
    await api.get(f"{api.project}/runs/fields", status=404, headers=headers)

"""Runs in groups: by params, tags and attributes, with figures of their metrics."""

import math

import pytest


@pytest.fixture
async def shelf(api, experiment, connection):
    await connection.execute(
        """
        CREATE SCHEMA metrics;
        CREATE TABLE metrics.values (
            project_id uuid, run_id uuid, key text, value double precision
        );
        CREATE VIEW metrics.latest AS
            SELECT project_id, run_id, key, value, 1::bigint AS step, now() AS time
            FROM metrics.values
        """
    )
    values = [0.1, 0.3, math.nan, math.inf, 7.0]
    made = []
    for number, (opt, rig) in enumerate(
        [("adam", "A"), ("adam", "A"), ("adam", "B"), ("sgd", "A"), (None, "B")]
    ):
        params = {} if opt is None else {"opt": opt, "layers": number % 2}
        run = await api.run(experiment, name=f"r{number}", params=params, tags={"rig": rig})
        await connection.execute(
            "INSERT INTO metrics.values VALUES ($1, $2, 'loss', $3)",
            run["project_id"], run["id"], values[number],
        )  # fmt: skip
        made.append(run)
    return made


async def test_runs_are_grouped_by_a_param_with_figures_of_metrics(api, shelf) -> None:
    body = {"by": ["params.opt"], "metrics": ["loss", "none"]}
    found = await api.post(f"{api.project}/runs/groups", body)

    adam, *others = found["items"]
    assert found["grouped"] == 5
    assert adam["values"] == ["adam"]
    assert adam["count"] == 3
    assert adam["run_ids"] == [run["id"] for run in reversed(shelf[:3])]
    assert adam["metrics"]["loss"] == {
        "count": 2, "mean": pytest.approx(0.2), "std": pytest.approx(0.1414213562),
        "min": 0.1, "max": 0.3,
    }  # fmt: skip
    by_value = {group["values"][0]: group for group in others}
    assert by_value["sgd"]["metrics"] == {}
    assert by_value[None]["metrics"]["loss"]["std"] is None


@pytest.mark.parametrize(
    ("values", "mean", "std"),
    [
        ([1e308, 1e308], 1e308, 0.0),
        ([1e308, -1e308], 0.0, math.sqrt(2) * 1e308),
        ([1.7e308, -1.7e308], 0.0, None),
        ([1e200, 3e200], 2e200, math.sqrt(2) * 1e200),
        ([1e308, 1e-308], 5e307, math.sqrt(0.5) * 1e308),
        ([1e-310, 3e-310], 2e-310, 0.0),
    ],
)
async def test_the_greatest_and_least_numbers_have_figures_too(
    api, shelf, experiment, connection, values, mean, std
) -> None:
    for value in values:
        run = await api.run(experiment, tags={"rig": "huge"})
        await connection.execute(
            "INSERT INTO metrics.values VALUES ($1, $2, 'far', $3)",
            run["project_id"], run["id"], value,
        )  # fmt: skip

    body = {"by": ["tags.rig"], "metrics": ["far"], "filter": "tags.rig = 'huge'"}
    (group,) = (await api.post(f"{api.project}/runs/groups", body))["items"]

    far = group["metrics"]["far"]
    assert far["mean"] == pytest.approx(mean)
    assert far["std"] == (None if std is None else pytest.approx(std))
    assert (far["min"], far["max"]) == (min(values), max(values))


async def test_runs_are_grouped_by_several_fields_and_filtered(api, shelf) -> None:
    body = {"by": ["tags.rig", "params.layers", "status"], "filter": "params.opt = 'adam'"}
    found = await api.post(f"{api.project}/runs/groups", body)

    assert sorted((group["values"], group["count"]) for group in found["items"]) == [
        (["A", 0, "running"], 1),
        (["A", 1, "running"], 1),
        (["B", 0, "running"], 1),
    ]


async def test_only_the_largest_groups_come_where_there_are_many(api, shelf) -> None:
    found = await api.post(f"{api.project}/runs/groups", {"by": ["params.opt"], "limit": 1})

    assert [group["values"] for group in found["items"]] == [["adam"]]


async def test_what_nobody_groups_by_is_refused(api) -> None:
    for by in (["created_at"], ["metrics.loss"], ["x y"], ["params.a desc"], [], ["status"] * 2):
        await api.post(f"{api.project}/runs/groups", {"by": by}, status=422)
    body = {"by": ["status"], "filter": "metrics.loss <"}
    problem = await api.post(f"{api.project}/runs/groups", body, status=422)
    assert problem["errors"][0]["position"] == 14


async def test_groups_are_for_members(api, shelf) -> None:
    headers = {"Authorization": "Bearer outsider"}
    await api.post(f"{api.project}/runs/groups", {"by": ["status"]}, status=404, headers=headers)

"""Runs found by a filter of the search language."""

import pytest


@pytest.fixture
async def runs(api, experiment, connection):
    await connection.execute(
        """
        CREATE SCHEMA metrics;
        CREATE TABLE metrics.values (run_id uuid, key text, value double precision);
        CREATE VIEW metrics.latest AS
            SELECT run_id, key, value, 1::bigint AS step, now() AS time FROM metrics.values
        """
    )
    found = {
        "a": await api.run(experiment, name="a", params={"lr": 0.1, "on": True, "opt": "adam"}),
        "b": await api.run(experiment, name="b", params={"lr": "0.20"}, tags={"rig": "A%1"}),
        "c": await api.run(experiment, name="c", params={"opt": "SGD"}, status="draft"),
    }
    await connection.executemany(
        "INSERT INTO metrics.values VALUES ($1, 'loss', $2)",
        [(found["a"]["id"], 0.5), (found["b"]["id"], float("nan"))],
    )
    return found


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "abc"),
        ("metrics.loss < 1", "a"),
        ("metrics.loss != 1", "a"),
        ("not metrics.loss < 1", "bc"),
        ("metrics.loss is null", "c"),
        ("metrics.loss < 1e999", "a"),
        ("params.lr >= 0.1 and params.lr < 0.2", "a"),
        ("params.lr = 0.2", "b"),
        ("params.on = true", "a"),
        ("params.opt ilike 'sg%' or params.opt = 'adam'", "ac"),
        ("params.opt in ('adam', 'x')", "a"),
        ("params.opt != 'adam'", "c"),
        (r"tags.rig like 'A\%1'", ""),
        ("tags.rig like 'A%'", "b"),
        ("status = 'draft'", "c"),
        ("started_at is not null", "ab"),
        ("created_at > -1h and archived = false", "abc"),
        ("created_at < '2020-01-01'", ""),
        ("datasets.name is null", "abc"),
        ("name = '''; drop table runs --'", ""),
    ],
)
async def test_a_filter_finds_the_runs_that_it_describes(api, runs, text, names) -> None:
    assert runs
    found = await api.names(f"{api.project}/runs", filter=text, sort="name")
    assert found == list(names)


async def test_a_run_is_found_by_its_id_with_or_without_hyphens(api, runs) -> None:
    run_id = runs["b"]["id"]
    for text in (run_id, run_id.replace("-", "").upper()):
        assert await api.names(f"{api.project}/runs", filter=f"run_id = '{text}'") == ["b"]


@pytest.mark.parametrize(
    ("text", "position", "length"),
    [
        ("metrics.loss <", 14, 0),
        ("status = 3", 9, 1),
        ("nothing = 3", 0, 7),
        ("metrics.loss < 'x'", 15, 3),
        ("created_at > 'soon'", 13, 6),
        ("created_at > 1e300", 13, 5),
        ("metrics.loss like 3", 0, 12),
    ],
)
async def test_a_mistake_is_told_with_its_position(api, text, position, length) -> None:
    answer = await api.get(f"{api.project}/runs", params={"filter": text}, status=422)
    (error,) = answer["errors"]
    assert (error["position"], error["length"]) == (position, length)

"""Lists: filters, sorts, and pages that neither skip nor repeat."""

from itertools import count
from uuid import uuid4

import pytest
from servicekit.pagination import Cursor

FIELDS = [
    "created_at",
    "started_at",
    "name",
    "status",
    "duration_seconds",
    "params.lr",
    "metrics.x",
]


@pytest.fixture
async def metrics(connection):
    """Log metrics: a table behind the published view."""
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

    async def log(run, **values) -> None:
        await connection.executemany(
            "INSERT INTO metrics.values VALUES ($1, $2, $3, $4)",
            [(run["project_id"], run["id"], key, value) for key, value in values.items()],
        )

    return log


async def test_every_sort_pages_through_all_runs_once_in_both_directions(
    api, experiment, metrics
) -> None:
    values = [1.5, float("nan"), 1.5, None, float("inf"), -3.0, None, float("-inf"), 1.5]
    for number, value in enumerate(values):
        status = "draft" if number % 3 == 0 else "running"
        params = {} if value is None else {"lr": number % 2}
        run = await api.run(experiment, name=f"run {number % 4}", status=status, params=params)
        if value is not None:
            await metrics(run, x=value)
        if number % 3 == 1:
            await api.patch(f"/api/v1/runs/{run['id']}", {"status": "failed"})

    for path in (f"{api.project}/runs", f"/api/v1/experiments/{experiment['id']}/runs"):
        for field in FIELDS:
            for sort in (field, f"-{field}"):
                for limit in ("1", "4", "1000"):
                    ids = await _ids(api, path, sort=sort, limit=limit)
                    assert len(ids) == len(set(ids)) == len(values), (sort, limit)


async def test_runs_sort_by_a_metric_with_nan_and_nothing_last(api, experiment, metrics) -> None:
    values = {"b": 2.0, "nan": float("nan"), "inf": float("inf"), "a": -1.0, "low": float("-inf")}
    for name, value in values.items():
        await metrics(await api.run(experiment, name=name), loss=value)
    await api.run(experiment, name="none")
    path = f"{api.project}/runs"

    assert await api.names(path, sort="metrics.loss") == ["low", "a", "b", "inf", "nan", "none"]
    assert await api.names(path, sort="-metrics.loss") == ["inf", "b", "a", "low", "nan", "none"]


async def test_runs_sort_by_a_param_what_reads_as_a_number_first(api, experiment) -> None:
    huge = 2**53
    params = {
        "ten": 10, "half": 0.5, "text": "0.1", "tenth": 0.1, "huge+1": huge + 1, "huge": huge,
        "letters": "b", "yes": True, "no": False, "null": None,
    }  # fmt: skip
    for name, value in params.items():
        await api.run(experiment, name=name, params={"p": value})
    await api.run(experiment, name="none")

    ascending = await api.names(f"{api.project}/runs", sort="params.p")
    descending = await api.names(f"{api.project}/runs", sort="-params.p")

    assert ascending == [
        "text", "tenth", "half", "ten", "huge", "huge+1", "letters", "no", "yes", "null", "none",
    ]  # fmt: skip
    assert descending == [
        "huge+1", "huge", "ten", "half", "tenth", "text", "letters", "yes", "no", "null", "none",
    ]  # fmt: skip


async def test_while_no_metrics_are_published_runs_are_listed_without_them(api, run) -> None:
    page = await api.get(f"{api.project}/runs", params={"sort": "-metrics.loss"})

    assert [item["metrics"] for item in page["items"]] == [{}]


async def test_the_latest_metrics_come_with_each_run(api, run, metrics) -> None:
    await metrics(run, loss=0.25, bad=float("nan"), big=float("inf"), low=float("-inf"))

    found = await api.get(f"/api/v1/runs/{run['id']}")

    assert found["metrics"] == {"loss": 0.25, "bad": "NaN", "big": "Infinity", "low": "-Infinity"}
    assert (await api.get(f"{api.project}/runs"))["items"] == [found]


async def test_at_most_a_hundred_metrics_are_shown(api, run, metrics) -> None:
    await metrics(run, **{f"k{number:03}": float(number) for number in range(120)})

    found = await api.get(f"/api/v1/runs/{run['id']}")

    assert list(found["metrics"]) == [f"k{number:03}" for number in range(100)]


async def test_runs_are_found_by_status_name_tag_parent_and_experiment(api, experiment) -> None:
    other = await api.experiment("other")
    parent = await api.run(experiment, name="Großer Lauf 100%", tags={"rig": "A=1", "team": "x"})
    await api.run(other, name="child_1", parent_run_id=parent["id"], tags={"rig": "B"})
    failed = await api.run(experiment, name="childX1")
    await api.patch(f"/api/v1/runs/{failed['id']}", {"status": "failed"})
    path = f"{api.project}/runs"

    async def found(**params) -> set[str]:
        return set(await api.names(path, **params))

    assert await found(status=["failed", "draft"]) == {"childX1"}
    assert await found(q="GROSSER") == {"Großer Lauf 100%"}
    assert await found(q="100%") == {"Großer Lauf 100%"}
    assert await found(q="d_1") == {"child_1"}
    assert await found(q="0_%") == set()
    assert await found(tag="rig") == {"Großer Lauf 100%", "child_1"}
    assert await found(tag="rig=A=1") == {"Großer Lauf 100%"}
    assert await found(tag=["rig", "team=x"]) == {"Großer Lauf 100%"}
    assert await found(tag="rig=a=1") == set()
    assert await found(parent_run_id=parent["id"]) == {"child_1"}
    assert await found(experiment_id=other["id"]) == {"child_1"}
    assert await found(experiment_id=str(uuid4())) == set()
    assert (await api.get(f"/api/v1/runs/{parent['id']}"))["child_count"] == 1


async def test_experiments_are_found_and_sorted(api) -> None:
    first = await api.experiment("beta", tags={"area": "vision"})
    await api.experiment("Alpha")
    third = await api.experiment("gamma", tags={"area": "audio"})
    await api.run(first, status="draft")
    await api.run(third)
    path = f"{api.project}/experiments"

    assert await api.names(path) == ["gamma", "Alpha", "beta"]
    assert await api.names(path, sort="name") == ["Alpha", "beta", "gamma"]
    assert await api.names(path, sort="-last_run_at") == ["gamma", "beta", "Alpha"]
    assert await api.names(path, sort="last_run_at") == ["beta", "gamma", "Alpha"]
    assert await api.names(path, name="ALPHA") == ["Alpha"]
    assert await api.names(path, name="Alph") == []
    assert await api.names(path, q="A") == ["gamma", "Alpha", "beta"]
    assert await api.names(path, tag="area=audio") == ["gamma"]
    assert await api.names(path, tag="area") == ["gamma", "beta"]
    assert await api.names(path, status="running") == ["gamma"]
    found = await api.get(path, params={"name": "gamma"})
    assert found["items"][0]["run_count"] == found["items"][0]["running_count"] == 1


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"limit": "0"}, 422),
        ({"limit": "1001"}, 422),
        ({"limit": "x"}, 422),
        ({"sort": "id"}, 422),
        ({"sort": "metrics."}, 422),
        ({"sort": "name; DROP TABLE runs"}, 422),
        ({"sort": "params." + "x" * 251}, 422),
        ({"status": "done"}, 422),
        ({"archived": "maybe"}, 422),
        ({"colour": "red"}, 422),
        ({"q": "\0"}, 422),
        ({"tag": ""}, 422),
        ({"experiment_id": "1"}, 422),
        ({"cursor": "nonsense"}, 400),
        ({"cursor": "e30"}, 400),
    ],
)
async def test_a_list_asked_for_wrongly_is_refused(api, params, status) -> None:
    problem = await api.get(f"{api.project}/runs", params=params, status=status)

    assert problem["trace_id"]


async def test_a_cursor_of_another_sort_or_with_other_values_is_refused(api, experiment) -> None:
    for _ in range(3):
        await api.run(experiment)
    path = f"{api.project}/runs"
    page = await api.get(path, params={"limit": "1", "sort": "name"})
    await api.get(path, params={"cursor": page["next_cursor"], "sort": "-name"}, status=400)

    run_id = uuid4()
    for value in ([0], [0, "x"], [5, "x"], [-1, "2026-01-01T00:00:00Z"], ["0", "x"], None, [True]):
        cursor = Cursor(sort="created_at", value=value, id=run_id).encode()
        await api.get(path, params={"cursor": cursor, "sort": "created_at"}, status=400)
    for value in (["NaN"], ["1e400"], ["Infinity"], ["-1E+999999"]):
        cursor = Cursor(sort="params.x", value=[0, *value], id=run_id).encode()
        page = await api.client.get(path, params={"cursor": cursor, "sort": "params.x"})
        assert page.status in {200, 400, 422}


async def test_pages_stay_whole_while_runs_are_added(api, experiment) -> None:
    names = count()
    for _ in range(5):
        await api.run(experiment, name=str(next(names)))
    path = f"{api.project}/runs"

    first = await api.get(path, params={"limit": "3"})
    await api.run(experiment, name=str(next(names)))
    second = await api.get(path, params={"limit": "3", "cursor": first["next_cursor"]})

    assert [item["name"] for item in first["items"] + second["items"]] == ["4", "3", "2", "1", "0"]


async def _ids(api, path: str, **params: str) -> list[str]:
    ids: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await api.get(path, params={**params, **cursor})
        ids += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return ids
        cursor = {"cursor": page["next_cursor"]}


async def test_a_page_of_heavy_runs_ends_early_and_goes_on(api, experiment) -> None:
    text = {f"k{number}": "x" * 9_900 for number in range(100)}
    heavy = [await api.run(experiment, params=text) for _ in range(10)]
    path = f"{api.project}/runs"

    page = await api.get(path, params={"limit": "1000"})

    assert 1 < len(page["items"]) < 10
    assert page["next_cursor"]
    assert await _ids(api, path, limit="1000") == [run["id"] for run in reversed(heavy)]

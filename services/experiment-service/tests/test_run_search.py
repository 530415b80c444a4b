"""The search language, through the front door: what it finds, in which order, and its mistakes."""

import math
import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from experiment_service.models.run_filters import (
    ATTRIBUTES,
    FilterMistake,
    parse_filter,
    parse_order,
)
from hypothesis import given
from hypothesis import strategies as st
from servicekit.database import DATABASE

WORDS = [
    "metrics.loss", "params.lr", "tags.rig", "status", "datasets.name", "created_at", "and", "or",
    "not", "(", ")", "=", "!=", "<", ">=", "like", "in", "is", "null", "0.5", '"a"', "'b", "`", ",",
    ".", "-7d", "x", "\0", "é", "1e999", "true",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=12))
def test_a_text_is_read_or_its_mistake_lies_in_it(parts: list[str]) -> None:
    text = " ".join(parts)
    for parse in (parse_filter, parse_order):
        mistake = _mistake_of(parse, text)
        if mistake:
            assert 0 <= mistake.position <= len(text)
            assert mistake.length >= 1
            assert mistake.message


def _mistake_of(parse, text: str) -> FilterMistake | None:
    try:
        parse(text)
    except FilterMistake as mistake:
        return mistake
    return None


@pytest.mark.parametrize(
    ("text", "at", "length", "words"),
    [
        ("metrics.loss < ", 15, 1, "value"),
        ("metrics.loss ~ 3", 13, 1, "expected ="),
        ("metrics.loss like 'a'", 13, 4, "compared by"),
        ("metrics.loss = 'a'", 15, 3, "a number"),
        ("status = 'done'", 9, 6, "status is one of"),
        ("colour = 'red'", 0, 6, "no attribute"),
        ("thing.x = 1", 0, 5, "before the dot"),
        ("params.a = 1 params.b = 2", 13, 6, "and, or"),
        ("(params.a = 1", 13, 1, ")"),
        ("params.a = 'x", 11, 2, "never closed"),
        ("datasets.size = 'x'", 9, 4, "name, digest"),
        ("created_at > 'soon'", 13, 6, "a time"),
        ("params.a < 'x'", 11, 3, "without quotes"),
        ("run_id = 'x'", 9, 3, "no id"),
        ("params.a in ('x' 'y')", 17, 3, ", or )"),
        ("tags.a = 3", 9, 1, "a text in quotes"),
        ("created_at > 1e300", 13, 5, "a time"),
        ("metrics.loss <", 14, 1, "a value"),
    ],
)
async def test_a_mistake_is_shown_where_it_is(api, text, at, length, words) -> None:
    for problem in (
        await api.get(f"{api.project}/runs", status=422, params={"filter": text}),
        await api.post(f"{api.project}/runs/search", {"filter": text}, status=422),
    ):
        (error,) = problem["errors"]
        assert (error["position"], error["length"]) == (at, length), error
        assert words in error["detail"]
        assert error.get("parameter") == "filter" or error["pointer"] == "#/filter"


async def test_a_filter_that_is_too_long_or_too_deep_is_refused(api) -> None:
    path = f"{api.project}/runs/search"
    for text in ("(" * 50 + "status = 'failed'" + ")" * 50, "not " * 60 + "status = 'failed'",
                 " and ".join(["params.a = 1"] * 60), "x" * 9000):  # fmt: skip
        await api.post(path, {"filter": text}, status=422)


@pytest.fixture
async def metrics(connection):
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


@pytest.fixture
async def shelf(api, experiment, metrics):
    """A few runs that differ in everything."""
    runs = {
        "a": {"params": {"lr": 0.1, "opt": "adam", "deep": True}, "tags": {"rig": "A1"},
              "host": "h1", "git_dirty": True, "notes": "Fine *run*"},
        "b": {"params": {"lr": "0.01", "opt": "sgd"}, "tags": {"rig": "A2", "own": "x'y"}},
        "c": {"params": {"lr": 1, "opt": "Adam%", "deep": False}, "tags": {"rig": "B1"},
              "host": "h2", "status": "draft"},
        "d": {"params": {"opt": "x" * 300}, "tags": {}, "source": "train.py"},
    }  # fmt: skip
    made = {name: await api.run(experiment, name=name, **fields) for name, fields in runs.items()}
    await metrics(made["a"], loss=0.5, acc=0.9)
    await metrics(made["b"], loss=float("nan"), acc=0.8)
    await metrics(made["c"], loss=float("inf"))
    await api.patch(f"/api/v1/runs/{made['b']['id']}", {"status": "failed"})
    return made


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("metrics.loss < 1", "a"),
        ("metrics.loss > 0", "ac"),
        ("metrics.loss = inf", "c"),
        ("metrics.loss != 7", "ac"),
        ("not metrics.loss < 1", "bcd"),
        ("metrics.loss < 1e999", "a"),
        ("created_at > -1h and archived = false", "abcd"),
        ("metrics.loss is null", "d"),
        ("metrics.loss is not null and metrics.acc is null", "c"),
        ("metrics.acc in (0.9, 7)", "a"),
        ("params.lr < 0.5", "ab"),
        ("params.lr = '0.1'", "a"),
        ("params.lr = 0.01", "b"),
        ('params.lr = "1"', "c"),
        ("params.lr != 1", "ab"),
        ("params.lr is null", "d"),
        ("params.deep = true", "a"),
        ("params.deep = 'false'", "c"),
        ("params.opt like 'adam'", "a"),
        ("params.opt ilike 'ADAM%'", "ac"),
        ("params.opt like 'Adam\\%'", ""),
        ("params.opt in ('sgd', 'adam')", "ab"),
        ("params.opt not in ('sgd', 'adam')", "cd"),
        ("params.lr in (0.1, '1', 'adam')", "ac"),
        ("params.lr not in (0.1, 'x')", "bc"),
        ("params.deep in (true, 'true', 7)", "a"),
        ("params.opt != 7", "abcd"),
        (f"params.lr in ({', '.join(map(str, range(700)))})", "c"),
        (" and ".join(["params.opt != 'none'"] * 50), "abcd"),
        (f"params.opt = '{'x' * 300}'", "d"),
        (f"params.opt = '{'x' * 299}'", ""),
        ("params.lr like '0.%'", "ab"),
        ("params.deep like 'tr%'", "a"),
        ("params.deep ilike 'FAL%'", "c"),
        ("params.lr like '1x%'", ""),
        ("params.lr < 5 and params.lr < 0.1 and params.lr <= 0.1", "b"),
        ("metrics.acc > 0.1 and metrics.acc >= 0.8 and metrics.acc < 0.9", "b"),
        ("metrics.acc >= 0.8 and metrics.acc > 0.8 and metrics.acc > -1", "a"),
        ("tags.rig like 'A%'", "ab"),
        ("tags.own = 'x''y'", "b"),
        ('tags.own = "x\'y"', "b"),
        ("tag.rig != 'A1'", "bc"),
        ("status = 'FAILED'", "b"),
        ("status in ('draft', 'failed')", "bc"),
        ("attributes.host = 'h1'", "a"),
        ("host != 'h1'", "c"),
        ("host is null", "bd"),
        ("git_dirty = true", "a"),
        ("notes ilike '%FINE%'", "a"),
        ("notes is null", "bcd"),
        ("name in ('a', 'd')", "ad"),
        ("name ilike 'A'", "a"),
        ("run_name != 'a'", "bcd"),
        ("experiment = 'digits'", "abcd"),
        ("experiment like 'x%'", ""),
        ("created_at > -1h and created_at < +1h", "abcd"),
        ("created_at < '2020-01-01'", ""),
        ("start_time > 1000", "abd"),
        ("finished_at is not null", "b"),
        ("duration >= 0", "b"),
        ("params.lr < 0.5 and (tags.rig = 'A1' or status = 'failed')", "ab"),
        ("not params.lr < 0.5", "cd"),
        ("not (status = 'failed' or host is not null)", "d"),
        ("datasets.name = 'mnist'", ""),
        ("datasets.name is null", "abcd"),
        ('params."lr" < 0.5 and params.`opt` = "adam"', "a"),
        ("", "abcd"),
    ],
)
async def test_a_filter_finds_these_runs(api, shelf, text, names) -> None:
    found = await api.names(f"{api.project}/runs", filter=text, sort="name")

    assert "".join(found) == names


@pytest.mark.parametrize(
    ("order", "names"),
    [
        (["metrics.loss"], "acbd"),
        (["metrics.loss desc"], "cabd"),
        (["params.lr desc"], "cabd"),
        (["tags.rig", "name"], "abcd"),
        (["status", "name desc"], "cbda"),
        (["host desc", "metrics.acc desc", "name"], "cabd"),
        (["experiment_id", "params.opt"], "cabd"),
        (["experiment_id", "params.lr desc", "name"], "cabd"),
        (["experiment_id", "-metrics.loss"], "cabd"),
        (["id desc"], "dcba"),
    ],
)
async def test_runs_come_in_this_order(api, shelf, order, names) -> None:
    for filter_ in ({}, {"filter": "params.opt is not null"}, {"filter": "not name = 'z'"}):
        found = await api.names(f"{api.project}/runs", **filter_, order_by=order)

        assert "".join(found) == names, filter_


async def test_a_run_is_found_by_its_id_with_or_without_hyphens(api, shelf) -> None:
    run_id = shelf["b"]["id"]
    for text in (run_id, run_id.replace("-", "").upper()):
        assert await api.names(f"{api.project}/runs", filter=f"run_id = '{text}'") == ["b"]


async def test_an_order_that_cannot_be_is_refused(api) -> None:
    for order in (["metrics.loss sideways"], ["notes"], ["x.y"], ["name", "name desc"]):
        problem = await api.post(f"{api.project}/runs/search", {"order_by": order}, status=422)
        assert problem["errors"][0]["pointer"].startswith("#/order_by/")


async def test_a_cursor_belongs_to_its_filter(api, shelf) -> None:
    path = f"{api.project}/runs"
    page = await api.get(path, params={"filter": "params.opt is not null", "limit": "1"})

    other = {"filter": "status = 'failed'", "cursor": page["next_cursor"]}
    await api.get(path, status=400, params=other)


async def test_archived_runs_are_found_where_they_are_asked_for(api, shelf) -> None:
    await api.post(f"/api/v1/runs/{shelf['b']['id']}/archive")
    path = f"{api.project}/runs"

    assert await api.names(path, filter="params.opt = 'sgd'") == []
    assert await api.names(path, filter="params.opt = 'sgd'", archived="all") == ["b"]
    assert await api.names(path, filter="status = 'archived'") == ["b"]


async def test_only_the_experiments_and_the_project_asked_for_are_searched(
    api, shelf, experiment, client, people
) -> None:
    other = await api.experiment("other")
    await api.run(other, name="z", params={"opt": "adam"})
    path = f"{api.project}/runs/search"

    async def names(**body) -> list[str]:
        found = await api.post(path, {"filter": "params.opt = 'adam'", **body})
        return sorted(run["name"] for run in found["items"])

    assert await names() == ["a", "z"]
    assert await names(experiment_ids=[other["id"]]) == ["z"]
    assert await names(experiment_ids=[other["id"], experiment["id"]]) == ["a", "z"]
    assert await names(experiment_ids=["01980000-0000-7000-8000-000000000000"]) == []
    await api.post(path, {}, status=404, headers={"Authorization": "Bearer outsider"})


@pytest.mark.parametrize(
    "hostile",
    ["' OR 1=1 --", "'; DROP TABLE experiment.runs; --", "\\", "%", "_", "$1", "\x1f", "’ or ‘"],
)
async def test_what_is_said_is_never_sql(api, shelf, hostile) -> None:
    quoted = hostile.replace("'", "''")
    for text in (
        f"params.opt = '{quoted}'", f"tags.`{hostile}` = 'x'", f"metrics.`{hostile}` < 1",
        f"name like '{quoted}'", f"host in ('{quoted}')", f"params.`{hostile}` = '{quoted}'",
    ):  # fmt: skip
        found = await api.get(f"{api.project}/runs", params={"filter": text})
        assert len(found["items"]) in {0, 4}
    for order in (f"params.`{hostile}`", f"metrics.`{hostile}` desc", f"tags.`{hostile}`"):
        found = await api.get(f"{api.project}/runs", params={"order_by": order})
        assert len(found["items"]) == 4


async def test_every_plan_finds_what_a_plain_reading_finds(
    api, experiment, metrics, monkeypatch
) -> None:
    """Few runs, a stretch of the list, sets: whichever way is taken, the pages are the same."""
    chance = random.Random(7)  # noqa: S311 - not a secret
    rows = []
    for number in range(60):
        params = {"k": number % 7, "opt": chance.choice(["adam", "sgd"])}
        loss = None if number % 10 == 9 else chance.choice([chance.random(), float("nan")])
        run = await api.run(experiment, name=f"r{number:02}", params=params)
        if loss is not None:
            await metrics(run, loss=loss)
        rows.append((run["name"], params, loss))
    filters = {
        "params.k < 3 and metrics.loss < 0.8": lambda p, v: (
            p["k"] < 3 and v is not None and v < 0.8
        ),
        "params.opt = 'adam'": lambda p, v: p["opt"] == "adam",
        "params.k = 99": lambda p, v: False,
        "params.k > 1 and params.k > 3 and params.k <= 5": lambda p, v: 3 < p["k"] <= 5,
        "metrics.loss is null or params.k = 1": lambda p, v: v is None or p["k"] == 1,
        "not params.opt = 'sgd' and params.k != 2": lambda p, v: p["opt"] != "sgd" and p["k"] != 2,
    }

    def by_loss(row):
        _name, _params, value = row
        return (2, 0) if value is None else (1, 0) if math.isnan(value) else (0, value)

    for few, stretch in ((1000, 2000), (0, 2000), (0, 5), (3, 7)):
        monkeypatch.setattr("experiment_service.queries.run_search.FEW", few)
        monkeypatch.setattr("experiment_service.queries.run_search.STRETCH", stretch)
        for text, holds in filters.items():
            wanted = [row for row in rows if holds(row[1], row[2])]
            found = await api.names(f"{api.project}/runs", filter=text, order_by="metrics.loss")
            assert sorted(found) == sorted(name for name, _p, _v in wanted), (text, few, stretch)
            values = {name: by_loss((name, p, v)) for name, p, v in wanted}
            assert [values[name] for name in found] == sorted(values.values())


def test_values_are_read_as_they_are_written() -> None:
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)

    found = parse_filter("a.x = 1 and b".replace("a.x", "params.`a.x`").removesuffix(" and b"))
    assert found is not None
    assert found.field.key == "a.x"
    assert found.value == Decimal(1)
    earlier = parse_filter("created_at > -36h", now=now)
    assert earlier.value == datetime(2026, 11, 24, 0, tzinfo=UTC)


async def test_a_statement_is_planned_for_its_arguments_however_often_it_runs(client) -> None:
    async with client.app[DATABASE].acquire() as connection:
        settings = [
            await connection.fetchval(f"SHOW {name}") for name in ("plan_cache_mode", "jit")
        ]

    assert settings == ["force_custom_plan", "off"]


FIELDS = [
    *(f"attributes.{name}" for name in ATTRIBUTES),
    *("metrics.loss", "params.lr", "params.opt", "tags.rig", "datasets.name", "datasets.context"),
]
COMPARED = [
    *(f"{sign} {value}" for sign in ("=", "!=", "<", ">=") for value in ("1", "'a'", "true")),
    *("> -7d", "= '2026-01-31'"),
    *(f"{word} {value}" for word in ("in", "not in") for value in ("(1, 2.5)", "('a', 'draft')")),
    *("like 'a%'", "ilike '%A_'", "like '\\'", "is null", "is not null", "= inf", "< -inf"),
]  # fmt: skip


async def test_every_field_is_compared_and_ordered_by_or_that_is_refused(api, shelf) -> None:
    path = f"{api.project}/runs/search"
    found = 0
    for field in FIELDS:
        answer = await api.client.post(path, json={"order_by": [field, "name desc"]})
        assert answer.status in {200, 422}, field
        for compared in COMPARED:
            text = f"{field} {compared}"
            for whole in (text, f"not ({text}) or status = 'failed'"):
                answer = await api.client.post(path, json={"filter": whole})
                assert answer.status in {200, 422}, whole
                found += answer.status == 200
    assert found > 200

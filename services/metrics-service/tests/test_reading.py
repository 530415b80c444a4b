"""Reading what was logged, held against a plain list of it."""

import math
import random
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from metrics_api import VIEWER, log, points, read, said, summaries

SLOW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
STEPS = st.integers(-5, 5) | st.integers(-(2**63), 2**63 - 1)
VALUES = st.floats() | st.sampled_from([math.nan, math.inf, -math.inf, 0.0])
BATCHES = st.lists(
    st.lists(st.tuples(st.sampled_from("ab"), STEPS, VALUES), min_size=1, max_size=12),
    min_size=1,
    max_size=6,
)


@SLOW
@given(batches=BATCHES)
async def test_series_and_summaries_are_those_of_a_plain_list(
    client: TestClient, new_run: Any, batches: list[list[tuple[str, int, float]]]
) -> None:
    run_id = await new_run()
    for batch in batches:
        await log(
            client,
            run_id,
            *(points(key, step=[step], value=[said(value)]) for key, step, value in batch),
        )

    logged = [point for batch in batches for point in batch]
    found = await summaries(client, run_id)
    assert found.keys() == {key for key, _, _ in logged}
    for key, summary in found.items():
        mine = [(step, value) for name, step, value in logged if name == key]
        ordered = sorted(mine, key=lambda point: point[0])
        (series,) = await read(client, run_id, key)
        assert series["step"] == [step for step, _ in ordered]
        assert series["value"] == [said(value) for _, value in ordered]
        numbers = [value for _, value in mine if not math.isnan(value)]
        first = min(mine, key=lambda point: point[0])
        last = max(reversed(mine), key=lambda point: point[0])
        assert summary["count"] == len(mine)
        assert (summary["first_step"], summary["first_value"]) == (first[0], said(first[1]))
        assert (summary["last_step"], summary["last_value"]) == (last[0], said(last[1]))
        assert summary["min"] == (said(min(numbers)) if numbers else None)
        assert summary["max"] == (said(max(numbers)) if numbers else None)


@SLOW
@given(
    values=st.lists(VALUES, min_size=1, max_size=400),
    most=st.integers(4, 100),
    stride=st.sampled_from([0, 1, 3, 10**15]),
)
async def test_a_picture_keeps_the_extremes_and_invents_nothing(
    client: TestClient, new_run: Any, values: list[float], most: int, stride: int
) -> None:
    run_id = await new_run()
    steps = [stride * number for number in range(len(values))]
    await log(client, run_id, points(step=steps, value=[said(value) for value in values]))

    (series,) = await read(client, run_id, "loss", points=most)
    logged = list(zip(steps, [said(value) for value in values], strict=True))
    shown = list(zip(series["step"], series["value"], strict=True))
    assert series["count"] == len(values)
    assert len(shown) <= most
    assert series["exact"] == (len(shown) == len(values))
    assert series["exact"] or len(values) > most
    rest = iter(logged)
    assert all(point in rest for point in shown), "not in the order they were logged"
    assert shown[0] == logged[0]
    assert shown[-1] == logged[-1]
    numbers = [value for value in values if not math.isnan(value)]
    if most >= 8 and numbers:
        assert {said(min(numbers)), said(max(numbers))} <= {value for _, value in shown}
    # Four are both ends and both extremes, with no room for a gap.
    if most > 4 and any(map(math.isnan, values)):
        assert "NaN" in series["value"]


async def test_no_spike_and_no_gap_vanishes_from_a_million_points(
    client: TestClient, run_id: UUID
) -> None:
    noise = random.Random(7)  # noqa: S311
    spikes = {123_456: 1e9, 654_321: -1e9, 777_777: math.inf}
    gap = range(400_000, 410_000)
    for first in range(0, 1_000_000, 10_000):
        steps = list(range(first, first + 10_000))
        values = [
            said(math.nan if step in gap else spikes.get(step, noise.random())) for step in steps
        ]
        await log(client, run_id, points(step=steps, value=values))

    (series,) = await read(client, run_id, "loss")
    assert (series["count"], series["exact"]) == (1_000_000, False)
    assert 1_000 < len(series["step"]) <= 2_000
    shown = dict(zip(series["step"], series["value"], strict=True))
    assert {step: said(value) for step, value in spikes.items()}.items() <= shown.items()
    assert shown[400_000] == "NaN"
    assert series["step"] == sorted(series["step"])

    (zoomed,) = await read(client, run_id, "loss", from_step=123_400, to_step=123_499)
    assert (zoomed["count"], zoomed["exact"]) == (100, True)
    assert zoomed["step"] == list(range(123_400, 123_500))


async def test_what_was_never_logged_is_an_empty_series(client: TestClient, run_id: UUID) -> None:
    (series,) = await read(client, run_id, "nothing", from_step=3)
    assert series["step"] == series["value"] == series["time"] == []
    assert (series["count"], series["exact"], series["ordinal"]) == (0, True, 0)


async def test_metrics_come_in_pages_and_by_a_part_of_their_key(
    client: TestClient, run_id: UUID
) -> None:
    keys = sorted(f"train/{name}" for name in ("a", "B", "c", "100%", "_x", "\u00c4rger"))
    await log(client, run_id, *(points(key, step=[1], value=[1]) for key in keys))

    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        response = await client.get(f"/api/v1/runs/{run_id}/metrics", params=query, headers=VIEWER)
        page = await response.json()
        found += [item["key"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == keys
    assert list(await summaries(client, run_id, q="/b")) == ["train/B"]
    assert list(await summaries(client, run_id, q="%")) == ["train/100%"]
    assert list(await summaries(client, run_id, q="\u00e4rg")) == ["train/\u00c4rger"]


async def test_several_runs_are_read_at_once(client: TestClient, new_run: Any) -> None:
    runs = [await new_run() for _ in range(3)]
    for number, run_id in enumerate(runs):
        await log(client, run_id, points(step=[1, 2], value=[number, number + 1]))

    asked = [runs[2], runs[0], runs[1], runs[0]]
    response = await client.get(
        "/api/v1/metrics/series",
        params=[*(("run_id", str(run_id)) for run_id in asked), ("key", "loss"), ("key", "x")],
        headers=VIEWER,
    )
    series = (await response.json())["series"]
    assert [(one["run_id"], one["key"]) for one in series] == [
        (str(run_id), key) for run_id in asked[:3] for key in ("loss", "x")
    ]
    assert series[0]["value"] == [2.0, 3.0]


async def test_a_foreign_run_among_several_is_as_missing_as_one_that_never_was(
    client: TestClient, run_id: UUID, new_run: Any
) -> None:
    foreign, missing = await new_run(project=uuid4()), uuid4()
    answers = []
    for other in (foreign, missing):
        response = await client.get(
            "/api/v1/metrics/series",
            params=[("run_id", str(run_id)), ("run_id", str(other)), ("key", "loss")],
            headers=VIEWER,
        )
        assert response.status == 404
        problem = await response.json()
        answers.append(problem["detail"].replace(str(other), "?"))
        assert "series" not in problem
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "key"),
        ("key=", "key"),
        ("key=a&points=3", "points"),
        ("key=a&points=10001", "points"),
        ("key=a&points=x", "points"),
        ("key=a&from_step=1.5", "from_step"),
        ("key=a&to_step=9223372036854775808", "to_step"),
        ("key=a&color=red", "color"),
        ("key=a&points=5&points=6", "points"),
        ("&".join(f"key={number}" for number in range(201)), "key"),
        ("points=10000&" + "&".join(f"key={number}" for number in range(101)), ""),
    ],
)
async def test_a_bad_question_is_explained(
    client: TestClient, run_id: UUID, query: str, parameter: str
) -> None:
    response = await client.get(f"/api/v1/runs/{run_id}/metrics/series?{query}", headers=VIEWER)
    problem = await response.json()
    assert response.status == 422, problem
    assert [error["parameter"] for error in problem["errors"]] == [parameter]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/runs/x/metrics", 422),
        ("/api/v1/runs/x/metrics/series?key=a", 422),
        ("/api/v1/metrics/series?key=a", 422),
        ("/api/v1/metrics/series?run_id=x&key=a", 422),
        ("/api/v1/runs/{run}/metrics?limit=0", 422),
        ("/api/v1/runs/{run}/metrics?limit=1001", 422),
        ("/api/v1/runs/{run}/metrics?cursor=x", 400),
        ("/api/v1/runs/{run}/metrics?q=%00", 422),
        ("/api/v1/runs/{run}/metrics/stream?after=-1", 422),
        ("/api/v1/runs/{run}/metrics/stream?after=1e3", 422),
        ("/api/v1/runs/{run}/metrics/stream?after=" + "9" * 30, 422),
        ("/api/v1/runs/{run}/metrics/nothing", 404),
    ],
)
async def test_odd_addresses_are_refused_and_never_a_crash(
    client: TestClient, run_id: UUID, path: str, status: int
) -> None:
    response = await client.get(path.format(run=run_id), headers=VIEWER)
    assert response.status == status, await response.text()
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["metrics", "metrics/series?key=loss", "metrics/stream"])
async def test_who_may_read_is_decided_by_the_runs_project(
    client: TestClient, run_id: UUID, path: str
) -> None:
    async def status(run: UUID, token: str | None) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = await client.get(f"/api/v1/runs/{run}/{path}", headers=headers)
        response.close()
        return response.status

    assert await status(run_id, None) == 401
    assert await status(run_id, "outsider") == 404
    assert await status(run_id, "admin") == 404
    assert await status(run_id, "viewer") == 200
    assert await status(uuid4(), "viewer") == 404

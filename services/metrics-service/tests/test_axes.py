"""Series by step, by time and by time since the run's first point; figures by interval."""

import math
import random
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient
from metrics_api import VIEWER, log, points, read, said
from seriesstore.compact import compact
from servicekit.database import Connection

START = 1_700_000_000_000_000


async def merge(connection: Connection) -> None:
    await connection.execute("SET search_path TO metrics")
    while (await compact(connection, idle_sec=0)).chunks_before:
        pass


async def buckets(client: TestClient, *runs: UUID, **query: Any) -> dict[str, Any]:
    response = await client.get(
        "/api/v1/metrics/buckets",
        params=[*(("run_id", str(run)) for run in runs), ("key", "loss"), *query.items()],
        headers=VIEWER,
    )
    assert response.status == 200, await response.text()
    return await response.json()


@pytest.mark.parametrize("merged", [False, True])
async def test_a_run_that_began_again_is_drawn_by_time_with_every_spike(
    client: TestClient, run_id: UUID, connection: Connection, *, merged: bool
) -> None:
    """Its steps come twice, hours apart: by step they mingle, by time they do not."""
    noise = random.Random(1)  # noqa: S311
    logged: list[tuple[int, float, int]] = []
    for again in range(2):
        for first in range(0, 40_000, 8000):
            steps = list(range(first, first + 8000))
            times = [START + again * 10**10 + step * 1000 for step in steps]
            values = [noise.random() for _ in steps]
            if first == 16_000:
                values[100] = 50.0 if again else 100.0
            await log(client, run_id, points(step=steps, value=values, time=times))
            logged += zip(steps, values, times, strict=True)
    if merged:
        await merge(connection)

    (by_step,) = await read(client, run_id, "loss", points=400)
    assert by_step["step"] == sorted(by_step["step"])
    (by_time,) = await read(client, run_id, "loss", points=400, x="time")
    assert by_time["time"] == sorted(by_time["time"])
    assert (by_time["count"], by_time["origin"]) == (80_000, START)
    shown = dict(zip(by_time["time"], by_time["value"], strict=True))
    assert shown[START + 16_100_000] == 100.0
    assert shown[START + 10**10 + 16_100_000] == 50.0

    low, high = 10**10 + 15_999_500, 10**10 + 16_200_000
    (part,) = await read(
        client, run_id, "loss", x="relative", from_relative=low, to_relative=high, points=1000
    )
    inside = sorted((p for p in logged if low <= p[2] - START <= high), key=lambda p: p[2])
    assert part["time"] == [time for _, _, time in inside]
    assert part["value"] == [value for _, value, _ in inside]
    (same,) = await read(
        client, run_id, "loss", x="time", from_time=START + low, to_time=START + high, points=1000
    )
    assert same == part


async def test_relative_time_counts_from_the_first_point_of_any_metric(
    client: TestClient, run_id: UUID
) -> None:
    await log(
        client, run_id, points("late", step=[1, 2], value=[1, 2], time=[START + 50, START + 90])
    )
    await log(client, run_id, points("early", step=[1], value=[1], time=[START]))

    (late,) = await read(client, run_id, "late", x="relative", from_relative=60)
    assert (late["time"], late["origin"]) == ([START + 90], START)


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("x", ["step", "time", "relative"])
async def test_buckets_are_those_of_plain_arithmetic(
    client: TestClient, new_run: Any, connection: Connection, *, merged: bool, x: str
) -> None:
    chance = random.Random(5)  # noqa: S311
    odd = [math.nan, math.inf, -math.inf]
    runs = [await new_run() for _ in range(3)]
    logged: dict[UUID, list[tuple[int, float, int]]] = {}
    for number, run_id in enumerate(runs):
        logged[run_id] = [
            (
                step + chance.randint(-50, 50),
                chance.choice(odd) if step % 53 == 0 else chance.gauss(0, 9),
                START + number * 10**8 + step * 700 + chance.randint(0, 5000),
            )
            for step in range(9_000)
        ]
        steps, values, times = zip(*logged[run_id], strict=True)
        await log(
            client,
            run_id,
            points(step=list(steps), value=[said(value) for value in values], time=list(times)),
        )
    if merged:
        await merge(connection)

    answer = await buckets(client, *runs, x=x, intervals=12)
    origins = {run_id: min(time for _, _, time in logged[run_id]) for run_id in runs}

    def along(run_id: UUID, row: tuple[int, float, int]) -> int:
        return {"step": row[0], "time": row[2], "relative": row[2] - origins[run_id]}[x]

    everywhere = [along(run_id, row) for run_id in runs for row in logged[run_id]]
    low, high = min(everywhere), max(everywhere)
    assert (answer["low"], answer["high"]) == (low, high)
    edges = [low + (high - low + 1) * number // 12 for number in range(12)]
    for run_id, series in zip(runs, answer["series"], strict=True):
        assert series["run_id"] == str(run_id)
        found = {edge: index for index, edge in enumerate(series["x"])}
        for edge, end in zip(edges, [*edges[1:], high + 1], strict=True):
            values = [row[1] for row in logged[run_id] if edge <= along(run_id, row) < end]
            if not values:
                assert edge not in found
                continue
            index = found[edge]
            known = [value for value in values if not math.isnan(value)]
            finite = [value for value in known if math.isfinite(value)]
            assert series["count"][index] == len(values)
            assert series["min"][index] == said(min(known))
            assert series["max"][index] == said(max(known))
            assert abs(series["mean"][index] - sum(finite) / len(finite)) < 1e-9


async def test_buckets_of_a_given_range_have_the_same_edges_whatever_is_in_them(
    client: TestClient, new_run: Any
) -> None:
    one, two, empty = [await new_run() for _ in range(3)]
    await log(client, one, points(step=[0, 55, 99], value=[1, 2, 3]))
    await log(client, two, points(step=[50, 150], value=[4, 5]))
    answer = await buckets(client, one, two, empty, from_step=0, to_step=99, intervals=10)
    assert [series["x"] for series in answer["series"]] == [[0, 50, 90], [50], []]
    assert (answer["low"], answer["high"]) == (0, 99)
    nothing = await buckets(client, empty)
    assert (nothing["low"], nothing["series"][0]["count"]) == (None, [])


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("runs/{run}/metrics/series?key=a&x=epoch", "x"),
        ("runs/{run}/metrics/series?key=a&from_time=5", ""),
        ("runs/{run}/metrics/series?key=a&x=time&from_step=5", ""),
        ("runs/{run}/metrics/series?key=a&x=time&to_time=1e9", "to_time"),
        ("metrics/buckets?run_id={run}&key=a&intervals=0", "intervals"),
        ("metrics/buckets?run_id={run}&key=a&intervals=2001", "intervals"),
        ("metrics/buckets?run_id={run}&intervals=5", "key"),
        ("runs/{run}/metrics/export?format=xlsx", "format"),
        ("metrics/stream?run_id=x", "run_id"),
        ("metrics/stream?run_id={run}&after=1.2", "after"),
        ("metrics/stream?run_id={run}&after={run}:x", "after"),
    ],
)
async def test_a_bad_question_is_explained(
    client: TestClient, run_id: UUID, path: str, parameter: str
) -> None:
    response = await client.get(f"/api/v1/{path.replace('{run}', str(run_id))}", headers=VIEWER)
    problem = await response.json()
    assert response.status == 422, problem
    assert [error["parameter"] for error in problem["errors"]] == [parameter]


@pytest.mark.parametrize("path", ["metrics/buckets?key=a&", "metrics/stream?"])
async def test_a_foreign_run_is_as_missing_as_one_that_never_was(
    client: TestClient, run_id: UUID, new_run: Any, path: str
) -> None:
    foreign = await new_run(project=uuid4())
    for other in (foreign, uuid4()):
        response = await client.get(f"/api/v1/{path}run_id={run_id}&run_id={other}", headers=VIEWER)
        assert response.status == 404
    assert (await client.get(f"/api/v1/{path}run_id={run_id}")).status == 401

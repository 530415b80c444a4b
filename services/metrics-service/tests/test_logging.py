"""Logging points."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from metrics_api import EDITOR, log, points, read, said, summaries
from servicekit.database import Connection
from servicekit.testing.identity import KnownPeople

NOW_US = int(datetime.now(UTC).timestamp() * 1_000_000)


async def test_points_are_there_when_the_call_answers(client: TestClient, run_id: UUID) -> None:
    answer = await log(
        client,
        run_id,
        points("loss", step=[1, 2, 3], value=[3, 2.5, 2], time=[NOW_US, NOW_US + 1, NOW_US + 2]),
        points("accuracy", step=[3], value=[0.5]),
    )

    assert answer == {"accepted": 4, "duplicate": False}
    loss, accuracy = await read(client, run_id, "loss", "accuracy")
    assert loss == {
        "key": "loss",
        "step": [1, 2, 3],
        "value": [3.0, 2.5, 2.0],
        "time": [NOW_US, NOW_US + 1, NOW_US + 2],
        "count": 3,
        "exact": True,
        "ordinal": 1,
        "origin": NOW_US,
    }
    assert abs(accuracy["time"][0] - NOW_US) < 3600 * 1_000_000


async def test_a_batch_that_is_repeated_changes_nothing(
    client: TestClient, run_id: UUID, new_run: Any, connection: Connection
) -> None:
    batch_id = str(uuid4())
    for number in range(3):
        answer = await log(client, run_id, points(step=[1], value=[1]), batch_id=batch_id)
        assert answer == {"accepted": 1, "duplicate": number > 0}
    await log(client, run_id, points(step=[2], value=[2]), batch_id=str(uuid4()))

    assert (await summaries(client, run_id))["loss"]["count"] == 2
    assert (await read(client, run_id, "loss"))[0]["step"] == [1, 2]
    ordinals = await connection.fetch("SELECT ordinal FROM metrics.batches ORDER BY ordinal")
    assert [row["ordinal"] for row in ordinals] == [1, 2]

    other = await new_run()
    answer = await log(client, other, points(step=[1], value=[1]), batch_id=batch_id)
    assert answer["duplicate"] is False


async def test_of_many_equal_batches_at_once_one_is_stored(
    client: TestClient, run_id: UUID
) -> None:
    batch_id = str(uuid4())
    answers = await asyncio.gather(
        *(
            log(client, run_id, points(step=[1, 2], value=[1, 2]), batch_id=batch_id)
            for _ in range(20)
        )
    )

    assert sorted(answer["duplicate"] for answer in answers) == [False] + [True] * 19
    assert (await summaries(client, run_id))["loss"]["count"] == 2


async def test_writers_of_one_run_do_not_get_in_each_others_way(
    client: TestClient, run_id: UUID, connection: Connection
) -> None:
    async def write(writer: int) -> None:
        for number in range(20):
            step = writer * 1000 + number
            await log(
                client,
                run_id,
                points("shared", step=[step], value=[step]),
                points(f"own/{writer}", step=[number], value=[writer]),
                batch_id=str(uuid4()),
            )

    await asyncio.gather(*(write(writer) for writer in range(12)))

    shared = (await summaries(client, run_id))["shared"]
    assert (shared["count"], shared["min"], shared["max"]) == (240, 0.0, 11019.0)
    assert (shared["first_step"], shared["last_step"]) == (0, 11019)
    series = (await read(client, run_id, "shared"))[0]
    assert series["value"] == [float(step) for step in series["step"]]
    ordinals = await connection.fetch("SELECT ordinal FROM metrics.batches ORDER BY ordinal")
    assert [row["ordinal"] for row in ordinals] == list(range(1, 241))


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(values=st.lists(st.floats(), min_size=1, max_size=50))
async def test_every_float_comes_back_as_it_went_in(
    client: TestClient, new_run: Any, values: list[float]
) -> None:
    run_id = await new_run()
    sent = [said(value) for value in values]
    await log(client, run_id, points(step=list(range(len(values))), value=sent))

    series = (await read(client, run_id, "loss"))[0]
    assert series["value"] == sent
    assert [str(value) for value in series["value"]] == [str(value) for value in sent]


async def test_steps_reach_over_all_of_64_bits(client: TestClient, run_id: UUID) -> None:
    ends = [-(2**63), -1, 0, 2**53 + 1, 2**63 - 1]
    await log(client, run_id, points(step=ends, value=[1, 2, 3, 4, 5]))

    assert (await read(client, run_id, "loss"))[0]["step"] == ends
    summary = (await summaries(client, run_id))["loss"]
    assert (summary["first_step"], summary["last_step"]) == (ends[0], ends[-1])


async def test_one_key_is_one_series_however_it_is_written(
    client: TestClient, run_id: UUID
) -> None:
    await log(
        client,
        run_id,
        points("pr\u00e4zision", step=[1], value=[1]),
        points(" pra\u0308zision ", step=[1], value=[2]),
    )

    (series,) = await read(client, run_id, "pra\u0308zision")
    assert (series["key"], series["value"]) == ("pr\u00e4zision", [1.0, 2.0])


BAD: list[tuple[Any, set[str]]] = [
    ({}, {"#/series"}),
    ({"series": []}, {"#/series"}),
    ({"series": {}}, {"#/series"}),
    ({"series": [{}]}, {"#/series/0/key", "#/series/0/step", "#/series/0/value"}),
    ({"series": [points(step=[], value=[])]}, {"#/series/0"}),
    ({"series": [points(step=[1, 2], value=[1])]}, {"#/series/0"}),
    ({"series": [points(step=[1], value=[1], time=[])]}, {"#/series/0"}),
    ({"series": [points("", step=[1], value=[1])]}, {"#/series/0/key"}),
    ({"series": [points("x" * 251, step=[1], value=[1])]}, {"#/series/0/key"}),
    ({"series": [points("a\nb", step=[1], value=[1])]}, {"#/series/0/key"}),
    ({"series": [points("a\0b", step=[1], value=[1])]}, {"#/series/0/key"}),
    ({"series": [points(step=[1.5], value=[1])]}, {"#/series/0/step/0"}),
    ({"series": [points(step=["1"], value=[1])]}, {"#/series/0/step/0"}),
    ({"series": [points(step=[True], value=[1])]}, {"#/series/0/step/0"}),
    ({"series": [points(step=[2**63], value=[1])]}, {"#/series/0/step/0"}),
    ({"series": [points(step=[-(2**63) - 1], value=[1])]}, {"#/series/0/step/0"}),
    ({"series": [points(step="1", value=[1])]}, {"#/series/0/step"}),
    ({"series": [points(step=[1], value=None)]}, {"#/series/0/value"}),
    (
        {"series": [points(step=[1, 2, 3, 4], value=["nan", None, True, "1.5"])]},
        {f"#/series/0/value/{index}" for index in range(4)},
    ),
    ({"series": [points(step=[1, 2], value=[1, [2]])]}, {"#/series/0/value/1"}),
    ({"series": [points(step=[1], value=[1], time=[0])]}, {"#/series/0/time/0"}),
    (
        {"series": [points(step=[1], value=[1], time=[NOW_US + 90_000_000_000])]},
        {"#/series/0/time/0"},
    ),
    ({"series": [points(step=[1], value=[1], time=[NOW_US // 1000])]}, {"#/series/0/time/0"}),
    ({"series": [points(step=[1], value=[1], colour="red")]}, {"#/series/0/colour"}),
    ({"series": [points(step=[1], value=[1])], "run": 1}, {"#/run"}),
    ({"series": [points(step=[1], value=[1])], "batch_id": "x"}, {"#/batch_id"}),
    (
        {"series": [points(step=list(range(10_001)), value=[0] * 10_001)]},
        {"#"},
    ),
    (
        {
            "series": [points("good", step=[1], value=[1]), points("bad", step=[1], value=[{}])],
        },
        {"#/series/1/value/0"},
    ),
]


@pytest.mark.parametrize(("body", "pointers"), BAD)
async def test_a_bad_batch_is_refused_whole_and_every_mistake_is_named(
    client: TestClient, run_id: UUID, body: Any, pointers: set[str]
) -> None:
    response = await client.post(f"/api/v1/runs/{run_id}/metrics", json=body, headers=EDITOR)

    problem = await response.json()
    assert response.status == 422, problem
    assert {error["pointer"] for error in problem["errors"]} == pointers
    assert await summaries(client, run_id) == {}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"series": [{"key": "a", "step": [1], "value": [NaN]}]}', 400),
        (b'{"series": [{"key": "a", "step": [1], "value": [1e999]}]}', 400),
        (b'{"series": [{"key": "a", "step": [1], "value": [' + b"9" * 400 + b"]}]}", 400),
        (b'{"series": [{"key": "a", "step": [1], "value": [1]', 400),
        (b'{"series": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
        (b"null", 422),
        (b'{"series": "' + b"x" * (17 << 20) + b'"}', 413),
    ],
)
async def test_what_is_no_json_or_too_much_of_it_is_refused(
    client: TestClient, run_id: UUID, body: bytes, status: int
) -> None:
    response = await client.post(
        f"/api/v1/runs/{run_id}/metrics",
        data=body,
        headers={**EDITOR, "Content-Type": "application/json"},
    )
    assert response.status == status
    assert response.content_type == "application/problem+json"


async def test_numbers_of_many_digits_become_the_nearest_float(
    client: TestClient, run_id: UUID
) -> None:
    body = (
        b'{"series": [{"key": "a", "step": [1, 2, 3],'
        b' "value": [123456789012345678901234567890, 0.1000000000000000055511151231257827, -0.0]}]}'
    )
    response = await client.post(
        f"/api/v1/runs/{run_id}/metrics",
        data=body,
        headers={**EDITOR, "Content-Type": "application/json"},
    )
    assert response.status == 200, await response.text()
    (series,) = await read(client, run_id, "a")
    assert [str(value) for value in series["value"]] == ["1.2345678901234568e+29", "0.1", "-0.0"]


async def test_ten_thousand_points_of_as_many_metrics_are_one_batch(
    client: TestClient, run_id: UUID
) -> None:
    series = [points(f"key/{number:05}", step=[number], value=[number]) for number in range(10_000)]
    assert (await log(client, run_id, *series))["accepted"] == 10_000
    (last,) = await read(client, run_id, "key/09999")
    assert last["step"] == [9999]


async def test_who_may_log_is_decided_by_the_runs_project(
    client: TestClient, run_id: UUID, new_run: Any, people: KnownPeople, project_id: UUID
) -> None:
    foreign = await new_run(project=uuid4())
    body = {"series": [points(step=[1], value=[1])]}

    async def status(run: UUID, token: str | None) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = await client.post(f"/api/v1/runs/{run}/metrics", json=body, headers=headers)
        return response.status

    assert await status(run_id, None) == 401
    assert await status(run_id, "nobody") == 401
    assert await status(run_id, "outsider") == 404
    assert await status(run_id, "admin") == 404
    assert await status(run_id, "viewer") == 403
    assert await status(run_id, "owner") == 200
    assert await status(foreign, "owner") == 404
    assert await status(uuid4(), "owner") == 404
    people.archived.add(project_id)
    assert await status(run_id, "owner") == 409


async def test_an_archived_run_takes_no_more_points(client: TestClient, new_run: Any) -> None:
    for status, expected in (("archived", 409), ("succeeded", 200), ("draft", 200)):
        run_id = await new_run(status=status)
        response = await client.post(
            f"/api/v1/runs/{run_id}/metrics",
            json={"series": [points(step=[1], value=[1])]},
            headers=EDITOR,
        )
        assert response.status == expected
        if expected == 409:
            assert (await response.json())["type"] == "/problems/run-archived"


async def test_the_published_view_holds_the_latest_values(
    client: TestClient, run_id: UUID, project_id: UUID, connection: Connection
) -> None:
    await log(client, run_id, points(step=[5, 9, 7], value=[1, "NaN", 3], time=[NOW_US] * 3))

    row = await connection.fetchrow("SELECT * FROM metrics.latest WHERE run_id = $1", run_id)
    assert row
    assert list(row.keys()) == ["project_id", "run_id", "key", "value", "step", "time"]
    assert row["project_id"] == project_id
    assert (row["key"], str(row["value"]), row["step"]) == ("loss", "nan", 9)
    assert row["time"] == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=NOW_US)

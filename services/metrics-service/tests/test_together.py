"""Calls that come together share a transaction, and nothing else."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiohttp.test_utils import TestClient
from metrics_api import EDITOR, log, points, read, summaries
from metrics_service.jobs.writer import WRITER
from servicekit.database import Connection


async def test_many_small_calls_share_few_transactions(
    client: TestClient, new_run: Any, connection: Connection
) -> None:
    runs = [await new_run() for _ in range(20)]
    before = await connection.fetchval("SELECT pg_current_xact_id()::text::bigint")
    await asyncio.gather(
        *(
            log(client, run_id, points(step=[step], value=[step]), batch_id=str(uuid4()))
            for step in range(20)
            for run_id in runs
        )
    )
    after = await connection.fetchval("SELECT pg_current_xact_id()::text::bigint")
    assert after - before < 200

    for run_id in runs:
        (series,) = await read(client, run_id, "loss")
        assert (series["step"], series["ordinal"]) == (list(range(20)), 20)


async def test_a_call_that_is_refused_does_not_hurt_its_neighbours(
    client: TestClient, new_run: Any
) -> None:
    running, archived = await new_run(), await new_run(status="archived")

    async def status(run_id: UUID, step: int) -> int:
        response = await client.post(
            f"/api/v1/runs/{run_id}/metrics",
            json={"series": [points(step=[step], value=[step])]},
            headers=EDITOR,
        )
        return response.status

    answers = await asyncio.gather(
        *(status(archived if step % 3 == 0 else running, step) for step in range(60))
    )
    assert answers == [409 if step % 3 == 0 else 200 for step in range(60)]
    assert (await summaries(client, running))["loss"]["count"] == 40


async def test_a_row_that_the_database_refuses_does_not_hurt_its_neighbours(
    client: TestClient, run_id: UUID, connection: Connection
) -> None:
    await connection.execute("ALTER TABLE metrics.series ADD CHECK (key <> 'unwanted')")

    async def status(key: str) -> int:
        response = await client.post(
            f"/api/v1/runs/{run_id}/metrics",
            json={"series": [points(key, step=[1], value=[1])]},
            headers=EDITOR,
        )
        return response.status

    keys = [f"k{number}" if number % 10 else "unwanted" for number in range(40)]
    answers = await asyncio.gather(*map(status, keys))
    assert [answer == 200 for answer in answers] == [key != "unwanted" for key in keys]
    assert len(await summaries(client, run_id, limit=100)) == 36


async def test_a_caller_that_leaves_takes_nobody_with_it(client: TestClient, run_id: UUID) -> None:
    calls = [
        asyncio.create_task(log(client, run_id, points(f"k{n}", step=[1], value=[1])))
        for n in range(40)
    ]
    await asyncio.sleep(0.002)
    for call in calls[::2]:
        call.cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(answer, dict) for answer in answers[1::2])
    stored = await summaries(client, run_id, limit=100)
    assert {f"k{n}" for n in range(1, 40, 2)} <= stored.keys()


async def test_more_than_can_wait_is_refused_with_a_time_to_come_again(
    client: TestClient, run_id: UUID, connection: Connection
) -> None:
    """A lock holds the writer up, as a database that does not keep up would."""
    writer = client.app[WRITER]
    writer._most_waiting = 500
    await log(client, run_id, points(step=[0], value=[0]))

    async def call(step: int) -> tuple[int, str | None]:
        response = await client.post(
            f"/api/v1/runs/{run_id}/metrics",
            json={"series": [points(step=[step], value=[step])]},
            headers=EDITOR,
        )
        return response.status, response.headers.get("Retry-After")

    async with connection.transaction():
        await connection.execute("SELECT FROM metrics.owners FOR UPDATE")
        calls = [asyncio.create_task(call(step)) for step in range(1, 61)]
        done: set[Any] = set()
        while not done:
            done, _ = await asyncio.wait(calls, timeout=0.2)
    answers = await asyncio.gather(*calls)
    taken = sum(status == 200 for status, _ in answers)
    assert {answer for answer in answers if answer[0] != 200} == {(503, "1")}
    assert 20 <= taken < 60
    (series,) = await read(client, run_id, "loss")
    assert series["count"] == taken + 1


async def test_small_chunks_are_merged_while_the_service_runs(
    client: TestClient, run_id: UUID, connection: Connection
) -> None:
    for first in range(0, 5000, 20):
        steps = list(range(first, first + 20))
        await log(client, run_id, points(step=steps, value=steps))
    async with asyncio.timeout(30):
        while await connection.fetchval("SELECT count(*) FROM metrics.chunks") > 50:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    (series,) = await read(client, run_id, "loss", points=10_000)
    assert series["step"] == list(range(5000))


async def test_a_database_that_goes_away_under_a_group_is_a_503_for_all_of_it(
    client: TestClient, run_id: UUID, connection: Connection, database_url: str
) -> None:
    await log(client, run_id, points(step=[0], value=[0]))

    async def status(step: int) -> int:
        response = await client.post(
            f"/api/v1/runs/{run_id}/metrics",
            json={"series": [points(step=[step], value=[step])]},
            headers=EDITOR,
        )
        return response.status

    async with connection.transaction():
        await connection.execute("SELECT FROM metrics.owners FOR UPDATE")
        calls = [asyncio.create_task(status(step)) for step in range(1, 11)]
        await asyncio.sleep(0.3)
        other = await asyncpg.connect(database_url)
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'metrics'"
        )
        await other.close()
        answers = await asyncio.gather(*calls)
    assert set(answers) <= {200, 503}
    assert 503 in answers
    (series,) = await read(client, run_id, "loss")
    assert series["count"] == 1 + answers.count(200)

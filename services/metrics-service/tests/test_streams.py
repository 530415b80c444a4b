"""Following many runs on one connection."""

import asyncio
import random
from collections import defaultdict
from typing import Any
from uuid import UUID, uuid4

from aiohttp.test_utils import TestClient
from metrics_api import VIEWER, Viewer, log, points, read, watch_runs
from seriesstore.compact import compact
from servicekit.database import Connection
from servicekit.testing.identity import KnownPeople


async def collect(viewer: Viewer, count: int) -> dict[str, list[tuple[str, int]]]:
    """The next points by run, as (key, step)."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    while sum(map(len, found.values())) < count:
        name, data = await viewer.next()
        assert name == "metrics", name
        for series in data["series"]:
            found[data["run_id"]] += [(series["key"], step) for step in series["step"]]
    assert sum(map(len, found.values())) == count
    return found


async def test_one_connection_follows_many_runs(
    client: TestClient, new_run: Any, connection: Connection
) -> None:
    runs = [await new_run() for _ in range(5)]
    await log(client, runs[0], points(step=[1, 2], value=[1, 2]))
    async with watch_runs(client, *runs) as viewer:
        assert await collect(viewer, 2) == {str(runs[0]): [("loss", 1), ("loss", 2)]}
        for step in range(3, 6):
            for run_id in runs:
                await log(client, run_id, points(step=[step], value=[step]))
        found = await collect(viewer, 15)
        assert found == {str(run): [("loss", step) for step in range(3, 6)] for run in runs}
        await connection.execute(
            "UPDATE experiment.published_runs SET status = 'failed' WHERE run_id = $1", runs[3]
        )
        assert await viewer.next() == ("run", {"run_id": str(runs[3]), "status": "failed"})


async def test_only_the_chosen_metrics_come(client: TestClient, run_id: UUID) -> None:
    async with watch_runs(client, run_id, key=["a", "b"]) as viewer:
        for step in range(3):
            await log(client, run_id, points("noise", step=[step], value=[0]))
            await log(
                client,
                run_id,
                *(points(key, step=[step], value=[0]) for key in ("noise", "a", "b")),
            )
        found = (await collect(viewer, 6))[str(run_id)]
    assert sorted(found) == [(key, step) for key in "ab" for step in range(3)]


async def test_a_stream_of_many_goes_on_exactly_where_it_was_left(
    client: TestClient, new_run: Any, connection: Connection
) -> None:
    """Viewers come and go, and small chunks are merged meanwhile: every point comes once."""
    chance = random.Random(4)  # noqa: S311
    runs = [await new_run() for _ in range(3)]
    seen: dict[str, list[int]] = defaultdict(list)
    last = ""

    async def write(run_id: UUID) -> None:
        for step in range(80):
            await log(client, run_id, points("loss", step=[step], value=[step]))

    async def merge() -> None:
        await connection.execute("SET search_path TO metrics")
        while not all(writer.done() for writer in writers):
            await compact(connection, idle_sec=0)
            await asyncio.sleep(0.02)

    writers = [asyncio.create_task(write(run_id)) for run_id in runs]
    merging = asyncio.create_task(merge())
    while sum(map(len, seen.values())) < 240:
        start: dict[str, Any] = {}
        if last:
            start = (
                {"after": last} if chance.random() < 0.5 else {"headers": {"Last-Event-ID": last}}
            )
        async with watch_runs(client, *runs, **start) as viewer:
            for _ in range(chance.randint(1, 5)):
                _, data = await viewer.next()
                seen[data["run_id"]] += [s for one in data["series"] for s in one["step"]]
                last = viewer.place
                if sum(map(len, seen.values())) >= 240:
                    break
    await asyncio.gather(*writers, merging)
    assert seen == {str(run_id): list(range(80)) for run_id in runs}


async def test_the_ordinals_of_series_are_where_their_stream_goes_on(
    client: TestClient, new_run: Any
) -> None:
    runs = [await new_run() for _ in range(2)]
    for run_id in runs:
        await log(client, run_id, points(step=[1], value=[1]))
    after = [f"{run_id}:{(await read(client, run_id, 'loss'))[0]['ordinal']}" for run_id in runs]
    for run_id in runs:
        await log(client, run_id, points(step=[2], value=[2]))
    async with watch_runs(client, *runs, after=",".join(after)) as viewer:
        assert await collect(viewer, 2) == {str(run_id): [("loss", 2)] for run_id in runs}
    async with watch_runs(client, *runs, after=after[0]) as viewer:
        assert len((await collect(viewer, 3))[str(runs[1])]) == 2


async def test_an_id_of_other_runs_is_refused(client: TestClient, new_run: Any) -> None:
    one, two = [await new_run() for _ in range(2)]
    await log(client, one, points(step=[1], value=[1]))
    async with watch_runs(client, one, two) as viewer:
        await collect(viewer, 1)
        place = viewer.place
    response = await client.get(
        f"/api/v1/metrics/stream?run_id={two}&run_id={one}&after={place}", headers=VIEWER
    )
    assert response.status == 422


async def test_who_loses_one_of_the_runs_is_sent_away(
    client: TestClient, new_run: Any, people: KnownPeople, project_id: UUID
) -> None:
    other = uuid4()
    user_id = people.principals["viewer"].user_id
    people.roles[user_id, other] = people.roles[user_id, project_id]
    runs = [await new_run(), await new_run(project=other)]
    async with watch_runs(client, *runs) as viewer:
        del people.roles[user_id, other]
        await viewer.end()


async def test_who_does_not_read_is_no_burden_for_those_who_log_and_those_who_do(
    client: TestClient, run_id: UUID
) -> None:
    async with watch_runs(client, run_id) as idle, watch_runs(client, run_id) as quick:
        for first in range(0, 200_000, 10_000):
            steps = list(range(first, first + 10_000))
            await log(client, run_id, points(step=steps, value=steps))
            assert sum(map(len, (await collect(quick, 10_000)).values())) == 10_000
        found = (await collect(idle, 200_000))[str(run_id)]
    assert [step for _, step in found] == list(range(200_000))

"""Following a run live."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from aiohttp.test_utils import TestClient
from metrics_api import EDITOR, Viewer, log, points, read, watch
from servicekit.application import LIFECYCLE
from servicekit.database import Connection
from servicekit.testing.identity import KnownPeople

type StartApp = Callable[..., Awaitable[TestClient]]


async def test_points_arrive_in_the_order_they_were_logged(
    client: TestClient, run_id: UUID
) -> None:
    await log(client, run_id, points("before", step=[3, 1], value=[1, "NaN"]))
    async with watch(client, run_id) as viewer:
        assert await viewer.points(2) == [("before", 3, 1.0), ("before", 1, "NaN")]
        assert viewer.position == 1
        for step in range(5):
            await log(client, run_id, points("loss", step=[step], value=[step / 2]))
            assert await viewer.points(1) == [("loss", step, step / 2)]
        assert viewer.position == 6


async def test_a_stream_goes_on_exactly_where_it_was_left(client: TestClient, run_id: UUID) -> None:
    """A viewer that comes and goes at any moment gets every point once."""
    chance = random.Random(3)  # noqa: S311
    seen: list[int] = []
    last = 0

    async def write() -> None:
        for step in range(300):
            await log(client, run_id, points("loss", step=[step], value=[step]))

    writer = asyncio.create_task(write())
    while len(seen) < 300:
        start: dict[str, Any] = (
            {"after": str(last)}
            if chance.random() < 0.5
            else {"headers": {"Last-Event-ID": str(last)}}
        )
        async with watch(client, run_id, **start) as viewer:
            for _ in range(chance.randint(1, 4)):
                name, data = await viewer.next()
                assert name == "metrics"
                seen += [step for series in data["series"] for step in series["step"]]
                last = viewer.position
                if len(seen) >= 300:
                    break
    await writer
    assert seen == list(range(300))


async def test_the_ordinal_of_a_series_is_where_its_stream_goes_on(
    client: TestClient, run_id: UUID
) -> None:
    async def write() -> None:
        for step in range(100):
            await log(client, run_id, points("loss", step=[step], value=[step]))

    writer = asyncio.create_task(write())
    for _ in range(5):
        await asyncio.sleep(0.05)
        (series,) = await read(client, run_id, "loss")
        have = series["step"]
        async with watch(client, run_id, after=str(series["ordinal"])) as viewer:
            have += [step for _, step, _ in await viewer.points(100 - len(have))]
        assert have == list(range(100))
    await writer


async def test_many_viewers_see_the_same(client: TestClient, run_id: UUID) -> None:
    timeout = ClientTimeout(total=60)
    address = client.make_url(f"/api/v1/runs/{run_id}/metrics/stream")
    connector = TCPConnector(limit=0)
    async with (
        ClientSession(timeout=timeout, connector=connector) as session,
        asyncio.TaskGroup() as group,
    ):
        responses = [
            await session.get(address, headers={"Authorization": "Bearer viewer"})
            for _ in range(120)
        ]
        reading = [group.create_task(Viewer(response).points(50)) for response in responses]
        for step in range(50):
            await log(client, run_id, points("loss", step=[step], value=[step]))
        expected = [("loss", step, float(step)) for step in range(50)]
        for task in reading:
            assert await task == expected


async def test_a_viewer_that_was_slow_misses_nothing(client: TestClient, run_id: UUID) -> None:
    """It falls behind what is kept for all and reads on by itself."""
    async with watch(client, run_id) as slow, watch(client, run_id) as quick:
        for first in range(0, 300_000, 10_000):
            steps = list(range(first, first + 10_000))
            await log(client, run_id, points("loss", step=steps, value=steps))
            assert len(await quick.points(10_000)) == 10_000
        assert [step for _, step, _ in await slow.points(300_000)] == list(range(300_000))


async def test_an_id_from_the_future_begins_at_the_end(client: TestClient, run_id: UUID) -> None:
    await log(client, run_id, points(step=[1], value=[1]))
    async with watch(client, run_id, after="999999") as viewer:
        await asyncio.sleep(0.2)
        await log(client, run_id, points(step=[2], value=[2]))
        assert await viewer.points(1) == [("loss", 2, 2.0)]


async def test_the_end_of_a_run_is_told_after_its_last_points(
    client: TestClient, run_id: UUID, connection: Connection
) -> None:
    async def become(status: str) -> None:
        await connection.execute(
            "UPDATE experiment.published_runs SET status = $2 WHERE run_id = $1", run_id, status
        )

    async with watch(client, run_id) as viewer:
        await log(client, run_id, points(step=[1], value=[1]))
        await become("interrupted")
        assert await viewer.points(1) == [("loss", 1, 1.0)]
        assert await viewer.next() == ("run", {"status": "interrupted"})
        await become("running")
        assert await viewer.next() == ("run", {"status": "running"})
        await become("succeeded")
        assert await viewer.next() == ("run", {"status": "succeeded"})
        await log(client, run_id, points(step=[2], value=[2]))
        assert await viewer.points(1) == [("loss", 2, 2.0)]

    async with watch(client, run_id) as later:
        assert len(await later.points(2)) == 2
        assert await later.next() == ("run", {"status": "succeeded"})


async def test_points_logged_in_another_process_arrive_without_a_broker(
    start_app: StartApp, run_id: UUID
) -> None:
    one, other = await start_app(), await start_app()
    async with watch(one, run_id) as viewer:
        for step in range(3):
            await log(other, run_id, points(step=[step], value=[step]))
            assert await viewer.points(1) == [("loss", step, float(step))]


async def test_points_logged_in_another_process_arrive_through_valkey(
    start_app: StartApp, run_id: UUID, valkey_url: str
) -> None:
    one, other = [await start_app(telemetry_broker_url=valkey_url) for _ in range(2)]
    async with watch(one, run_id) as viewer:
        for step in range(20):
            await log(other, run_id, points(step=[step], value=[step]))
            assert await viewer.points(1) == [("loss", step, float(step))]


async def test_a_broker_that_is_away_delays_but_loses_nothing(
    start_app: StartApp, run_id: UUID
) -> None:
    one, other = [await start_app(telemetry_broker_url="redis://127.0.0.1:1/0") for _ in range(2)]
    async with watch(one, run_id) as viewer:
        await log(other, run_id, points(step=[1], value=[1]))
        assert await viewer.points(1) == [("loss", 1, 1.0)]


async def test_a_stop_ends_every_stream_and_the_next_process_goes_on(
    start_app: StartApp, run_id: UUID
) -> None:
    one, other = await start_app(), await start_app()
    await log(one, run_id, points(step=[1], value=[1]))
    one.app[
        LIFECYCLE
    ].draining.set()  # who comes now has been sent by a gateway that has not seen it
    async with watch(one, run_id) as viewer:
        await viewer.points(1)
        await log(one, run_id, points(step=[2], value=[2]))
        assert await viewer.points(1) == [("loss", 2, 2.0)]
        one.app[LIFECYCLE].closing.set()
        await viewer.end()
        position = viewer.position
    await log(other, run_id, points(step=[3], value=[3]))
    async with watch(other, run_id, after=str(position)) as viewer:
        assert await viewer.points(1) == [("loss", 3, 3.0)]
    refused = await one.get(
        f"/api/v1/runs/{run_id}/metrics/stream", headers={"Authorization": "Bearer viewer"}
    )
    assert refused.status == 503


async def test_who_loses_the_right_to_watch_is_sent_away(
    client: TestClient, run_id: UUID, people: KnownPeople, project_id: UUID
) -> None:
    async with watch(client, run_id, token="viewer") as viewer, watch(client, run_id) as signed_out:
        del people.roles[people.principals["viewer"].user_id, project_id]
        await viewer.end()
        await signed_out.end()
    async with watch(client, run_id, token="editor") as viewer:
        del people.principals["editor"]
        await viewer.end()


async def test_a_stream_survives_a_database_that_drops_its_connections(
    client: TestClient, run_id: UUID, connection: Connection
) -> None:
    async with watch(client, run_id) as viewer:
        await log(client, run_id, points(step=[1], value=[1]))
        await viewer.points(1)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        for _ in range(20):
            response = await client.post(
                f"/api/v1/runs/{run_id}/metrics",
                json={"series": [points(step=[2], value=[2])], "batch_id": str(uuid4())},
                headers=EDITOR,
            )
            if response.status == 200:
                break
            assert response.status == 503
        assert await viewer.points(1) == [("loss", 2, 2.0)]

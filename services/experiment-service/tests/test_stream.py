"""Following a project's runs live."""

import asyncio
import json
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient
from experiment_api import eventually
from experiment_service.app import create_app
from experiment_service.jobs.feeds import VIEWERS
from servicekit.application import LIFECYCLE

WITHIN_SEC = 20


class Viewer:
    """An open event stream, read event by event."""

    def __init__(self, response) -> None:
        self.response = response
        self.last_id = ""

    async def next(self) -> tuple[str, dict]:
        """The next event and its data; comments are passed over."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(WITHIN_SEC):
            while True:
                line = (await self.response.content.readline()).decode().rstrip("\n")
                if not line and "event" in fields:
                    self.last_id = fields.get("id", self.last_id)
                    return fields["event"], json.loads(fields["data"])
                name, _, value = line.partition(": ")
                fields[name] = value

    async def runs(self, count: int) -> list[tuple[str, str]]:
        """Name and status of the runs in the next events."""
        events = [await self.next() for _ in range(count)]
        assert {event for event, _ in events} == {"run"}
        return [(run["name"], run["status"]) for _, run in events]

    async def ended(self) -> bool:
        async with asyncio.timeout(WITHIN_SEC):
            return b"event: run" not in await self.response.content.read()


@pytest.fixture
def watch(client: TestClient, project_id):
    @asynccontextmanager
    async def watch(token: str = "viewer", **params: str):
        headers = {"Authorization": f"Bearer {token}"}
        if last := params.pop("last_event_id", None):
            headers["Last-Event-ID"] = last
        path = f"/api/v1/projects/{project_id}/runs/stream"
        async with client.get(path, headers=headers, params=params) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "text/event-stream"
            yield Viewer(response)

    return watch


async def _settle(connection) -> None:
    """Let what has happened be long ago for new viewers."""
    await connection.execute("UPDATE experiment.runs SET updated_at = now() - interval '1 hour'")


async def test_a_viewer_sees_every_change_of_a_run(api, experiment, connection, watch) -> None:
    await api.run(experiment, name="before")
    await _settle(connection)
    async with watch() as viewer:
        assert await viewer.next() == ("ready", {})
        run = await api.run(experiment, name="live")
        event, told = await viewer.next()
        assert (event, told) == ("run", run)
        await api.patch(f"/api/v1/runs/{run['id']}", {"status": "succeeded"})
        assert await viewer.runs(1) == [("live", "succeeded")]


async def test_a_new_viewer_is_told_what_changed_just_before(api, run, watch) -> None:
    async with watch() as viewer:
        await viewer.next()
        assert await viewer.runs(1) == [("first", "running")]


@pytest.mark.parametrize("how", ["last_event_id", "after"])
async def test_a_viewer_that_returns_misses_and_repeats_nothing(
    api, experiment, watch, how
) -> None:
    async with watch() as viewer:
        await viewer.next()
        runs = [await api.run(experiment, name=name) for name in "abc"]
        assert await viewer.runs(2) == [("a", "running"), ("b", "running")]
        seen = viewer.last_id
    await api.post(
        f"{api.project}/runs/bulk-status",
        {"run_ids": [run["id"] for run in runs], "status": "failed"},
    )
    await api.run(experiment, name="d")

    async with watch(**{how: seen}) as viewer:
        await viewer.next()
        first = await viewer.runs(2)
        assert set(first) < {("a", "failed"), ("b", "failed"), ("c", "failed")}
        middle = viewer.last_id
    async with watch(**{how: middle}) as viewer:
        await viewer.next()
        rest = await viewer.runs(2)
    assert sorted(first + rest) == [(n, "failed") for n in "abc"] + [("d", "running")]


async def test_no_change_is_missed_while_many_are_made_at_once(
    api, experiment, connection, watch
) -> None:
    await _settle(connection)
    async with watch() as viewer:
        await viewer.next()
        runs = await asyncio.gather(
            *(api.run(experiment, name=f"run {number}") for number in range(30))
        )
        await asyncio.gather(
            *(api.patch(f"/api/v1/runs/{run['id']}", {"status": "failed"}) for run in runs)
        )
        last: dict[str, str] = {}
        while len(last) < 30 or set(last.values()) != {"failed"}:
            ((name, status),) = await viewer.runs(1)
            last[name] = status


async def test_a_viewer_is_told_when_metrics_of_a_running_run_move(
    api, run, connection, watch
) -> None:
    await connection.execute(
        """
        CREATE SCHEMA metrics;
        CREATE TABLE metrics.latest
            (run_id uuid, key text, value double precision, step bigint, time timestamptz);
        """
    )
    await _settle(connection)
    async with watch() as viewer:
        await viewer.next()
        seen = viewer.last_id
        async with asyncio.timeout(WITHIN_SEC):
            step = 0
            told = asyncio.create_task(viewer.next())
            # Where metrics stand is learnt first; what moves after that is told.
            while not told.done():
                step += 1
                await connection.execute("DELETE FROM metrics.latest")
                await connection.execute(
                    "INSERT INTO metrics.latest VALUES ($1, 'loss', $2, $3, now())",
                    run["id"],
                    1 / step,
                    step,
                )
                await asyncio.wait([told], timeout=0.5)
        event, data = await told
        assert (event, data["id"]) == ("run", run["id"])
        assert data["metrics"]["loss"] <= 1
        assert viewer.last_id == seen


async def test_a_viewer_far_behind_is_told_everything_once(api, experiment, watch) -> None:
    runs = [await api.run(experiment, name=f"{number:03}") for number in range(120)]
    async with watch(after=f"0-{'0' * 32}") as viewer:
        await viewer.next()
        assert [name for name, _ in await viewer.runs(120)] == [run["name"] for run in runs]


async def test_a_viewer_ahead_of_everything_starts_at_the_end(api, run, watch) -> None:
    async with watch(after=f"{2**62}-{'f' * 32}") as viewer:
        await viewer.next()
        await api.patch(f"/api/v1/runs/{run['id']}", {"notes": "x"})
        assert await viewer.runs(1) == [("first", "running")]


@pytest.mark.parametrize("after", ["x", "1", "-1-" + "0" * 32, f"{2**63}-{'0' * 32}", "1-2"])
async def test_an_id_that_was_never_sent_is_refused(api, after) -> None:
    await api.get(f"{api.project}/runs/stream", params={"after": after}, status=400)


async def test_a_viewer_sees_its_own_project_only(api, experiment, people, client, watch) -> None:
    other = uuid4()
    people.roles[people.principals["editor"].user_id, other] = "editor"
    async with watch() as viewer:
        await viewer.next()
        response = await client.post(f"/api/v1/projects/{other}/experiments", json={"name": "x"})
        foreign = await response.json()
        await client.post(f"/api/v1/experiments/{foreign['id']}/runs", json={"name": "foreign"})
        await api.run(experiment, name="own")
        assert await viewer.runs(1) == [("own", "running")]


async def test_a_viewer_who_is_removed_sees_no_more(
    api, people, project_id, watch, monkeypatch
) -> None:
    monkeypatch.setattr("experiment_service.jobs.feeds.ADMIT_EVERY_SEC", 0.1)
    async with watch() as viewer:
        await viewer.next()
        del people.roles[people.principals["viewer"].user_id, project_id]
        assert await viewer.ended()


async def test_streams_end_when_the_service_is_about_to_stop(client, watch) -> None:
    async with watch() as viewer:
        await viewer.next()
        client.app[LIFECYCLE].closing.set()
        assert await viewer.ended()


def _viewers() -> float:
    return VIEWERS.collect()[0].samples[0].value


async def test_a_viewer_that_leaves_is_noticed(watch) -> None:
    before = _viewers()
    async with watch() as viewer:
        await viewer.next()
        assert _viewers() == before + 1

    async def noticed() -> bool:
        return _viewers() == before

    await eventually(noticed)


async def test_a_change_in_one_process_wakes_viewers_of_another(
    aiohttp_client, settings, people, valkey_url, project_id, api, experiment, monkeypatch
) -> None:
    monkeypatch.setattr("experiment_service.jobs.feeds.POLL_WHEN_WOKEN_SEC", 3600)
    monkeypatch.setattr("experiment_service.jobs.feeds.METRICS_EVERY_SEC", 3600)
    with_broker = settings.model_copy(update={"telemetry_broker_url": valkey_url})
    one, two = [
        await aiohttp_client(
            create_app(with_broker, people), headers={"Authorization": "Bearer editor"}
        )
        for _ in range(2)
    ]
    async with two.get(f"/api/v1/projects/{project_id}/runs/stream") as response:
        viewer = Viewer(response)
        await viewer.next()
        told = asyncio.create_task(viewer.runs(1))
        # A hint from before the processes found the broker is lost.
        while not told.done():
            path = f"/api/v1/experiments/{experiment['id']}/runs"
            assert (await one.post(path, json={"name": "afar"})).status == 201
            await asyncio.wait([told], timeout=0.5)
        assert await told == [("afar", "running")]


async def test_without_its_broker_a_stream_still_moves(
    aiohttp_client, settings, people, project_id, experiment, api
) -> None:
    lonely = settings.model_copy(update={"telemetry_broker_url": "redis://127.0.0.1:1"})
    client = await aiohttp_client(
        create_app(lonely, people), headers={"Authorization": "Bearer editor"}
    )
    async with client.get(f"/api/v1/projects/{project_id}/runs/stream") as response:
        viewer = Viewer(response)
        await viewer.next()
        await api.run(experiment, name="polled")
        assert await viewer.runs(1) == [("polled", "running")]

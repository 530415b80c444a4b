"""What this service tells: on a RabbitMQ, in order, nothing lost while it is away."""

import asyncio
import json
from collections.abc import Iterator
from ipaddress import ip_network
from typing import get_args

import aio_pika
import pytest
from experiment_api import Api, as_, eventually
from experiment_service.app import create_app
from experiment_service.models.events import EVENTS, EventType
from experiment_service.settings import Settings
from servicekit.database import DATABASE
from servicekit.sinks import UNROUTED
from servicekit.testing.rabbitmq import Broker, keep, listening, take_kept


@pytest.fixture(scope="module")
def broker(tmp_path_factory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("rabbitmq"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def settings(settings, broker) -> Settings:
    return settings.model_copy(update={"rabbitmq_url": broker.url})


@pytest.fixture
async def heard(api, broker):
    """The messages of this test's project."""
    async with listening(broker, f"{project_of(api)}.#") as came:
        yield came


def project_of(api: Api) -> str:
    return api.project.rpartition("/")[2]


async def waiting(client) -> int:
    async with client.app[DATABASE].acquire() as connection:
        return await connection.fetchval("SELECT count(*) FROM outbox")


async def step(api, run, status) -> None:
    await api.patch(f"/api/v1/runs/{run['id']}", {"status": status})


async def test_each_step_of_a_run_is_published_in_order(
    api, client, heard, experiment, people
) -> None:
    runs = [await api.run(experiment, name=f"run {n}", status="draft") for n in range(3)]
    for status in ("running", "interrupted", "running", "succeeded"):
        await asyncio.gather(*(step(api, run, status) for run in runs))
    await eventually(lambda: are(of_runs(heard), 15))

    for run in runs:
        mine = [json.loads(one.body) for one in heard if run["id"].encode() in one.body]
        assert [event["type"] for event in mine] == [
            "run.created", "run.started", "run.interrupted", "run.started", "run.succeeded"
        ]  # fmt: skip
    last = of_runs(heard)[-1]
    event = json.loads(last.body)
    assert last.routing_key == f"{project_of(api)}.run.succeeded"
    assert last.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    assert (last.message_id, last.type, last.app_id) == (
        event["id"], "run.succeeded", "experiment-service"
    )  # fmt: skip
    assert last.headers["version"] == event["version"] == 1
    assert event["actor"]["kind"] == "user"
    assert event["actor"]["id"] == str(people.principals["editor"].user_id)
    assert event["data"]["status"] == "succeeded"
    # Where a call came from is for the audit trail alone.
    assert "address" not in event
    await eventually(lambda: is_empty(client))


async def test_nothing_is_told_of_a_change_that_failed(api, client, heard, experiment) -> None:
    run = await api.run(experiment)
    await api.patch(f"/api/v1/runs/{run['id']}", {"status": "draft"}, status=409)
    await api.patch(f"/api/v1/runs/{run['id']}", {"status": "failed"})
    await eventually(lambda: has_type(heard, "run.failed"))
    await eventually(lambda: is_empty(client))

    assert [one.type for one in of_runs(heard)] == ["run.started", "run.failed"]


async def test_what_nobody_listens_for_waits_in_a_queue_of_its_own(
    api, client, broker, experiment
) -> None:
    run = await api.run(experiment)
    await eventually(lambda: is_empty(client))

    async with await aio_pika.connect(broker.url) as connection:
        queue = await (await connection.channel()).get_queue(UNROUTED)
        found = False
        while message := await queue.get(no_ack=True, fail=False):
            found = found or json.loads(message.body)["subject"]["id"] == run["id"]
    assert found


async def test_a_broker_that_is_away_loses_nothing(api, client, broker, experiment) -> None:
    await eventually(lambda: is_empty(client))
    await keep(broker, f"{project_of(api)}.#", queue="kept")

    broker.stop()
    try:
        run = await api.run(experiment)
        for status in ("interrupted", "running", "failed"):
            await step(api, run, status)
        assert await waiting(client) == 4
        assert (await (await client.get("/ready")).json())["status"] == "ready"
    finally:
        broker.start()
    await eventually(lambda: is_empty(client), within=90)

    told = await take_kept(broker, "kept")
    # Once each here; whoever listens has to expect a repeat, and knows it by its id.
    assert [event["type"] for event in {event["id"]: event for event in told}.values()] == [
        "run.started", "run.interrupted", "run.started", "run.failed"
    ]  # fmt: skip


async def test_two_processes_share_a_relay_and_tell_once(
    aiohttp_client, settings, people, api, client, heard, experiment
) -> None:
    await aiohttp_client(create_app(settings, people), headers=as_("editor"))
    runs = await asyncio.gather(*(api.run(experiment, name=f"run {n}") for n in range(40)))
    await eventually(lambda: is_empty(client))
    await eventually(lambda: are(of_runs(heard), 40))

    assert sorted(json.loads(one.body)["subject"]["id"] for one in of_runs(heard)) == sorted(
        run["id"] for run in runs
    )


async def test_the_audit_trail_hears_where_a_call_came_from(
    aiohttp_client, settings, people, project_id
) -> None:
    believing = settings.model_copy(update={"trusted_proxies": [ip_network("127.0.0.1/32")]})
    client = await aiohttp_client(create_app(believing, people), headers=as_("editor"))
    async with client.app[DATABASE].acquire() as connection:
        # Nobody relays to it here, so what is told stays.
        await connection.execute("INSERT INTO outbox_sinks (name) VALUES ('audit')")
    for name, forwarded in (("near", {}), ("far", {"X-Forwarded-For": "10.9.9.9, 203.0.113.7"})):
        await client.post(
            f"/api/v1/projects/{project_id}/experiments", json={"name": name}, headers=forwarded
        )

    async with client.app[DATABASE].acquire() as connection:
        rows = await connection.fetch(
            "SELECT event->'subject'->>'name' AS name, event->>'address' AS address"
            " FROM outbox WHERE sink = 'audit' ORDER BY position"
        )
    assert [tuple(row) for row in rows] == [("near", "127.0.0.1"), ("far", "203.0.113.7")]


def test_what_webhooks_may_choose_is_told() -> None:
    assert set(get_args(EventType.__value__)) <= {kind.name for kind in EVENTS}


def of_runs(heard):
    return [one for one in heard if one.type.startswith("run.")]


async def has_type(heard, kind) -> bool:
    return kind in [one.type for one in heard]


async def are(heard, count) -> bool:
    return len(heard) >= count


async def is_empty(client) -> bool:
    return not await waiting(client)

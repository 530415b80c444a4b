"""A cluster of Valkey: shards, limits and hints on whichever node, and nodes that die."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from buffer_api import batch, settled
from servicekit.broker import Broker
from servicekit.testing.valkey_cluster import Node, ValkeyCluster, until, valkey_cluster
from servicekit.wakeups import Wakeups
from telemetry_api import T0, Sensor, column, new_sensor, send, stored
from valkey.exceptions import ValkeyError

SHARDS = 4
SENSORS = 8
BUFFERED = {"telemetry_buffer": "stream", "telemetry_buffer_shards": str(SHARDS)}
WITHIN_SEC = 30


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[ValkeyCluster]:
    with valkey_cluster(tmp_path_factory.mktemp("valkey")) as nodes:
        yield nodes


@pytest.fixture
def nodes(running: ValkeyCluster) -> ValkeyCluster:
    """Three primaries, all there, which hold nothing."""
    for node in running.nodes:
        node.client.flushall()
    return running


@pytest.fixture
async def sensors(connection, project_id) -> list[Sensor]:
    """Sensors of every shard."""
    found: dict[int, list[Sensor]] = {shard: [] for shard in range(SHARDS)}
    number = 0
    while any(len(each) < SENSORS // SHARDS for each in found.values()):
        number += 1
        sensor = await new_sensor(connection, project_id, f"s{number}", ("temperature",))
        found[sensor.id.int % SHARDS].append(sensor)
    return [sensor for each in found.values() for sensor in each[: SENSORS // SHARDS]]


def node_of(nodes: ValkeyCluster, sensor: Sensor) -> Node:
    return nodes.holding(f"runbench:buffer:{{{sensor.id.int % SHARDS}}}")


async def test_shards_on_several_nodes_are_moved_each_once(
    start_app, nodes, sensors, connection
) -> None:
    assert len({node_of(nodes, sensor).port for sensor in sensors}) > 1
    clients = [await start_app(telemetry_broker_url=nodes.url, **BUFFERED) for _ in range(2)]
    for number in range(10):
        body = batch(number, producer="p", sequence=number)
        for each, sensor in enumerate(sensors):
            for repeat in range(2):
                answer = await send(clients[(each + repeat) % 2], sensor, body)
                assert (answer["accepted"], answer["duplicate"]) == (1, False)
    for sensor in sensors:
        assert await settled(connection, sensor, 10) == [(T0 + n, float(n)) for n in range(10)]
    async with clients[0].get("/ready") as response:
        assert (await response.json())["dependencies"]["buffer"] == "ok"
    async with clients[0].get("/metrics") as response:
        text = await response.text()
    assert all(f'telemetry_buffer_bytes{{shard="{n}"}}' in text for n in range(SHARDS))


async def test_all_processes_count_a_sensor_together_on_its_node(start_app, nodes, sensors) -> None:
    settings = {"telemetry_broker_url": nodes.url, "sensor_readings_per_sec": "1000"}
    clients = [await start_app(**settings) for _ in range(2)]
    body = {"series": [column("temperature", range(T0, T0 + 10_000), [1.0] * 10_000)]}

    async def statuses(sensor: Sensor) -> list[int]:
        found: list[int] = []
        for n in range(12):
            post = clients[n % 2].post("/api/v1/telemetry", json=body, headers=sensor.headers)
            async with post as response:
                found.append(response.status)
        return found

    for found in await asyncio.gather(*(statuses(sensor) for sensor in sensors[:3])):
        assert found == [200] * 10 + [429] * 2
    kept = b" ".join(key for node in nodes.nodes for key in node.client.keys("*"))
    assert all(str(sensor.id).encode() in kept for sensor in sensors[:3])


async def test_while_a_node_is_away_postgresql_takes_its_shards_and_the_others_go_on(
    start_app, nodes, sensors, connection
) -> None:
    """What the node had taken is in its log, and is moved when it comes back."""
    taking = await start_app(
        telemetry_broker_url=nodes.url, telemetry_buffer_moves="false", **BUFFERED
    )
    for sensor in sensors:
        await send(taking, sensor, batch(0))
    node = node_of(nodes, sensors[0])
    away = [sensor for sensor in sensors if node_of(nodes, sensor) is node]
    others = [sensor for sensor in sensors if sensor not in away]
    assert others
    node.kill()
    try:
        for number in range(1, 6):
            for sensor in sensors:
                assert (await send(taking, sensor, batch(number)))["accepted"] == 1
        for sensor in away:
            assert len((await stored(connection, sensor))["temperature"]) == 5
        for sensor in others:
            assert await stored(connection, sensor) == {}
    finally:
        node.start()
        nodes.wait_until_whole()
    await start_app(telemetry_broker_url=nodes.url, **BUFFERED)
    for sensor in sensors:
        found = await settled(connection, sensor, 6, seconds=WITHIN_SEC)
        assert found == [(T0 + n, float(n)) for n in range(6)]


async def test_hints_reach_every_process_also_after_a_node_died(nodes) -> None:
    heard: set[UUID] = set()
    hinting, hearing = Wakeups(nodes.url, "test"), Wakeups(nodes.url, "test")
    hearing.listen(heard.add)
    contexts = [each.context(None) for each in (hinting, hearing)]  # pyright: ignore
    for context in contexts:
        await anext(context)
    try:
        await eventually_heard(hinting, heard)
        for node in nodes.nodes[:2]:
            node.kill()
            try:
                await eventually_heard(hinting, heard)
            finally:
                node.start()
                nodes.wait_until_whole()
    finally:
        for context in contexts:
            await anext(context, None)


async def eventually_heard(hinting: Wakeups, heard: set[UUID]) -> None:
    """A hint that goes out while its way is made anew is lost; one of the next ones is not."""
    async with asyncio.timeout(WITHIN_SEC):
        while True:
            hint = uuid4()
            hinting.announce(hint)
            await asyncio.sleep(0.1)
            if hint in heard:
                return


async def test_who_holds_a_key_is_asked_anew_when_it_has_moved(nodes) -> None:
    broker = Broker(nodes.url, connect_sec=5, answer_sec=5)
    key = "runbench:moving"
    before = nodes.holding(key)
    after = next(node for node in nodes.nodes if node is not before)
    slot = before.client.execute_command("CLUSTER KEYSLOT", key)
    async with broker.holding(key) as client:
        await client.set(key, b"1")
    before.client.delete(key)
    for node in nodes.nodes:
        node.client.execute_command("CLUSTER SETSLOT", slot, "NODE", after.id)
    failures: list[Exception] = []
    async with asyncio.timeout(WITHIN_SEC):
        while True:
            try:
                async with broker.holding(key) as client:
                    await client.set(key, b"2")
                break
            except ValkeyError as exc:
                failures.append(exc)
    assert "MOVED" in str(failures[0])
    assert after.client.get(key) == b"2"
    await broker.close()


async def test_what_the_replicas_had_is_there_after_one_took_over(
    start_app, tmp_path, sensors, connection
) -> None:
    with valkey_cluster(tmp_path, replicas=True) as nodes:
        settings: dict[str, Any] = {
            "telemetry_broker_url": nodes.url,
            "telemetry_buffer_replicas": "1",
            **BUFFERED,
        }
        taking = await start_app(telemetry_buffer_moves="false", **settings)
        sensor = sensors[0]
        for number in range(50):
            await send(taking, sensor, batch(number))
        assert await stored(connection, sensor) == {}
        primary = node_of(nodes, sensor)
        primary.kill()
        # Nobody holds the shard for the moment.
        assert (await send(taking, sensor, batch(50)))["accepted"] == 1
        replica = nodes.replicas[nodes.primaries.index(primary)]
        key = f"runbench:buffer:{{{sensor.id.int % SHARDS}}}"
        await asyncio.to_thread(until, lambda: replica.holds(key))
        await start_app(**settings)
        found = await settled(connection, sensor, 51, seconds=WITHIN_SEC)
        assert found == [(T0 + n, float(n)) for n in range(51)]
        # It has no replica any more: what comes is not left to it alone.
        assert (await send(taking, sensor, batch(51)))["accepted"] == 1
        assert len((await stored(connection, sensor))["temperature"]) == 52

"""The buffer in Valkey: readings are answered before they are in PostgreSQL, and get there once."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import asyncpg
from buffer_api import batch, record_of, settled, talking, url
from telemetry_api import T0, column, send, stored
from telemetry_ingest_service.jobs.stream import Stream


async def test_what_was_answered_is_stored_soon_and_once(start, sensor, connection) -> None:
    client = await start()
    for number in range(20):
        body = batch(number, producer="p", sequence=number)
        for _ in range(2):
            answer = await send(client, sensor, body)
            assert (answer["accepted"], answer["duplicate"]) == (1, False)
    await send(client, sensor, batch(20))

    found = await settled(connection, sensor, 21)
    await asyncio.sleep(0.2)
    assert found == [(T0 + n, float(n)) for n in range(21)]
    assert await settled(connection, sensor, 21) == found


async def test_errors_and_heartbeats_are_kept_as_without_a_buffer(
    start, sensor, connection
) -> None:
    client = await start()
    answer = await send(
        client,
        sensor,
        {"series": [column("temperature", [T0, 0], [1.0, 2.0]), column("x", [T0], [1])]},
    )
    assert (answer["accepted"], answer["rejected_count"]) == (1, 2)
    await settled(connection, sensor, 1)
    errors = await connection.fetch(
        "SELECT signal, count FROM telemetry.errors WHERE sensor_id = $1 ORDER BY signal", sensor.id
    )
    assert [tuple(row) for row in errors] == [("temperature", 1), ("x", 1)]
    assert await connection.fetchval("SELECT sum(readings) FROM telemetry.heartbeats") == 1


async def test_a_socket_is_answered_by_the_buffer_too(start, sensor, connection) -> None:
    client = await start()
    async with client.ws_connect("/api/v1/telemetry/socket", headers=sensor.headers) as socket:
        for n in range(50):
            await socket.send_json(batch(n, producer="p", sequence=n))
        acks = {(await socket.receive_json(timeout=20))["ack"] for _ in range(50)}
    assert acks == set(range(50))
    assert len(await settled(connection, sensor, 50)) == 50


async def test_what_is_stored_is_trimmed_and_what_waits_is_measured(
    start, sensor, connection, broker
) -> None:
    client = await start()
    for n in range(10):
        await send(client, sensor, batch(n))
    await settled(connection, sensor, 10)
    stream = Stream(url(broker[1]), most_bytes=1 << 20)
    async with asyncio.timeout(5):
        while sum([(await stream.depth(shard)).waiting for shard in (0, 1)]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert [(await stream.depth(shard)).records for shard in (0, 1)] == [0, 0]
    await stream.close()
    async with client.get("/metrics") as response:
        text = await response.text()
    for name in ("bytes", "batches", "lag_seconds"):
        assert f'telemetry_buffer_{name}{{shard="0"}}' in text


async def test_a_valkey_that_was_emptied_is_read_from_its_beginning(
    start, sensor, connection, broker
) -> None:
    client = await start()
    for n in range(10):
        await send(client, sensor, batch(n))
    await settled(connection, sensor, 10)
    async with talking(broker[1]) as client_of_valkey:
        await client_of_valkey.flushall()
    for n in range(10, 15):
        await send(client, sensor, batch(n))
    found = await settled(connection, sensor, 15)
    assert found == [(T0 + n, float(n)) for n in range(15)]


async def test_a_valkey_that_came_back_with_less_is_read_from_its_beginning(
    start_app, start, sensor, connection, broker
) -> None:
    """As after a power cut under `appendfsync everysec`: places are given a second time."""
    client = await start()
    for n in range(10):
        await send(client, sensor, batch(n))
    await settled(connection, sensor, 10)
    server, port = broker
    shard = sensor.id.int % 2
    async with talking(port) as client_of_valkey:
        end = int(await client_of_valkey.hget(f"runbench:buffer:{{{shard}}}:place", "end"))
        await client_of_valkey.hset(
            f"runbench:buffer:{{{shard}}}:place", mapping={"end": end // 2, "begin": end // 2}
        )
        await client_of_valkey.delete(f"runbench:buffer:{{{shard}}}")
        server.restart()
    async with talking(port):
        pass
    for n in range(10, 13):
        await send(client, sensor, batch(n))
    found = await settled(connection, sensor, 13)
    assert found == [(T0 + n, float(n)) for n in range(13)]


async def test_a_lost_place_loses_and_doubles_nothing(start, sensor, connection, broker) -> None:
    client = await start()
    for n in range(10):
        await send(client, sensor, batch(n))
    await settled(connection, sensor, 10)
    shard = sensor.id.int % 2
    async with talking(broker[1]) as client_of_valkey:
        await client_of_valkey.delete(f"runbench:buffer:{{{shard}}}:place")
    for n in range(10, 13):
        await send(client, sensor, batch(n))
    found = await settled(connection, sensor, 13)
    assert found == [(T0 + n, float(n)) for n in range(13)]


async def test_without_valkey_readings_go_straight_to_postgresql(
    start, sensor, connection, broker
) -> None:
    client = await start()
    await send(client, sensor, batch(0))
    await settled(connection, sensor, 1)
    server, _ = broker
    server.kill()
    await send(client, sensor, batch(1))
    assert len((await stored(connection, sensor))["temperature"]) == 2
    server.start()
    async with talking(broker[1]):
        pass
    await asyncio.sleep(1.1)
    await send(client, sensor, batch(2))
    assert len(await settled(connection, sensor, 3)) == 3


async def test_a_valkey_that_writes_nothing_down_is_not_trusted(
    start, sensor, connection, broker
) -> None:
    client = await start()
    async with talking(broker[1]) as client_of_valkey:
        await client_of_valkey.config_set("appendonly", "no")
        await send(client, sensor, batch(0))
        assert len((await stored(connection, sensor))["temperature"]) == 1
        async with client.get("/ready") as response:
            assert response.status == 503
            assert "appendonly yes" in (await response.json())["dependencies"]["buffer"]

        await client_of_valkey.config_set("appendonly", "yes")
        await client_of_valkey.config_set("maxmemory-policy", "allkeys-lru")
        async with client.get("/ready") as response:
            assert "noeviction" in (await response.json())["dependencies"]["buffer"]
        await client_of_valkey.config_set("maxmemory-policy", "noeviction")
        async with client.get("/ready") as response:
            assert (await response.json())["dependencies"]["buffer"] == "ok"


async def test_a_full_buffer_turns_away_before_it_accepts_and_recovers(
    start, sensor, connection
) -> None:
    client = await start(
        telemetry_buffer_max_bytes=str(4 << 20),
        telemetry_buffer_shards="1",
        sensor_readings_per_sec="1000000000",
    )
    # Nobody moves while the places are locked.
    held = await hold_place(connection)
    accepted = 0
    statuses: set[int] = set()
    for n in range(60):
        first = T0 + n * 10_000
        body = {"series": [column("temperature", range(first, first + 10_000), [1.0] * 10_000)]}
        async with client.post("/api/v1/telemetry", json=body, headers=sensor.headers) as response:
            statuses.add(response.status)
            if response.status == 200:
                accepted += 10_000
            else:
                assert response.status == 429
                assert "buffer" in (await response.json())["detail"]
                assert int(response.headers["Retry-After"]) >= 1
    assert statuses == {200, 429}
    assert 200_000 <= accepted <= 270_000
    await held()
    assert len(await settled(connection, sensor, accepted)) == accepted
    await send(client, sensor, batch(-1))
    assert len(await settled(connection, sensor, accepted + 1)) == accepted + 1


async def hold_place(connection) -> Callable[[], Any]:
    """Keep the rows of the places locked, so that nothing is moved."""
    transaction = connection.transaction()
    await transaction.start()
    async with asyncio.timeout(5):
        while not await connection.fetch(  # noqa: ASYNC110 - the rows come by themselves
            "SELECT 1 FROM telemetry.buffer_places FOR UPDATE"
        ):
            await asyncio.sleep(0.05)
    return transaction.rollback


async def test_switched_off_what_is_left_in_the_buffer_is_stored(
    start, start_app, sensor, connection, broker
) -> None:
    client = await start()
    await send(client, sensor, batch(0))
    await settled(connection, sensor, 1)
    await client.close()
    stream = Stream(url(broker[1]), most_bytes=1 << 20)
    record = record_of(sensor, batch(1, batch_id=str(uuid4())))
    assert await stream.add(sensor.id.int % 2, [record]) == 1
    await stream.close()

    direct = await start(telemetry_buffer="off")
    await send(direct, sensor, batch(2))
    assert len(await settled(connection, sensor, 3)) == 3


async def test_two_processes_take_and_one_moves(start, sensor, connection) -> None:
    clients = [await start(), await start()]
    answers = await asyncio.gather(
        *(send(clients[n % 2], sensor, batch(n, producer="p", sequence=n)) for n in range(100))
    )
    assert all(answer["accepted"] == 1 for answer in answers)
    found = await settled(connection, sensor, 100)
    assert found == [(T0 + n, float(n)) for n in range(100)]
    await clients[0].close()
    await send(clients[1], sensor, batch(100))
    assert len(await settled(connection, sensor, 101)) == 101


async def test_one_process_may_take_and_another_move(start, sensor, connection) -> None:
    taking = await start(telemetry_buffer_moves="false")
    for n in range(5):
        assert (await send(taking, sensor, batch(n)))["accepted"] == 1
    await asyncio.sleep(1)
    assert await stored(connection, sensor) == {}
    await start()
    assert len(await settled(connection, sensor, 5)) == 5


async def test_who_goes_on_after_a_commit_that_was_not_trimmed_stores_nothing_twice(
    start, sensor, connection, broker
) -> None:
    """As when a process is killed between the two."""
    client = await start()
    async with talking(broker[1]) as client_of_valkey:
        await client_of_valkey.execute_command("ACL", "SETUSER", "default", "-xtrim")
        for n in range(10):
            await send(client, sensor, batch(n))
        await settled(connection, sensor, 10)
        await client.close()
        assert await client_of_valkey.xlen(f"runbench:buffer:{{{sensor.id.int % 2}}}") == 10
        await client_of_valkey.execute_command("ACL", "SETUSER", "default", "+xtrim")

        client = await start()
        await send(client, sensor, batch(10))
        assert len(await settled(connection, sensor, 11)) == 11
        async with asyncio.timeout(5):
            while await client_of_valkey.xlen(  # noqa: ASYNC110 - another process trims it
                f"runbench:buffer:{{{sensor.id.int % 2}}}"
            ):
                await asyncio.sleep(0.05)
    found = await settled(connection, sensor, 11)
    assert found == [(T0 + n, float(n)) for n in range(11)]
    counted = "SELECT readings FROM telemetry.activity WHERE sensor_id = $1"
    assert await connection.fetchval(counted, sensor.id) == 11


async def test_while_postgresql_is_away_a_sensor_that_was_known_goes_on(
    start_app, broker, sensor, connection, database_url, cluster
) -> None:
    # See test_chaos.py for a whole outage; here sensors are only asked for again and again.
    async with talking(broker[1]):
        pass
    client = await start_app(telemetry_broker_url=url(broker[1]), telemetry_buffer="stream")
    await send(client, sensor, batch(0))
    await settled(connection, sensor, 1)
    name = database_url.rpartition("/")[2]
    refuse = f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with cluster.connect() as other:
        other.execute(refuse.encode())
        other.execute(end, (name,))
    for n in range(1, 11):
        await send(client, sensor, batch(n))
        await asyncio.sleep(0.6)  # longer in all than what is known is kept without asking
    with cluster.connect() as other:
        other.execute(refuse.replace("false", "true").encode())
    connection = await asyncpg.connect(database_url)
    found = await settled(connection, sensor, 11)
    await connection.close()
    assert found == [(T0 + n, float(n)) for n in range(11)]

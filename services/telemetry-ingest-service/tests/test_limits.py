"""What a sensor may send: counted in Valkey for all processes, and by each alone without it."""

import asyncio
from typing import Any

from buffer_api import talking, url
from telemetry_api import T0, Sensor, column, send, stored

RATE = 1000
TEN_THOUSAND = {"series": [column("temperature", range(T0, T0 + 10_000), [1.0] * 10_000)]}
LARGEST = 10  # of these are let in at once: twice the largest request, where the rate is less


async def statuses(clients: list[Any], headers: dict[str, str], count: int) -> list[int]:
    """What so many requests of 10,000 readings are answered, in turns by each of the processes."""
    found: list[int] = []
    for number in range(count):
        client = clients[number % len(clients)]
        async with client.post("/api/v1/telemetry", json=TEN_THOUSAND, headers=headers) as response:
            found.append(response.status)
            if response.status == 429:
                problem = await response.json()
                assert problem["detail"] == f"A sensor may send {RATE} readings a second."
                # What is missing of 10,000 comes in at the rate of the limit, or of a quarter.
                assert 1 <= int(response.headers["Retry-After"]) <= 40
    return found


async def test_all_processes_count_together_and_say_when_to_come_again(
    start_app, broker, sensor, connection
) -> None:
    _, port = broker
    async with talking(port):
        pass
    settings = {"telemetry_broker_url": url(port), "sensor_readings_per_sec": str(RATE)}
    clients = [await start_app(**settings) for _ in range(2)]
    found = await statuses(clients, sensor.headers, LARGEST + 4)
    assert found == [200] * LARGEST + [429] * 4
    async with clients[1].post(
        "/api/v1/telemetry", json=TEN_THOUSAND, headers=sensor.headers
    ) as response:
        assert response.status == 429
        assert 5 <= int(response.headers["Retry-After"]) <= 10
    async with clients[0].ws_connect("/api/v1/telemetry/socket", headers=sensor.headers) as socket:
        await socket.send_json(TEN_THOUSAND)
        said = await socket.receive_json()
        assert said["error"]["status"] == 429
        assert 5 <= said["retry_after"] <= 10
        assert said["sequence"] == 1
    assert len((await stored(connection, sensor))["temperature"]) == LARGEST * 10_000


async def test_a_sensor_that_waits_as_long_as_it_was_told_is_let_in(
    start_app, broker, sensor
) -> None:
    _, port = broker
    async with talking(port):
        pass
    client = await start_app(telemetry_broker_url=url(port), sensor_readings_per_sec="50000")
    for _ in range(40):
        async with client.post(
            "/api/v1/telemetry", json=TEN_THOUSAND, headers=sensor.headers
        ) as response:
            if response.status == 429:
                await asyncio.sleep(int(response.headers["Retry-After"]))
                break
            assert response.status == 200
    else:
        raise AssertionError("nothing was ever too much")
    await send(client, sensor, TEN_THOUSAND)


async def test_a_wrong_token_counts_nothing_against_its_sensor(start_app, broker, sensor) -> None:
    _, port = broker
    async with talking(port) as valkey:
        client = await start_app(telemetry_broker_url=url(port), sensor_readings_per_sec=str(RATE))
        wrong = "0" if sensor.token[-50] != "0" else "1"
        forged = sensor.token[:-50] + wrong + sensor.token[-49:]
        found = await statuses([client], {"Authorization": f"Bearer {forged}"}, 20)
        assert found == [401] * 20
        assert await valkey.keys("runbench:ingest:*") == []
        assert await statuses([client], sensor.headers, LARGEST + 1) == [200] * LARGEST + [429]
        assert await valkey.keys("runbench:ingest:*") == [f"runbench:ingest:{sensor.id}".encode()]


async def test_without_valkey_a_process_lets_in_a_quarter_and_counts_with_it_again_later(
    start_app, broker, sensor
) -> None:
    server, port = broker
    async with talking(port):
        pass
    client = await start_app(telemetry_broker_url=url(port), sensor_readings_per_sec=str(RATE))
    await send(client, sensor, TEN_THOUSAND)
    server.kill()
    # Each process for itself: at most the largest request at once, then a quarter of the rate.
    assert await statuses([client], sensor.headers, 7) == [200] * 5 + [429] * 2
    async with client.post(
        "/api/v1/telemetry", json=TEN_THOUSAND, headers=sensor.headers
    ) as response:
        assert 20 <= int(response.headers["Retry-After"]) <= 40
    server.start()
    async with talking(port):
        pass
    await asyncio.sleep(1.2)  # until it is asked again
    assert await statuses([client], sensor.headers, 1) == [200]


async def test_however_many_requests_come_at_once_valkey_is_asked_on_one_connection(
    start_app, broker, sensor, connection
) -> None:
    _, port = broker
    async with talking(port) as valkey:
        settings = {"telemetry_broker_url": url(port), "sensor_readings_per_sec": str(RATE)}
        client = await start_app(**settings)
        before = (await valkey.info("stats"))["total_connections_received"]
        # More than is drawn ahead, and together more than is let in.
        columns = [column("temperature", range(T0, T0 + 4_000), [1.0] * 4_000)]
        found = await asyncio.gather(*(sent_alone(client, sensor, columns) for _ in range(40)))
        after = (await valkey.info("stats"))["total_connections_received"]
    assert sorted(found) == [200] * 25 + [429] * 15
    assert after - before <= 2
    assert len((await stored(connection, sensor))["temperature"]) == 25 * 4_000


async def sent_alone(client: Any, sensor: Sensor, columns: list[Any]) -> int:
    """The status of one request."""
    async with client.post(
        "/api/v1/telemetry", json={"series": columns}, headers=sensor.headers
    ) as response:
        return response.status

"""Following sensors live: each reading once, resumable, by one connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

from prometheus_client import REGISTRY
from telemetry_api import T0, column, new_sensor, send, share
from test_reading import new_profile


async def events(response) -> AsyncIterator[tuple[str, str, Any]]:
    """(id, event, data) of a stream."""
    fields: dict[str, str] = {}
    async for line in response.content:
        text = line.decode().rstrip("\n")
        if text:
            name, _, value = text.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield fields.get("id", ""), fields["event"], json.loads(fields["data"])
            fields = {}
        else:
            fields = {}


async def read(response, count: int) -> list[tuple[str, Any]]:
    """So many readings as (event id, (sensor, signal, t, raw))."""
    found: list[tuple[str, Any]] = []
    async with asyncio.timeout(10):
        async for event_id, event, data in events(response):
            assert event == "readings"
            for one in data["series"]:
                found += [
                    (event_id, (data["sensor_id"], one["signal"], t, raw))
                    for t, raw in zip(one["t"], one["raw"], strict=True)
                ]
            if len(found) >= count:
                return found
    raise AssertionError(found)


def watch(client, *sensors, after: str = "", last: str = "", values: str = "raw"):
    params = [("sensor_id", str(sensor.id)) for sensor in sensors]
    params.append(("values", values))
    if after:
        params.append(("after", after))
    headers = {"Authorization": "Bearer viewer"} | ({"Last-Event-ID": last} if last else {})
    return client.get("/api/v1/telemetry/stream", params=params, headers=headers)


async def test_what_arrives_is_seen_once_by_a_viewer_of_several(
    client, sensor, connection, project_id
) -> None:
    other = await new_sensor(connection, project_id, "other", ("temperature",))
    await send(client, sensor, {"series": [column("temperature", [T0], [0.0])]})
    async with watch(client, sensor, other) as response:
        assert response.status == 200
        await asyncio.sleep(0.3)
        for n in range(1, 4):
            for each in (sensor, other):
                await send(client, each, {"series": [column("temperature", [T0 + n], [float(n)])]})
        found = await read(response, 6)

    assert sorted(reading for _, reading in found) == sorted(
        (str(each.id), "temperature", T0 + n, float(n))
        for each in (sensor, other)
        for n in range(1, 4)
    )


async def test_a_viewer_that_comes_back_goes_on_where_it_was(client, sensor) -> None:
    async with watch(client, sensor) as response:
        await asyncio.sleep(0.2)
        await send(client, sensor, {"series": [column("temperature", [T0], [1.0])]})
        ((place, _),) = await read(response, 1)
    await send(client, sensor, {"series": [column("temperature", [T0 + 1], [2.0])]})
    async with watch(client, sensor, last=place) as response:
        found = await read(response, 1)
    assert [reading[2:] for _, reading in found] == [(T0 + 1, 2.0)]
    async with watch(client, sensor, after=f"{sensor.id}:0") as response:
        found = await read(response, 2)
    assert [reading[2:] for _, reading in found] == [(T0, 1.0), (T0 + 1, 2.0)]


async def test_a_viewer_far_behind_is_shown_a_picture_of_it(client, sensor) -> None:
    t = [T0 + n for n in range(10_000)]
    await send(client, sensor, {"series": [column("temperature", t, list(range(10_000)))]})
    async with watch(client, sensor, after=f"{sensor.id}:0") as response, asyncio.timeout(10):
        _, _, data = await anext(events(response))
    (one,) = data["series"]
    assert one["thinned"] is True
    assert one["count"] == 10_000
    assert len(one["t"]) <= 2_000
    assert (one["t"][0], one["t"][-1]) == (t[0], t[-1])


async def test_a_picture_of_what_was_missed_keeps_the_extremes_of_what_a_profile_bends(
    client, sensor, connection
) -> None:
    await new_profile(
        connection, sensor, "temperature", "polynomial", {"coefficients": [100, 0, -1]},
        from_=T0 - 1, to=None,
    )  # fmt: skip
    raw = [50.0, -50.0] * 5_000
    raw[5_001] = 0.0
    t = [T0 + n for n in range(len(raw))]
    await send(client, sensor, {"series": [column("temperature", t, raw)]})
    async with watch(client, sensor, after=f"{sensor.id}:0", values="physical") as response:
        async with asyncio.timeout(10):
            _, _, data = await anext(events(response))
    (one,) = data["series"]
    assert one["thinned"] is True
    assert max(one["physical"]) == 100.0


async def test_a_viewer_hears_why_a_value_was_not_converted(client, sensor, connection) -> None:
    await new_profile(
        connection, sensor, "temperature", "lookup_table", {"table": [[0, 0], [1, 100]]},
        from_=T0 - 1, to=None,
    )  # fmt: skip
    body = {"series": [column("temperature", [T0, T0 + 1, T0 + 2], [0.5, 7.0, None])]}
    await send(client, sensor, body)
    async with watch(client, sensor, after=f"{sensor.id}:0", values="both") as response:
        async with asyncio.timeout(10):
            _, _, data = await anext(events(response))
    (one,) = data["series"]
    assert (one["raw"], one["physical"]) == ([0.5, 7.0, None], [50.0, None, None])
    assert one["unconverted_at"] == {"out_of_table": [1], "not_a_number": [2]}


async def test_a_viewer_that_takes_nothing_holds_up_no_sensor_and_is_told_what_it_missed(
    start_app, sensor
) -> None:
    client = await start_app(sensor_readings_per_sec="10000000")
    batches, size = 60, 10_000
    async with watch(client, sensor) as response:
        for n in range(batches):
            t = [T0 + n * size + m for m in range(size)]
            values = [0.0] * size
            values[n * 7] = 1.0 + n
            async with asyncio.timeout(10):
                await send(client, sensor, {"series": [column("temperature", t, values)]})

        seen, spikes, thinned = 0, set[float](), False
        async with asyncio.timeout(30):
            async for _, _, data in events(response):
                (one,) = data["series"]
                seen += one["count"]
                spikes |= {value for value in one["raw"] if value}
                thinned |= one["thinned"]
                if seen >= batches * size:
                    break
    assert seen == batches * size
    assert thinned
    assert spikes == {1.0 + n for n in range(batches)}


async def test_viewers_in_step_share_what_is_read_and_one_behind_reads_for_itself(
    client, sensor, connection
) -> None:
    def behind() -> float:
        return REGISTRY.get_sample_value("telemetry_stream_behind_total") or 0.0

    await send(client, sensor, {"series": [column("temperature", [T0], [0.0])]})
    before = behind()
    async with watch(client, sensor) as one, watch(client, sensor) as other:
        await asyncio.sleep(0.3)
        for n in range(1, 4):
            await send(client, sensor, {"series": [column("temperature", [T0 + n], [float(n)])]})
        found = [[reading for _, reading in await read(each, 3)] for each in (one, other)]
        assert found[0] == found[1]
        assert behind() == before
        async with watch(client, sensor, after=f"{sensor.id}:0") as late:
            assert [reading[3] for _, reading in await read(late, 4)] == [0.0, 1.0, 2.0, 3.0]
        assert behind() > before


async def test_who_may_no_longer_see_the_sensor_is_sent_away(
    client, connection, project_id
) -> None:
    home = uuid4()
    guest = await new_sensor(connection, home, "guest", ("x",))
    await share(connection, guest.id, home, project_id)
    async with watch(client, guest) as response:
        assert response.status == 200
        await connection.execute(
            "UPDATE experiment.sensor_places SET ended_at = now() WHERE project_id = $1", project_id
        )
        async with asyncio.timeout(8):
            while await response.content.readline():
                pass


async def test_a_place_that_is_none_is_refused(client, sensor) -> None:
    for said in ("x", "1", "00000000.1", f"{sensor.id}:-1"):
        async with watch(client, sensor, after=said) as response:
            assert response.status == 422, said


async def test_another_process_hears_of_what_was_stored(start_app, sensor) -> None:
    """Without Valkey a viewer looks by itself."""
    writer, reader = await start_app(), await start_app()
    async with watch(reader, sensor) as response:
        await asyncio.sleep(0.2)
        await send(writer, sensor, {"series": [column("temperature", [T0], [1.0])]})
        found = await read(response, 1)
    assert found[0][1][2:] == (T0, 1.0)

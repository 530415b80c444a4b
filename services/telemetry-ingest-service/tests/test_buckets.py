"""Figures of readings by interval, raw and converted."""

from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from telemetry_api import T0, column, send
from telemetry_ingest_service.operations import buckets
from test_reading import get, new_profile

T = [T0 + n * 1000 for n in range(1000)]
RAW = np.random.default_rng(4).normal(5, 2, 1000)


async def ask(client, sensor, **params: Any) -> Any:
    given = {"sensor_id": sensor.id, "signal": "temperature", "intervals": 4} | params
    return await get(client, "telemetry/buckets", **given)


async def send_raw(client, sensor) -> None:
    for some in (slice(0, None, 2), slice(1, None, 2)):
        body = column("temperature", T[some], RAW[some].tolist())
        await send(client, sensor, {"series": [body]})


def expect(found: dict[str, Any], values: np.ndarray) -> None:
    """Quarters of the range, worked out without the store."""
    quarters = values.reshape(4, -1)
    assert found["count"] == [quarters.shape[1]] * 4
    assert found["min"] == pytest.approx(np.nanmin(quarters, axis=1))
    assert found["max"] == pytest.approx(np.nanmax(quarters, axis=1))
    assert found["mean"] == pytest.approx(np.nanmean(quarters, axis=1))


async def test_figures_are_those_of_every_reading_of_an_interval(client, sensor) -> None:
    await send_raw(client, sensor)
    answer = await ask(client, sensor)
    (found,) = answer["series"]
    assert (answer["low"], answer["high"]) == (T[0], T[-1])
    assert found["t"][0] == T0
    expect(found, RAW)


@pytest.mark.parametrize(
    ("kind", "parameters", "convert"),
    [
        ("linear", {"a": -3, "b": 1}, lambda raw: -3 * raw + 1),
        ("polynomial", {"coefficients": [1, 0, 2]}, lambda raw: 2 * raw**2 + 1),
        (
            "lookup_table",
            {"table": [[4, 0], [6, 10], [8, -10]]},
            lambda raw: np.where(
                (raw < 4) | (raw > 8), np.nan, np.interp(raw, [4, 6, 8], [0, 10, -10])
            ),
        ),
    ],
)
async def test_figures_of_physical_values_are_those_of_converted_readings(
    client, sensor, connection, kind, parameters, convert
) -> None:
    await new_profile(connection, sensor, "temperature", kind, parameters, from_=T0, to=None)
    await send_raw(client, sensor)
    (found,) = (await ask(client, sensor, values="physical"))["series"]
    expect(found, convert(RAW))
    assert found["unit"] == "K"


async def test_a_profile_that_changes_inside_an_interval_converts_each_reading_by_its_own(
    client, sensor, connection
) -> None:
    change = T[600]
    for factor, since, until in ((2, T0, change), (100, change, None)):
        await new_profile(
            connection, sensor, "temperature", "linear", {"a": factor, "b": 0},
            from_=since, to=until,
        )  # fmt: skip
    await send_raw(client, sensor)
    (found,) = (await ask(client, sensor, values="physical"))["series"]
    expect(found, np.where(np.arange(1000) < 600, 2 * RAW, 100 * RAW))


async def test_without_a_profile_readings_are_counted_and_figures_are_null(client, sensor) -> None:
    await send_raw(client, sensor)
    (found,) = (await ask(client, sensor, values="physical"))["series"]
    assert found["count"] == [250] * 4
    assert found["min"] == found["max"] == found["mean"] == [None] * 4


async def test_more_readings_than_are_converted_at_a_time_are_refused(
    client, sensor, monkeypatch
) -> None:
    monkeypatch.setattr(buckets, "MOST_CONVERTED", 999)
    await send_raw(client, sensor)
    await ask(client, sensor)
    answer = await ask(client, sensor, values="physical", status=422)
    assert "shorter range" in answer["errors"][0]["detail"]
    await ask(client, sensor, values="physical", from_=T[1])


async def test_signals_without_readings_have_no_figures(client, sensor) -> None:
    answer = await ask(client, sensor, signal="pressure")
    assert (answer["low"], answer["series"][0]["t"]) == (None, [])
    assert (await ask(client, sensor, from_=5, to=4))["series"][0]["count"] == []


async def test_figures_are_for_members_alone(client, sensor) -> None:
    await ask(client, sensor, as_="outsider", status=404)
    await ask(client, sensor, sensor_id=uuid4(), status=404)
    await ask(client, sensor, as_=sensor.token, status=403)
    await ask(client, sensor, intervals=0, status=422)

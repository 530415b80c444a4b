"""Following sensors: what arrived, in the order it arrived."""

from collections.abc import Sequence
from uuid import UUID

import orjson
from seriesstore.live import News, read_news
from seriesstore.picture import thin
from seriesstore.points import Points
from servicekit.database import Database
from servicekit.places import Places, UnknownPlace
from servicekit.problems import Invalid

from telemetry_ingest_service.models.series import RawOrPhysical
from telemetry_ingest_service.operations.converting import (
    Converter,
    Converters,
    converters,
    places_of_reasons,
)
from telemetry_ingest_service.operations.pictures import thin_physical
from telemetry_ingest_service.queries.reading import (
    select_ordinals,
    select_profiles,
    select_sensor_projects,
)

# What is read at once: a viewer further behind than so many readings is shown a picture of them.
AT_ONCE = 50_000
SHOWN_OF_SIGNAL = 2_000


async def first_places(database: Database, sensor_ids: Sequence[UUID], said: str | None) -> Places:
    """Where a viewer begins: where it says that it was, else with what arrives from now on.

    Raises:
        Invalid: what it says is no event id of these sensors.
    """
    try:
        places = Places.read(sensor_ids, said)
    except UnknownPlace as exc:
        detail = "must be the id of an earlier event for the same sensors, or sensor:ordinal,…"
        raise Invalid(errors=[{"parameter": "after", "detail": detail}]) from exc
    async with database.acquire() as connection:
        ends = await select_ordinals(connection, sensor_ids)
    # An ordinal from before a restored backup lies ahead of everything; it means the end.
    return Places(
        sensor_ids,
        {
            one: min(places[one], ends.get(one, 0)) if said else ends.get(one, 0)
            for one in sensor_ids
        },
    )


async def read_converters(database: Database, sensor_ids: Sequence[UUID]) -> Converters:
    """The profiles that hold now."""
    async with database.acquire() as connection:
        return converters(await select_profiles(connection, sensor_ids))


async def read_ordinals(database: Database, sensor_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How far each sensor is."""
    async with database.acquire() as connection:
        return await select_ordinals(connection, sensor_ids)


async def read_projects(database: Database, sensor_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """The projects whose members may see each sensor."""
    async with database.acquire() as connection:
        return await select_sensor_projects(connection, sensor_ids)


async def read_arrived(
    database: Database, sensor_id: UUID, *, after: int, upto: int | None = None
) -> News | None:
    """What arrived behind a place, some 50,000 readings at most; None where there is nothing."""
    async with database.acquire() as connection:
        return await read_news(connection, sensor_id, after=after, upto=upto, at_most=AT_ONCE)


def event_of(sensor_id: UUID, news: News | None, values: RawOrPhysical, known: Converters) -> bytes:
    """An event's data."""
    points = news.points if news else []
    series = [_series(sensor_id, signal, some, values, known) for signal, some in points]
    return orjson.dumps({"sensor_id": str(sensor_id), "series": series})


def _series(
    sensor_id: UUID, signal: str, points: Points, values: RawOrPhysical, known: Converters
) -> dict[str, object]:
    converter = known.of(sensor_id, signal)
    shown = _shown(points, values, converter) if len(points) > SHOWN_OF_SIGNAL else points
    data: dict[str, object] = {
        "signal": signal,
        "t": shown.x.tolist(),
        "first_received_at": 0 if shown.time is None or not len(shown) else int(shown.time.min()),
        "received_at": 0 if shown.time is None or not len(shown) else int(shown.time.max()),
        "count": len(points),
        "thinned": len(shown) < len(points),
    }
    # orjson writes NaN as null.
    if values != "physical":
        data["raw"] = shown.value.tolist()
    if values != "raw":
        physical, codes = converter.convert(shown.x, shown.value)
        data["physical"] = physical.tolist()
        if codes.any():
            data["unconverted_at"] = places_of_reasons(codes)
    return data


def _shown(points: Points, values: RawOrPhysical, converter: Converter) -> Points:
    ordered = points.sorted()
    ends = int(ordered.x[0]), int(ordered.x[-1])
    if values == "raw" or converter.keeps_extremes(*ends):
        return thin(ordered, SHOWN_OF_SIGNAL)
    return thin_physical(ordered, len(ordered), converter, SHOWN_OF_SIGNAL).points

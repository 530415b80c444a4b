"""Reading: pictures of signals, their newest readings, what a capture session holds."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import numpy as np
from seriesstore.aggregate import Intervals, aggregate
from seriesstore.export import stream_pieces
from seriesstore.late import count_later
from seriesstore.points import Floats
from seriesstore.read import Window, read_pictures, snapshot
from servicekit.database import Connection, Database
from servicekit.problems import NotFound

from telemetry_ingest_service.models.series import (
    Contents,
    ContentsList,
    Latest,
    LatestList,
    SeriesQuery,
    SessionExportQuery,
    SessionQuery,
    SignalSeriesList,
)
from telemetry_ingest_service.models.windows import CaptureWindow
from telemetry_ingest_service.operations.converting import (
    Converter,
    converters,
    count_reasons,
)
from telemetry_ingest_service.operations.pictures import Part, draw
from telemetry_ingest_service.queries.reading import (
    select_profiles,
    select_sensor_projects,
    select_series,
    select_signals,
    select_window,
    to_us,
)

type MayRead = Callable[[UUID], Awaitable[bool]]
"""Whether the caller sees a project."""


async def admit_sensors(
    database: Database, sensor_ids: Sequence[UUID], may_read: MayRead
) -> list[UUID]:
    """The sensors, each once, when the caller may see all of them.

    Raises:
        NotFound: one is missing, or of projects that the caller does not see.
    """
    return list(await see_sensors(database, sensor_ids, may_read))


async def see_sensors(
    database: Database, sensor_ids: Sequence[UUID], may_read: MayRead
) -> dict[UUID, UUID]:
    """The sensors, each with a project in which the caller sees it.

    Raises:
        NotFound: one is missing, or of projects that the caller does not see.
    """
    wanted = list(dict.fromkeys(sensor_ids))
    async with database.acquire() as connection:
        projects = await select_sensor_projects(connection, wanted)
    return await check_seen(wanted, projects, may_read)


async def check_seen(
    wanted: Sequence[UUID], projects: Mapping[UUID, Sequence[UUID]], may_read: MayRead
) -> dict[UUID, UUID]:
    """A project of each of the sensors in which the caller sees it.

    Raises:
        NotFound: of one of them there is none.
    """
    seen: dict[UUID, bool] = {}
    found: dict[UUID, UUID] = {}
    for sensor_id in wanted:
        for project_id in projects.get(sensor_id, []):
            if project_id not in seen:
                seen[project_id] = await may_read(project_id)
            if seen[project_id]:
                found[sensor_id] = project_id
                break
        else:
            msg = f"There is no sensor {sensor_id}, or you may not see it."
            raise NotFound(msg)
    return found


async def read_series(
    database: Database, query: SeriesQuery, may_read: MayRead
) -> SignalSeriesList:
    """Pictures of signals.

    Raises:
        NotFound: one of the sensors is missing, or the caller may not see it.
    """
    sensor_ids = await admit_sensors(database, query.sensor_id, may_read)
    async with database.acquire() as connection:
        known = converters(await select_profiles(connection, sensor_ids))
        return await draw(connection, Part(sensor_ids, query.low, query.high, known), query)


async def read_session(
    database: Database, capture_session_id: UUID, query: SessionQuery
) -> SignalSeriesList:
    """Pictures of what a capture session holds, by the profiles that it pins.

    Raises:
        NotFound: it is gone, or a sensor is none of its own.
    """
    async with database.acquire() as connection:
        part = await part_of_session(connection, capture_session_id, query)
        return await draw(connection, part, query)


async def part_of_session(
    connection: Connection, capture_session_id: UUID, query: SessionQuery | SessionExportQuery
) -> Part:
    """What a capture session spans: from its start up to, without, its stop, or a part of that.

    Raises:
        NotFound: it is gone, or a sensor is none of its own.
    """
    window = await _window(connection, capture_session_id)
    for sensor_id in query.sensor_id:
        if sensor_id not in window.sensor_ids:
            msg = f"The capture session has no sensor {sensor_id}."
            raise NotFound(msg)
    wanted = list(dict.fromkeys(query.sensor_id)) or window.sensor_ids
    low, high = ends_of(window)
    low = low if query.low is None else max(low, query.low)
    if query.high is not None:
        high = query.high if high is None else min(high, query.high)
    profiles = await select_profiles(connection, wanted)
    stop = None if window.stopped_at is None else to_us(window.stopped_at)
    return Part(wanted, low, high, converters(profiles, window.profiles), stop)


async def read_latest(
    database: Database, sensor_ids: Sequence[UUID], may_read: MayRead
) -> LatestList:
    """The newest reading of each signal.

    Raises:
        NotFound: one of the sensors is missing, or the caller may not see it.
    """
    wanted = await admit_sensors(database, sensor_ids, may_read)
    async with database.acquire() as connection:
        known = converters(await select_profiles(connection, wanted))
        units = await select_signals(connection, wanted)
        rows = await select_series(connection, wanted)
    items: list[Latest] = []
    for row in rows:
        converter = known.of(row["owner_id"], row["key"])
        raw = np.array([row["last_value"]])
        physical, codes = converter.convert(np.array([row["last_x"]]), raw)
        reasons = list(count_reasons(codes))
        items.append(
            Latest(
                sensor_id=row["owner_id"],
                signal=row["key"],
                t=row["last_x"],
                received_at=row["last_time"],
                raw=float(raw[0]),
                physical=float(physical[0]),
                unit=converter.unit(units.get((row["owner_id"], row["key"]), "")),
                reason=reasons[0] if reasons else None,
            )
        )
    return LatestList(items=items)


async def sum_up_session(database: Database, capture_session_id: UUID) -> ContentsList:
    """What a capture session holds, and how much of it came after it had stopped.

    Raises:
        NotFound: it is gone.
    """
    async with database.acquire() as connection, snapshot(connection):
        window = await _window(connection, capture_session_id)
        units = await select_signals(connection, window.sensor_ids)
        profiles = await select_profiles(connection, window.sensor_ids)
        known = converters(profiles, window.profiles)
        series = {
            (row["owner_id"], row["key"]): row["id"]
            for row in await select_series(connection, window.sensor_ids)
        }
        items = [
            await _contents(
                connection,
                window,
                known.of(sensor_id, signal),
                series.get((sensor_id, signal)),
                Contents(
                    sensor_id=sensor_id,
                    signal=signal,
                    count=0,
                    late_count=0,
                    first=None,
                    last=None,
                    min=None,
                    max=None,
                    unit=unit,
                    physical_min=None,
                    physical_max=None,
                    physical_unit=known.of(sensor_id, signal).unit(unit),
                ),
            )
            for (sensor_id, signal), unit in units.items()
        ]
    places = {sensor_id: place for place, sensor_id in enumerate(window.sensor_ids)}
    return ContentsList(items=sorted(items, key=lambda one: (places[one.sensor_id], one.signal)))


async def _contents(
    connection: Connection,
    window: CaptureWindow,
    converter: Converter,
    series_id: int | None,
    none: Contents,
) -> Contents:
    """What it holds of a signal; `none` where that is nothing."""
    low, high = ends_of(window)
    if series_id is None:
        return none
    end = to_us(datetime.now(UTC)) + 86_400_000_000 if high is None else high
    if end < low:
        return none
    whole = await aggregate(connection, series_id, Intervals.over(low, end, 1))
    if not len(whole.count):
        return none
    # Four readings are enough of a picture to have its ends.
    pictures = await read_pictures(connection, [Window(series_id, low, end)], at_most=4)
    shown = pictures[series_id].points.x
    late = 0
    if window.stopped_at is not None:
        stop = to_us(window.stopped_at)
        late = await count_later(connection, series_id, low=low, high=end, after=stop)
    raw = np.array([whole.min[0], whole.max[0]])
    least, greatest = await _physical_extremes(
        connection, Window(series_id, low, end), converter, raw
    )
    return none.model_copy(
        update={
            "count": int(whole.count[0]),
            "late_count": late,
            "first": int(shown[0]),
            "last": int(shown[-1]),
            "min": float(raw[0]),
            "max": float(raw[1]),
            "physical_min": least,
            "physical_max": greatest,
        }
    )


async def _physical_extremes(
    connection: Connection, window: Window, converter: Converter, raw: Floats
) -> tuple[float | None, float | None]:
    """From the raw extremes where the profile keeps them, else from every reading in pieces."""
    if not converter.profiles:
        return None, None
    if converter.keeps_extremes(window.low, window.high):
        physical, codes = converter.convert(np.full(2, window.low or 0, np.int64), raw)
        if not codes.any():
            return float(physical.min()), float(physical.max())
    least, greatest = np.inf, -np.inf
    async for points in stream_pieces(
        connection, window.series_id, low=window.low, high=window.high
    ):
        physical, _ = await asyncio.to_thread(converter.convert, points.x, points.value)
        known = physical[np.isfinite(physical)]
        if len(known):
            least = min(least, float(known.min()))
            greatest = max(greatest, float(known.max()))
    return (None, None) if least > greatest else (least, greatest)


async def _window(connection: Connection, capture_session_id: UUID) -> CaptureWindow:
    window = await select_window(connection, capture_session_id)
    if window is None:
        raise NotFound
    return window


def ends_of(window: CaptureWindow) -> tuple[int, int | None]:
    """The first and the last µs of a capture session; it runs on where there is no last."""
    stop = window.stopped_at
    return to_us(window.started_at), None if stop is None else to_us(stop) - 1

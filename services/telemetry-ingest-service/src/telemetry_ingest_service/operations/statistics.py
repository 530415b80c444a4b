"""Exact figures of what capture sessions hold: every reading is read and converted."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import numpy as np
from seriesstore.export import stream_pieces
from seriesstore.points import Floats
from seriesstore.read import snapshot
from seriesstore.statistics import statistics
from servicekit.database import Connection, Database
from servicekit.problems import NotFound

from telemetry_ingest_service.models.statistics import (
    MAX_READINGS,
    SignalOfSessions,
    SignalStatistics,
    SignalStatisticsList,
    StatisticsQuery,
)
from telemetry_ingest_service.models.windows import CaptureWindow
from telemetry_ingest_service.operations.converting import Converter, converters
from telemetry_ingest_service.operations.series import MayRead, ends_of
from telemetry_ingest_service.queries.reading import (
    select_profiles,
    select_series,
    select_signals,
    select_windows,
)


async def read_statistics(
    database: Database, query: StatisticsQuery, may_read: MayRead
) -> SignalStatisticsList:
    """The figures of each signal over its sessions together.

    Raises:
        NotFound: a session is missing, of a project that the caller does not see, or without
            that sensor.
    """
    windows = await _windows(database, query.items, may_read)
    sensor_ids = {item.sensor_id for item in query.items}
    async with database.acquire() as connection, snapshot(connection):
        profiles = await select_profiles(connection, sensor_ids)
        units = await select_signals(connection, sensor_ids)
        series = {
            (row["owner_id"], row["key"]): row["id"]
            for row in await select_series(connection, sensor_ids)
        }
        items: list[SignalStatistics] = []
        for item in query.items:
            place = item.sensor_id, item.signal
            of_item = [
                windows[session_id] for session_id in dict.fromkeys(item.capture_session_ids)
            ]
            by_session = [converters(profiles, one.profiles).of(*place) for one in of_item]
            physical = query.values == "physical" and any(one.profiles for one in by_session)
            unit = units.get(place, "")
            values, reason = np.zeros(0), None
            if place in series:
                values, reason = await _values(
                    connection,
                    series[place],
                    list(zip(of_item, by_session, strict=True)),
                    physical=physical,
                )
            found = await asyncio.to_thread(statistics, values, query.percentiles)
            items.append(
                SignalStatistics(
                    count=found.count,
                    finite=found.finite,
                    mean=found.mean,
                    deviation=found.deviation,
                    min=found.min,
                    max=found.max,
                    percentiles=found.percentiles,
                    unit=by_session[0].unit(unit) if physical else unit,
                    reason=reason,
                )
            )
    return SignalStatisticsList(items=items)


async def _windows(
    database: Database, items: Sequence[SignalOfSessions], may_read: MayRead
) -> dict[UUID, CaptureWindow]:
    wanted = {session_id for item in items for session_id in item.capture_session_ids}
    async with database.acquire() as connection:
        found = {one.capture_session_id: one for one in await select_windows(connection, wanted)}
    allowed = {
        project: await may_read(project) for project in {one.project_id for one in found.values()}
    }
    for item in items:
        for session_id in item.capture_session_ids:
            window = found.get(session_id)
            if window is None or not allowed[window.project_id]:
                msg = f"There is no capture session {session_id}, or you may not see it."
                raise NotFound(msg)
            if item.sensor_id not in window.sensor_ids:
                msg = f"The capture session {session_id} has no sensor {item.sensor_id}."
                raise NotFound(msg)
    return found


async def _values(
    connection: Connection,
    series_id: int,
    sessions: Sequence[tuple[CaptureWindow, Converter]],
    *,
    physical: bool,
) -> tuple[Floats, str | None]:
    parts: list[Floats] = []
    count = 0
    for window, converter in sessions:
        low, high = ends_of(window)
        async for points in stream_pieces(connection, series_id, low=low, high=high):
            count += len(points)
            if count > MAX_READINGS:
                return np.zeros(0), f"there are more than {MAX_READINGS:,} readings"
            values = points.value
            if physical:
                values, _ = await asyncio.to_thread(converter.convert, points.x, values)
            parts.append(values)
    return np.concatenate(parts) if parts else np.zeros(0), None

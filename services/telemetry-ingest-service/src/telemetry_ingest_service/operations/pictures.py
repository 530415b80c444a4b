"""Pictures of signals: as many readings as fill them, converted, and what of them came late."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from seriesstore.aggregate import Intervals
from seriesstore.late import Stretches, find_later
from seriesstore.picture import thin
from seriesstore.points import EMPTY, Points
from seriesstore.read import Picture, Window, read_pictures, read_points, snapshot
from servicekit.database import Connection
from servicekit.problems import Invalid

from telemetry_ingest_service.models.series import (
    MAX_ANSWERED,
    Late,
    PictureQuery,
    SignalSeries,
    SignalSeriesList,
)
from telemetry_ingest_service.operations.converting import (
    Converter,
    Converters,
    count_reasons,
    places_of_reasons,
)
from telemetry_ingest_service.queries.reading import (
    select_ordinals,
    select_series,
    select_signals,
)

# Where one conversion does not keep extremes, readings are converted before they are thinned: all
# of them up to so many, and beyond that a picture that is so much finer.
MOST_CONVERTED = 500_000
FINER = 10
MOST_FINER = 100_000
# As finely as a picture marks what came late.
MOST_LATE_STRETCHES = 500
NONE_LATE = Stretches(EMPTY.x, EMPTY.x, EMPTY.x)


@dataclass(frozen=True, slots=True)
class Part:
    """Of which signals of which sensors, from when to when, converted how."""

    sensor_ids: Sequence[UUID]
    low: int | None
    high: int | None
    converters: Converters
    stop: int | None = None
    """When a capture session stopped; what was received later is late."""


async def draw(connection: Connection, part: Part, query: PictureQuery) -> SignalSeriesList:
    """The pictures of the signals of a part, late readings marked.

    Raises:
        Invalid: more points would have to be answered than are at a time.
    """
    async with snapshot(connection):
        units = await select_signals(connection, part.sensor_ids)
        ordinals = await select_ordinals(connection, part.sensor_ids)
        rows = {
            (row["owner_id"], row["key"]): row
            for row in await select_series(connection, part.sensor_ids)
        }
        wanted = [
            (sensor_id, signal)
            for sensor_id in part.sensor_ids
            for signal in query.signal or [name for owner, name in units if owner == sensor_id]
        ]
        if sum(key in rows for key in wanted) * query.points > MAX_ANSWERED:
            detail = f"ask for fewer points or series: {MAX_ANSWERED:,} points at a time at most"
            raise Invalid(errors=[{"parameter": "points", "detail": detail}])
        plain, fine = _by_care(wanted, rows, part, query)
        pictures = await read_pictures(connection, plain, at_most=query.points) if plain else {}
        for window, converter in fine:
            pictures[window.series_id] = await _picture_of_physical(
                connection, window, converter, query.points
            )
        late = await _late(connection, [*plain, *(window for window, _ in fine)], part, query)
    nothing = Picture(EMPTY, 0, exact=True)
    return SignalSeriesList(
        series=[
            _series(
                key,
                pictures.get(rows[key]["id"], nothing) if key in rows else nothing,
                part.converters.of(*key),
                query,
                unit=units.get(key, ""),
                ordinal=ordinals.get(key[0], 0),
                stop=part.stop,
                late=late.get(rows[key]["id"], NONE_LATE) if key in rows else NONE_LATE,
            )
            for key in wanted
        ]
    )


async def _late(
    connection: Connection, windows: Sequence[Window], part: Part, query: PictureQuery
) -> dict[int, Stretches]:
    """Where a stopped capture session has late readings, by series id."""
    if part.stop is None:
        return {}
    found: dict[int, Stretches] = {}
    for window in windows:
        assert window.low is not None  # noqa: S101 - what has stopped has both ends
        assert window.high is not None  # noqa: S101
        intervals = Intervals.over(window.low, window.high, min(query.points, MOST_LATE_STRETCHES))
        found[window.series_id] = await find_later(
            connection, window.series_id, intervals, after=part.stop
        )
    return found


def _by_care(
    wanted: Sequence[tuple[UUID, str]],
    rows: Mapping[tuple[UUID, str], Mapping[str, Any]],
    part: Part,
    query: PictureQuery,
) -> tuple[list[Window], list[tuple[Window, Converter]]]:
    """What may be thinned as it came, and what has to be converted before."""
    plain: list[Window] = []
    fine: list[tuple[Window, Converter]] = []
    if part.low is not None and part.high is not None and part.low > part.high:
        return plain, fine
    for key in dict.fromkeys(wanted):
        if key not in rows:
            continue
        row, converter = rows[key], part.converters.of(*key)
        window = Window(row["id"], part.low, part.high)
        # What holds wherever there are readings holds in the whole range.
        low = row["first_x"] if part.low is None else max(part.low, row["first_x"])
        high = row["last_x"] if part.high is None else min(part.high, row["last_x"])
        if query.values == "raw" or converter.keeps_extremes(low, high):
            plain.append(window)
        else:
            fine.append((window, converter))
    return plain, fine


async def _picture_of_physical(
    connection: Connection, window: Window, converter: Converter, at_most: int
) -> Picture:
    """A picture whose extremes are those of the physical values."""
    finer = min(at_most * FINER, MOST_FINER)
    picture = (await read_pictures(connection, [window], at_most=finer))[window.series_id]
    points = picture.points
    if not picture.exact and picture.count <= MOST_CONVERTED:
        points = await read_points(connection, window.series_id, low=window.low, high=window.high)
    return await asyncio.to_thread(thin_physical, points, picture.count, converter, at_most)


def thin_physical(points: Points, count: int, converter: Converter, at_most: int) -> Picture:
    """At most so many of the points, with the extremes of the physical values."""
    physical, _ = converter.convert(points.x, points.value)
    # The places travel in the column of times, so that the raw values can be taken along.
    places = np.arange(len(points), dtype=np.int64)
    chosen = thin(Points(points.x, physical, places), at_most).time
    shown = points if chosen is None else points.take(chosen.astype(np.intp))
    return Picture(shown, count, exact=len(shown) == count)


def _series(
    key: tuple[UUID, str],
    picture: Picture,
    converter: Converter,
    query: PictureQuery,
    *,
    unit: str,
    ordinal: int,
    stop: int | None,
    late: Stretches,
) -> SignalSeries:
    points = picture.points
    physical, codes = None, None
    profile_ids: list[UUID] = []
    if query.values != "raw":
        physical, codes = converter.convert(points.x, points.value)
        profile_ids = converter.used(points.x)
    return SignalSeries(
        sensor_id=key[0],
        signal=key[1],
        t=points.x.tolist(),
        raw=None if query.values == "physical" else points.value.tolist(),
        physical=None if physical is None else physical.tolist(),
        unit=unit if query.values == "raw" else converter.unit(unit),
        count=picture.count,
        exact=picture.exact,
        unconverted={} if codes is None else count_reasons(codes),
        unconverted_at={} if codes is None else places_of_reasons(codes),
        profile_ids=profile_ids,
        late=None if stop is None else _late_of(points, stop, late),
        ordinal=ordinal,
    )


def _late_of(points: Points, stop: int, late: Stretches) -> Late:
    shown = [] if points.time is None else np.flatnonzero(points.time > stop).tolist()
    return Late(
        count=int(late.count.sum()),
        first=late.first.tolist(),
        last=late.last.tolist(),
        readings=late.count.tolist(),
        shown=shown,
    )

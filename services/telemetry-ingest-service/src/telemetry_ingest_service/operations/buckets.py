"""Figures of signals by interval: least, greatest, mean and count, raw or converted."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

import numpy as np
from conversion import OVERFLOW, Linear, Profile, convert
from seriesstore.aggregate import Aggregates, Intervals, aggregate, sum_up
from seriesstore.points import Points
from seriesstore.read import read_extent, read_points, snapshot
from servicekit.database import Connection, Database
from servicekit.problems import Invalid

from telemetry_ingest_service.models.buckets import BucketQuery, SignalBuckets, SignalBucketsList
from telemetry_ingest_service.operations.converting import Converter, converters
from telemetry_ingest_service.operations.series import MayRead, admit_sensors
from telemetry_ingest_service.queries.reading import (
    select_profiles,
    select_series,
    select_signals,
)

MOST_CONVERTED = 2_000_000

type Place = tuple[UUID, str]


async def read_buckets(
    database: Database, query: BucketQuery, may_read: MayRead
) -> SignalBucketsList:
    """The signals of several sensors by intervals that all of them share.

    Raises:
        NotFound: one of the sensors is missing, or the caller may not see it.
        Invalid: more readings than are converted at a time would have to be.
    """
    sensor_ids = await admit_sensors(database, query.sensor_id, may_read)
    wanted = [(one, signal) for one in sensor_ids for signal in dict.fromkeys(query.signal)]
    async with database.acquire() as connection, snapshot(connection):
        units = await select_signals(connection, sensor_ids)
        known = converters(await select_profiles(connection, sensor_ids))
        rows = await select_series(connection, sensor_ids)
        found = {(row["owner_id"], row["key"]): row["id"] for row in rows}
        found = {place: found[place] for place in wanted if place in found}
        ends = await _ends(connection, query, found)
        figures: dict[Place, Aggregates] = {}
        if ends:
            intervals = Intervals.over(*ends, query.intervals)
            left = MOST_CONVERTED
            for place, series_id in found.items():
                raw = await aggregate(connection, series_id, intervals)
                if query.values == "raw":
                    figures[place] = raw
                    continue
                converter = known.of(*place)
                if converted := _converted(raw, converter.profile_over(*ends)):
                    figures[place] = converted
                    continue
                left -= int(raw.count.sum())
                if left < 0:
                    raise Invalid(errors=[{"parameter": "from", "detail": _TOO_MANY}])
                figures[place] = await _of_readings(connection, series_id, intervals, converter)
    return SignalBucketsList(
        low=ends[0] if ends else None,
        high=ends[1] if ends else None,
        series=[
            _buckets(
                place,
                figures.get(place),
                known.of(*place).unit(units.get(place, ""))
                if query.values == "physical"
                else units.get(place, ""),
            )
            for place in wanted
        ],
    )


_TOO_MANY = (
    f"a profile that is not linear, or changes, converts {MOST_CONVERTED:,} readings at most;"
    " ask for a shorter range or fewer signals"
)


async def _ends(
    connection: Connection, query: BucketQuery, found: Mapping[Place, int]
) -> tuple[int, int] | None:
    """The range: as asked for, and at an open end as far as the signals reach."""
    low, high = query.low, query.high
    if low is None or high is None:
        reached = (await read_extent(connection, list(found.values()))).values()
        if not reached:
            return None
        low = min(first for first, _ in reached) if low is None else low
        high = max(last for _, last in reached) if high is None else high
    return (low, high) if low <= high else None


def _converted(raw: Aggregates, profile: Profile | None) -> Aggregates | None:
    """By a linear profile: it keeps means, and extremes, though it may exchange them.

    None where the profile is another, or an extreme cannot be converted and the next one can.
    """
    if not isinstance(profile, Linear):
        return None
    columns = [convert(profile, figures) for figures in (raw.min, raw.max, raw.mean)]
    if any((codes == OVERFLOW).any() for _, codes in columns):
        return None
    (one, _), (other, _), (mean, _) = columns
    return Aggregates(raw.x, raw.count, np.fmin(one, other), np.fmax(one, other), mean)


async def _of_readings(
    connection: Connection, series_id: int, intervals: Intervals, converter: Converter
) -> Aggregates:
    points = await read_points(connection, series_id, low=intervals.low, high=intervals.high)

    def work() -> Aggregates:
        physical, _ = converter.convert(points.x, points.value)
        return sum_up(Points(points.x, physical), intervals)

    return await asyncio.to_thread(work)


def _buckets(place: Place, figures: Aggregates | None, unit: str) -> SignalBuckets:
    if figures is None:
        return SignalBuckets(
            sensor_id=place[0], signal=place[1], t=[], count=[], min=[], max=[], mean=[], unit=unit
        )
    return SignalBuckets(
        sensor_id=place[0],
        signal=place[1],
        t=figures.x.tolist(),
        count=figures.count.tolist(),
        min=figures.min.tolist(),
        max=figures.max.tolist(),
        mean=figures.mean.tolist(),
        unit=unit,
    )

"""Looking at every reading that arrived for whether it crosses a limit.

A look goes on behind the batch up to which the last one came, so no reading is left out between
two of them, and one process looks at a time. Its place, what is past now and what was found change
in one transaction.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from seriesstore.live import News, read_news
from seriesstore.points import EMPTY, Floats, Points
from servicekit.database import Connection, Database

from telemetry_ingest_service.models.limits import Crossing, Looked, SignalLimit
from telemetry_ingest_service.operations.converting import Converter, Converters, converters
from telemetry_ingest_service.queries.limits import (
    delete_old_crossings,
    delete_places,
    has_published_limits,
    insert_crossings,
    insert_places,
    lock_limits,
    select_limits,
    select_sensors_ahead,
    unlock_limits,
    update_limit_place,
    update_limits_crossed,
)
from telemetry_ingest_service.queries.reading import select_profiles, select_signals, to_us

AT_ONCE = 50_000
KEPT = timedelta(days=7)


async def look_at_limits(database: Database) -> int:
    """Look at what arrived since the last look; how many limits were crossed.

    Of many processes one looks; the others do nothing.
    """
    async with database.acquire() as connection:
        if not await has_published_limits(connection) or not await lock_limits(connection):
            return 0
        try:
            await insert_places(connection)
            await delete_places(connection)
            await delete_old_crossings(connection, before=datetime.now(UTC) - KEPT)
            places = await select_sensors_ahead(connection)
            if not places:
                return 0
            known = converters(await select_profiles(connection, list(places)))
            units = await select_signals(connection, list(places))
            found = [
                await _catch_up(connection, sensor_id, place, end, known, units)
                for sensor_id, (place, end) in places.items()
            ]
            return sum(found)
        finally:
            await unlock_limits(connection)


async def _catch_up(
    connection: Connection,
    sensor_id: UUID,
    place: int,
    end: int,
    known: Converters,
    units: dict[tuple[UUID, str], str],
) -> int:
    """Look at one sensor's new readings, some at a time, up to the last."""
    found = 0
    while news := await read_news(connection, sensor_id, after=place, at_most=AT_ONCE):
        limits = await select_limits(connection, [sensor_id])
        looked = {
            limit.watch_id: look(
                limit, news, known.of(sensor_id, limit.signal), units, crossed=crossed
            )
            for limit, crossed in limits
        }
        crossings = [one.crossing for one in looked.values() if one.crossing]
        async with connection.transaction():
            await update_limit_place(connection, sensor_id=sensor_id, ordinal=news.ordinal)
            await update_limits_crossed(
                connection,
                crossed=[watch_id for watch_id, one in looked.items() if one.crossed],
                back=[watch_id for watch_id, one in looked.items() if not one.crossed],
            )
            await insert_crossings(connection, crossings)
        place, found = news.ordinal, found + len(crossings)
    if place <= end:  # what came last held no reading, or a backup was restored
        await update_limit_place(connection, sensor_id=sensor_id, ordinal=max(place, end))
    return found


def look(
    limit: SignalLimit,
    news: News,
    converter: Converter,
    units: dict[tuple[UUID, str], str],
    *,
    crossed: bool,
) -> Looked:
    """What new readings do to a limit: one crossing at most is told of, however often they swing.

    Readings are taken along their own time. NaN, and what no profile converts, is on neither side.
    """
    points = next((some for signal, some in news.points if signal == limit.signal), EMPTY)
    points = points.sorted().between(to_us(limit.created_at), None)
    if not len(points):
        return Looked(None, crossed)
    values, unit = _values(points, converter, units.get((limit.sensor_id, limit.signal), ""))
    sign = 1.0 if limit.direction == "above" else -1.0
    beyond = sign * values > sign * limit.threshold
    back = sign * values <= sign * limit.rearm_at
    armed_from = 0
    if crossed:
        if not back.any():
            return Looked(None, crossed=True)
        armed_from = int(back.argmax())
    past = np.flatnonzero(beyond[armed_from:]) + armed_from
    if not len(past):
        return Looked(None, crossed=False)
    most = past[int((sign * values[past]).argmax())]
    crossing = Crossing(
        watch_id=limit.watch_id,
        value=float(values[past[0]]),
        most=float(values[most]),
        unit=unit,
        taken_us=int(points.x[past[0]]),
    )
    return Looked(crossing, crossed=not bool(back[past[-1] :].any()))


def _values(points: Points, converter: Converter, unit: str) -> tuple[Floats, str]:
    """What people read: physical values where the signal has a profile, else raw ones."""
    if not converter.profiles:
        return points.value, unit
    physical, _ = converter.convert(points.x, points.value)
    return physical, converter.unit(unit)

"""Reading: exact points of a range, or a picture of it from the coarsest level that fills it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import numpy as np

from seriesstore.append import Connection
from seriesstore.codec import unpack, unpack_outlines
from seriesstore.outline import COARSE_EVERY
from seriesstore.picture import thin
from seriesstore.points import Axis, Points, concatenate

# From here on decoding takes long enough to be done beside the event loop.
_MANY = 50_000
# A coarser level is taken when it has a bucket for each stretch of the picture: two of its points.
_STRETCHES = 2
_EXACT = 2**62
# Of such stretches, how many a coarser level may leave out between two of its points.
_WIDEST_HOLE = 2


@dataclass(frozen=True, slots=True)
class Window:
    """Of a series, the range low ≤ axis ≤ high; None is open."""

    series_id: int
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """What a viewer is shown of a window that holds `count` points."""

    points: Points
    count: int
    exact: bool


@dataclass(frozen=True, slots=True)
class _Levels:
    """How fine a series is read: its chunks inside the window by outline or by coarse level.

    No coarser level may leave a hole wider than `widest` along the axis, or it would look like a
    gap in the data.
    """

    outline: bool = False
    coarse: bool = False
    widest: float = float("inf")


async def read_points(
    connection: Connection,
    series_id: int,
    *,
    low: int | None = None,
    high: int | None = None,
    axis: Axis = "x",
    distinct: bool = False,
) -> Points:
    """Every point of a range along an axis; equal ones in the order logged.

    `distinct` leaves one of each exact repeat (same x, same bits of value).
    """
    rows = await _read_chunks(connection, [Window(series_id, low, high)], axis, [_Levels()])
    points = concatenate([_cut(row, axis) for row in rows]).sorted("x").sorted(axis)
    return points.distinct() if distinct else points


async def read_pictures(
    connection: Connection, windows: Sequence[Window], *, at_most: int, axis: Axis = "x"
) -> dict[int, Picture]:
    """A picture of each window, of at most `at_most` (≥ 4) points, by series id.

    Call it inside `snapshot`. The work is bounded by `at_most` and the number of chunks, not by
    how many points they hold: chunks inside a window are taken at the coarsest level that still
    has enough buckets, the few at its edges in full. Young chunks, which have no levels yet, are
    taken in full, too, and so are those in which points lie so unevenly that a coarser level would
    leave a hole: neighbours in a picture that are further apart than five of `at_most` / 2 equal
    stretches have nothing between them.
    """

    def draw(_window: Window, points: Points, count: int) -> Picture:
        shown = thin(points, at_most, axis)
        return Picture(shown, count, exact=len(shown) == count)

    return await read_levels(connection, windows, draw, at_most=at_most, axis=axis)


async def read_levels[T](
    connection: Connection,
    windows: Sequence[Window],
    draw: Callable[[Window, Points, int], T],
    *,
    at_most: int,
    axis: Axis = "x",
    timed: bool = True,
) -> dict[int, T]:
    """What `draw` makes of each window, by series id, beside the event loop where it takes long.

    It is handed the points of the levels that a picture of `at_most` points is drawn from, sorted
    along the axis, and how many points the window holds. Call it inside `snapshot`. Without
    `timed` the points have no times, which costs a third less to decode.
    """
    levels = await _choose_levels(connection, windows, at_most, axis)
    found = [levels.get(window.series_id, _Levels()) for window in windows]
    outlines = await _read_outlines(
        connection, *_chosen(windows, found, lambda level: level.outline), axis
    )
    rows = await _read_chunks(connection, windows, axis, found)
    work = sum(row["decoded"] for row in rows) + sum(row["count"] for row in outlines) // 1000
    widest = {one.series_id: level.widest for one, level in zip(windows, found, strict=True)}
    parts, uneven = await _unhurried(work, _unpack_all, rows, widest, axis, timed=timed)
    if uneven:
        whole = await _read_whole(connection, [rows[at] for at in uneven], uneven, timed=timed)
        for at, points in whole:
            parts[at] = points
            work += len(points)
    return await _unhurried(work, _draw, windows, outlines, rows, parts, draw, axis, timed=timed)


async def _unhurried[**P, T](
    work: int, does: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Do it, beside the event loop where it takes long."""
    if work >= _MANY:
        return await asyncio.to_thread(does, *args, **kwargs)
    return does(*args, **kwargs)


def _chosen(
    windows: Sequence[Window], levels: Sequence[_Levels], which: Callable[[_Levels], bool]
) -> tuple[list[Window], list[_Levels]]:
    pairs = [pair for pair in zip(windows, levels, strict=True) if which(pair[1])]
    return [window for window, _ in pairs], [level for _, level in pairs]


async def read_extent(
    connection: Connection, series_ids: Sequence[int], *, axis: Axis = "x"
) -> dict[int, tuple[int, int]]:
    """From where to where each series reaches along an axis."""
    rows = await connection.fetch(
        """
        SELECT series_id, min(CASE WHEN $2 THEN first_time ELSE first_x END) AS first,
               max(CASE WHEN $2 THEN last_time ELSE last_x END) AS last
        FROM chunks
        WHERE series_id = ANY ($1::bigint[])
        GROUP BY series_id
        """,
        series_ids,
        axis == "time",
    )
    return {
        row["series_id"]: (row["first"], row["last"]) for row in rows if row["first"] is not None
    }


@asynccontextmanager
async def snapshot(connection: Connection) -> AsyncGenerator[None]:
    """One view of the data for several statements: compaction may replace chunks meanwhile."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield


def _unpack_all(
    rows: Sequence[asyncpg.Record], widest: Mapping[int, float], axis: Axis, *, timed: bool
) -> tuple[list[Points], list[int]]:
    """The points of each row, and the places of coarse ones that leave a hole."""
    parts = [_cut(row, axis, timed=timed) for row in rows]
    uneven = [
        at
        for at, (row, points) in enumerate(zip(rows, parts, strict=True))
        if row["is_coarse"] and _hole(points, axis) > widest[row["series_id"]]
    ]
    return parts, uneven


def _hole(points: Points, axis: Axis) -> float:
    """The widest distance between neighbours; those of a coarse level are sorted, or nearly."""
    along = points.along(axis)
    if len(along) < 2:  # noqa: PLR2004
        return 0.0
    if int(along.max()) - int(along.min()) > _EXACT:  # would not fit into 64 bits
        return float(np.abs(np.diff(along.astype(np.float64))).max())
    steps = along[1:] - along[:-1]
    return float(max(steps.max(), -steps.min()))


async def _read_whole(
    connection: Connection,
    rows: Sequence[asyncpg.Record],
    places: Sequence[int],
    *,
    timed: bool,
) -> list[tuple[int, Points]]:
    """Every point of some chunks, each with its place."""
    found = await connection.fetch(
        """
        SELECT place, count, points
        FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::integer[])
             AS wanted (place, series_id, first_ordinal, part)
        JOIN chunks USING (series_id, first_ordinal, part)
        """,
        places,
        [row["series_id"] for row in rows],
        [row["first_ordinal"] for row in rows],
        [row["part"] for row in rows],
    )
    return [(row["place"], unpack(row["points"], row["count"], times=timed)) for row in found]


def _draw[T](
    windows: Sequence[Window],
    outlines: Sequence[asyncpg.Record],
    rows: Sequence[asyncpg.Record],
    decoded: Sequence[Points],
    draw: Callable[[Window, Points, int], T],
    axis: Axis,
    *,
    timed: bool,
) -> dict[int, T]:
    parts: dict[int, list[Points]] = defaultdict(list)
    counts: dict[int, int] = defaultdict(int)
    for row in outlines:
        parts[row["series_id"]].append(
            unpack_outlines(row["outlines"], timed=row["timed"] and timed)
        )
        counts[row["series_id"]] += row["count"]
    for row, points in zip(rows, decoded, strict=True):
        parts[row["series_id"]].append(points)
        counts[row["series_id"]] += row["count"] if row["is_coarse"] else len(points)
    drawn: dict[int, T] = {}
    for window in windows:
        points = concatenate(parts[window.series_id]).sorted("x").sorted(axis)
        drawn[window.series_id] = draw(window, points, counts[window.series_id])
    return drawn


def _cut(row: asyncpg.Record, axis: Axis, *, timed: bool = True) -> Points:
    """The points of a chunk that lie inside the window."""
    points = unpack(row["points"], row["decoded"], times=timed)
    if row["low"] is None and row["high"] is None:
        return points
    return points.sorted("x").sorted(axis).between(row["low"], row["high"], axis)


async def _choose_levels(
    connection: Connection, windows: Sequence[Window], at_most: int, axis: Axis
) -> Mapping[int, _Levels]:
    """The coarsest level of each series that still fills the picture."""
    rows = await connection.fetch(
        """
        SELECT series_id, sum(count) AS points,
               count(*) FILTER (WHERE coarse IS NOT NULL) AS chunks,
               coalesce(high, max(at.last))::float8 - coalesce(low, min(at.first))::float8 AS span
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS wanted (series_id, low, high)
        JOIN chunks USING (series_id)
        CROSS JOIN LATERAL (
            SELECT CASE WHEN $4 THEN first_time ELSE first_x END AS first,
                   CASE WHEN $4 THEN last_time ELSE last_x END AS last
        ) AS at
        WHERE (low IS NULL OR at.last >= low) AND (high IS NULL OR at.first <= high)
        GROUP BY series_id, low, high
        """,
        *_columns(windows),
        axis == "time",
    )
    wanted = at_most // _STRETCHES
    return {
        row["series_id"]: _Levels(
            outline=row["chunks"] >= wanted,
            coarse=row["points"] >= wanted * COARSE_EVERY,
            widest=_WIDEST_HOLE * row["span"] / wanted,
        )
        for row in rows
    }


async def _read_chunks(
    connection: Connection, windows: Sequence[Window], axis: Axis, levels: Sequence[_Levels]
) -> list[asyncpg.Record]:
    """The chunks that reach into the windows, in the order logged, without those in outline.

    `points` holds `decoded` points in the pack of the level; low and high are null where all of
    them lie inside.
    """
    return await connection.fetch(
        """
        SELECT series_id, first_ordinal, part, count, is_coarse,
               CASE WHEN NOT inside THEN low END AS low, CASE WHEN NOT inside THEN high END AS high,
               CASE WHEN is_coarse THEN level_count ELSE count END AS decoded,
               CASE WHEN NOT is_coarse THEN points
                    WHEN $4 THEN coalesce(coarse_by_time, coarse) ELSE coarse END AS points
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $5::boolean[], $6::boolean[],
                    $7::float8[])
             AS wanted (series_id, low, high, by_outline, by_coarse, widest)
        JOIN chunks USING (series_id)
        CROSS JOIN LATERAL (
            SELECT CASE WHEN $4 THEN first_time ELSE first_x END AS first,
                   CASE WHEN $4 THEN last_time ELSE last_x END AS last
        ) AS at
        CROSS JOIN LATERAL (
            SELECT coalesce(at.first >= low, true) AND coalesce(at.last <= high, true) AS inside
        ) AS lies
        CROSS JOIN LATERAL (
            SELECT by_coarse AND inside AND coarse IS NOT NULL AS is_coarse,
                   CASE WHEN $4 THEN coalesce(coarse_by_time_count, coarse_count)
                        ELSE coarse_count END AS level_count
        ) AS level
        WHERE (low IS NULL OR at.last >= low) AND (high IS NULL OR at.first <= high)
          AND NOT (by_outline AND inside AND coarse IS NOT NULL
                   AND at.last::float8 - at.first::float8 <= widest)
        ORDER BY series_id, first_ordinal, part
        """,
        *_columns(windows),
        axis == "time",
        [level.outline for level in levels],
        [level.coarse for level in levels],
        [level.widest for level in levels],
    )


async def _read_outlines(
    connection: Connection, windows: Sequence[Window], levels: Sequence[_Levels], axis: Axis
) -> list[asyncpg.Record]:
    """The outlines of all chunks inside the windows that leave no hole, a series in one piece."""
    if not windows:
        return []
    return await connection.fetch(
        """
        SELECT series_id, sum(count)::bigint AS count, bool_and(last_time IS NOT NULL) AS timed,
               string_agg(CASE WHEN $4 THEN coalesce(outline_by_time, outline) ELSE outline END, ''
                          ORDER BY first_ordinal, part) AS outlines
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $5::float8[])
             AS wanted (series_id, low, high, widest)
        JOIN chunks USING (series_id)
        CROSS JOIN LATERAL (
            SELECT CASE WHEN $4 THEN first_time ELSE first_x END AS first,
                   CASE WHEN $4 THEN last_time ELSE last_x END AS last
        ) AS at
        WHERE coarse IS NOT NULL AND at.last::float8 - at.first::float8 <= widest
          AND (low IS NULL OR at.first >= low) AND (high IS NULL OR at.last <= high)
        GROUP BY series_id
        """,
        *_columns(windows),
        axis == "time",
        [level.widest for level in levels],
    )


def _columns(
    windows: Sequence[Window],
) -> tuple[list[int], list[int | None], list[int | None]]:
    return (
        [window.series_id for window in windows],
        [window.low for window in windows],
        [window.high for window in windows],
    )

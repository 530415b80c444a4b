"""Reading: exact points of a range, or a picture of it from the coarsest level that fills it."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import asyncpg

from seriesstore.append import Connection
from seriesstore.codec import decode_points, decode_raw
from seriesstore.outline import picture
from seriesstore.points import Points, concatenate

type Level = Literal["points", "coarse", "outline"]


@dataclass(frozen=True, slots=True)
class Picture:
    """What a viewer is shown of a range that holds `count` points.

    Of a range that is shown in outline, `count` includes all points of a chunk
    that lies inside it, and exactly the matching ones of a chunk at its edge.
    """

    points: Points
    count: int
    exact: bool


async def read_points(
    connection: Connection,
    series_id: int,
    *,
    low: int | None = None,
    high: int | None = None,
    distinct: bool = False,
) -> Points:
    """Every point with low ≤ x ≤ high, by x; equal x in the order logged.

    `distinct` leaves one of each exact repeat (same x, same bits of value).
    """
    found = await _read_points(connection, [series_id], low, high)
    points = concatenate([points for _, points in found]).sorted()
    return points.distinct() if distinct else points


async def read_pictures(
    connection: Connection,
    series_ids: Sequence[int],
    *,
    at_most: int,
    low: int | None = None,
    high: int | None = None,
) -> dict[int, Picture]:
    """A picture of each series over low ≤ x ≤ high, of at most `at_most` points each.

    The connection must not be in a transaction. The work is bounded by `at_most`,
    not by how much is stored: chunks inside the range are taken at the coarsest
    level that still has enough points, the few at its edges in full.
    """
    async with snapshot(connection):
        levels = await _choose_levels(connection, series_ids, at_most, low, high)
        parts: dict[int, list[Points]] = defaultdict(list)
        counts: dict[int, int] = defaultdict(int)
        for series_id, points in await _read_points(connection, levels["points"], low, high):
            _add(parts, counts, series_id, points)
        rough = [*levels["coarse"], *levels["outline"]]
        if low is not None or high is not None:
            for series_id, points in await _read_edges(connection, rough, low, high):
                _add(parts, counts, series_id, points)
        for series_id, points, count in await _read_coarse(connection, levels["coarse"], low, high):
            parts[series_id].append(points)
            counts[series_id] += count
        for series_id, points, count in await _read_outlines(
            connection, levels["outline"], low, high
        ):
            parts[series_id].append(points)
            counts[series_id] += count
    return {
        series_id: _picture(parts[series_id], counts[series_id], at_most)
        for series_id in series_ids
    }


@asynccontextmanager
async def snapshot(connection: Connection) -> AsyncGenerator[None]:
    """One view of the data for several statements: compaction may replace chunks meanwhile."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield


def _add(
    parts: dict[int, list[Points]], counts: dict[int, int], series_id: int, points: Points
) -> None:
    parts[series_id].append(points)
    counts[series_id] += len(points)


def _picture(parts: Sequence[Points], count: int, at_most: int) -> Picture:
    shown = picture(concatenate(parts).sorted(), at_most)
    return Picture(shown, count, exact=len(shown) == count)


async def _choose_levels(
    connection: Connection,
    series_ids: Sequence[int],
    at_most: int,
    low: int | None,
    high: int | None,
) -> dict[Level, list[int]]:
    """The coarsest level of each series that still has `at_most` points in the range."""
    rows = await connection.fetch(
        """
        SELECT series_id, sum(count) AS points, sum(coalesce(coarse_count, count)) AS coarse,
               sum(outline_count) AS outline
        FROM chunks
        WHERE series_id = ANY ($1::bigint[])
          AND ($2::bigint IS NULL OR last_x >= $2)
          AND ($3::bigint IS NULL OR first_x <= $3)
        GROUP BY series_id
        """,
        series_ids,
        low,
        high,
    )
    levels: dict[Level, list[int]] = {"points": [], "coarse": [], "outline": []}
    for row in rows:
        level: Level = "points"
        if row["points"] > at_most:
            level = _coarsest(row, at_most)
        levels[level].append(row["series_id"])
    return levels


def _coarsest(row: asyncpg.Record, at_most: int) -> Level:
    if row["outline"] >= at_most:
        return "outline"
    return "coarse" if row["coarse"] >= at_most else "points"


async def _read_points(
    connection: Connection, series_ids: Sequence[int], low: int | None, high: int | None
) -> list[tuple[int, Points]]:
    """The matching points of every chunk, in the order logged."""
    if not series_ids:
        return []
    rows = await connection.fetch(
        """
        SELECT series_id, codec, x, value, time
        FROM chunks
        WHERE series_id = ANY ($1::bigint[])
          AND ($2::bigint IS NULL OR last_x >= $2)
          AND ($3::bigint IS NULL OR first_x <= $3)
        ORDER BY logged, part
        """,
        series_ids,
        low,
        high,
    )
    return [(row["series_id"], _decode(row).between(low, high)) for row in rows]


async def _read_edges(
    connection: Connection, series_ids: Sequence[int], low: int | None, high: int | None
) -> list[tuple[int, Points]]:
    """The matching points of chunks that reach over an end of the range."""
    if not series_ids:
        return []
    rows = await connection.fetch(
        """
        SELECT series_id, codec, x, value, time
        FROM chunks
        WHERE series_id = ANY ($1::bigint[])
          AND ($2::bigint IS NULL OR last_x >= $2)
          AND ($3::bigint IS NULL OR first_x <= $3)
          AND (first_x < $2 OR last_x > $3)
        """,
        series_ids,
        low,
        high,
    )
    return [(row["series_id"], _decode(row).between(low, high)) for row in rows]


async def _read_coarse(
    connection: Connection, series_ids: Sequence[int], low: int | None, high: int | None
) -> list[tuple[int, Points, int]]:
    """Of each chunk inside the range its coarse points, or all where it has none yet."""
    if not series_ids:
        return []
    rows = await connection.fetch(
        """
        SELECT series_id, count, codec, coalesce(coarse_x, x) AS x,
               coalesce(coarse_value, value) AS value,
               CASE WHEN coarse_x IS NULL THEN time ELSE coarse_time END AS time
        FROM chunks
        WHERE series_id = ANY ($1::bigint[])
          AND ($2::bigint IS NULL OR first_x >= $2)
          AND ($3::bigint IS NULL OR last_x <= $3)
        """,
        series_ids,
        low,
        high,
    )
    return [(row["series_id"], _decode(row), row["count"]) for row in rows]


async def _read_outlines(
    connection: Connection, series_ids: Sequence[int], low: int | None, high: int | None
) -> list[tuple[int, Points, int]]:
    """The outlines of all chunks inside the range, a series in one piece."""
    if not series_ids:
        return []
    rows = await connection.fetch(
        """
        SELECT series_id, string_agg(outline, '' ORDER BY first_x) AS outlines,
               sum(count)::bigint AS count, bool_and(time IS NOT NULL) AS timed
        FROM chunks
        WHERE series_id = ANY ($1::bigint[])
          AND ($2::bigint IS NULL OR first_x >= $2)
          AND ($3::bigint IS NULL OR last_x <= $3)
        GROUP BY series_id
        """,
        series_ids,
        low,
        high,
    )
    return [
        (row["series_id"], decode_raw(row["outlines"], timed=row["timed"]), row["count"])
        for row in rows
    ]


def _decode(row: asyncpg.Record) -> Points:
    return decode_points(row["codec"], row["x"], row["value"], row["time"])

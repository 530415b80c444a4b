"""Reading: exact points of a range, or a picture of it from the coarsest level that fills it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import asyncpg

from seriesstore.append import Connection
from seriesstore.codec import decode_points, decode_raw
from seriesstore.outline import picture
from seriesstore.points import EMPTY, Points, concatenate

type Level = Literal["points", "coarse", "outline"]


@dataclass(frozen=True, slots=True)
class Picture:
    """What a viewer of `points` places is shown of a range that holds `count` points."""

    points: Points
    count: int
    exact: bool


@dataclass(frozen=True, slots=True)
class _Extent:
    """Where a chunk stands and how many points each of its levels has."""

    id: int
    series_id: int
    place: tuple[int, int]
    first_x: int
    last_x: int
    count: int
    coarse_count: int | None

    def inside(self, low: int | None, high: int | None) -> bool:
        return (low is None or self.first_x >= low) and (high is None or self.last_x <= high)


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
    async with snapshot(connection):
        extents = await _extents(connection, [series_id], low, high)
        rows = await _fetch(connection, extents, "points")
    points = concatenate([part for _, part in rows[series_id]]).sorted().between(low, high)
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

    The work is bounded by `at_most`, not by how much is stored: chunks that lie inside
    the range are taken at the coarsest level that still has enough points, those at
    its edges in full. `count` counts a chunk at an edge exactly.
    """
    by_series: dict[int, list[_Extent]] = defaultdict(list)
    for extent in await _extents(connection, series_ids, low, high):
        by_series[extent.series_id].append(extent)
    wanted: dict[Level, list[_Extent]] = {"points": [], "coarse": [], "outline": []}
    for extents in by_series.values():
        level = _level(extents, at_most)
        for extent in extents:
            whole = level == "points" or not extent.inside(low, high)
            too_fresh = level == "coarse" and extent.coarse_count is None
            wanted["points" if whole or too_fresh else level].append(extent)
    parts: dict[int, list[tuple[int, Points]]] = defaultdict(list)
    counts: dict[int, int] = defaultdict(int)
    for level, extents in wanted.items():
        for series_id, found in (await _fetch(connection, extents, level)).items():
            parts[series_id] += found
    for extent in (*wanted["coarse"], *wanted["outline"]):
        counts[extent.series_id] += extent.count
    exact_ids = {extent.id for extent in wanted["points"]}
    return {
        series_id: _picture(
            parts[series_id], exact_ids, counts[series_id], at_most, low, high
        )
        for series_id in series_ids
    }


def _picture(
    parts: list[tuple[int, Points]],
    exact_ids: set[int],
    hidden: int,
    at_most: int,
    low: int | None,
    high: int | None,
) -> Picture:
    # Chunks of one series in the order logged: equal x then keep their order.
    parts = sorted(parts, key=lambda part: part[0])
    clipped = [
        (chunk_id, points.between(low, high) if chunk_id in exact_ids else points)
        for chunk_id, points in parts
    ]
    count = hidden + sum(len(points) for chunk_id, points in clipped if chunk_id in exact_ids)
    together = concatenate([points for _, points in clipped if len(points)]).sorted()
    shown = picture(together, at_most)
    return Picture(shown, count, exact=len(shown) == count)


def _level(extents: Sequence[_Extent], at_most: int) -> Level:
    total = sum(extent.count for extent in extents)
    if total <= at_most:
        return "points"
    if 4 * len(extents) >= at_most:  # an outline has up to five points, rarely fewer than four
        return "outline"
    coarse = sum(extent.coarse_count or extent.count for extent in extents)
    return "coarse" if coarse >= at_most else "points"


async def _extents(
    connection: Connection, series_ids: Sequence[int], low: int | None, high: int | None
) -> list[_Extent]:
    rows = await connection.fetch(
        """
        SELECT id, series_id, (logged, part) AS place, first_x, last_x, count, coarse_count
        FROM chunks
        WHERE series_id = ANY ($1::bigint[])
          AND ($2::bigint IS NULL OR last_x >= $2)
          AND ($3::bigint IS NULL OR first_x <= $3)
        """,
        series_ids,
        low,
        high,
    )
    return [_Extent(*row.values()) for row in rows]


async def _fetch(
    connection: Connection, extents: Sequence[_Extent], level: Level
) -> dict[int, list[tuple[int, Points]]]:
    """Series id → (chunk id, points at the level), chunks in the order logged."""
    found: dict[int, list[tuple[int, Points]]] = defaultdict(list)
    if not extents:
        return found
    ids = [extent.id for extent in extents]
    for row in await _rows(connection, ids, level):
        found[row["series_id"]].append((row["id"], _decode(row, level)))
    return found


async def _rows(
    connection: Connection, ids: Sequence[int], level: Level
) -> list[asyncpg.Record]:
    if level == "outline":
        return await connection.fetch(
            """
            SELECT id, series_id, outline, time IS NOT NULL AS timed
            FROM chunks WHERE id = ANY ($1::bigint[]) ORDER BY logged, part
            """,
            ids,
        )
    if level == "coarse":
        return await connection.fetch(
            """
            SELECT id, series_id, codec, coarse_x AS x, coarse_value AS value, coarse_time AS time
            FROM chunks WHERE id = ANY ($1::bigint[]) ORDER BY logged, part
            """,
            ids,
        )
    return await connection.fetch(
        """
        SELECT id, series_id, codec, x, value, time
        FROM chunks WHERE id = ANY ($1::bigint[]) ORDER BY logged, part
        """,
        ids,
    )


def _decode(row: asyncpg.Record, level: Level) -> Points:
    if level == "outline":
        return decode_raw(row["outline"], timed=row["timed"])
    return decode_points(row["codec"], row["x"], row["value"], row["time"])


__all__ = ["EMPTY", "Picture", "read_pictures", "read_points"]

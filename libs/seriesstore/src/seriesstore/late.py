"""What arrived after its time: points of a range whose `time` lies behind a moment."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import numpy as np

from seriesstore.aggregate import Intervals
from seriesstore.append import Connection
from seriesstore.codec import unpack
from seriesstore.points import Integers

_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Stretches:
    """Columns of one length: `count` late points, of which the first lies at `first`.

    Others lie up to `last`; they begin in the order of `first`, and may reach into each other.
    """

    first: Integers
    last: Integers
    count: Integers


async def count_later(
    connection: Connection, series_id: int, *, low: int | None, high: int | None, after: int
) -> int:
    """How many points with low ≤ x ≤ high have a time behind `after`.

    Chunks that lie inside on both axes are counted without being decoded.
    """
    rows = await connection.fetch(
        """
        SELECT count, CASE WHEN NOT inside THEN points END AS points
        FROM chunks
        CROSS JOIN LATERAL (
            SELECT first_time > $4 AND ($2::bigint IS NULL OR first_x >= $2)
                   AND ($3::bigint IS NULL OR last_x <= $3) AS inside
        ) AS lies
        WHERE series_id = $1 AND last_time > $4
          AND ($2::bigint IS NULL OR last_x >= $2) AND ($3::bigint IS NULL OR first_x <= $3)
        """,
        series_id,
        low,
        high,
        after,
    )
    found = 0
    for row in rows:
        if row["points"] is None:
            found += row["count"]
            continue
        points = unpack(row["points"], row["count"]).sorted().between(low, high)
        if points.time is not None:
            found += int((points.time > after).sum())
    return found


async def find_later(
    connection: Connection, series_id: int, intervals: Intervals, *, after: int
) -> Stretches:
    """Where the points of a range lie whose time is behind `after`: a stretch for each interval.

    Chunks that are late as a whole and no wider than an interval are not decoded. Call it inside
    `read.snapshot`: compaction may replace chunks between the two statements.
    """
    heads = await connection.fetch(
        """
        SELECT first_ordinal, part, count, first_x, last_x, first_time > $4 AS late
        FROM chunks
        WHERE series_id = $1 AND last_x >= $2 AND first_x <= $3 AND last_time > $4
        """,
        series_id,
        intervals.low,
        intervals.high,
        after,
    )
    found = _Found(intervals, after)
    to_decode = [head for head in heads if not found.add_whole(head)]
    for at in range(0, len(to_decode), _AT_ONCE):
        some = to_decode[at : at + _AT_ONCE]
        rows = await connection.fetch(
            """
            SELECT count, points
            FROM chunks
            JOIN unnest($2::bigint[], $3::integer[]) AS wanted (first_ordinal, part)
                 USING (first_ordinal, part)
            WHERE series_id = $1
            """,
            series_id,
            [head["first_ordinal"] for head in some],
            [head["part"] for head in some],
        )
        if len(rows) > 1:
            await asyncio.to_thread(found.add_points, rows)
        else:
            found.add_points(rows)
    return found.result()


class _Found:
    def __init__(self, intervals: Intervals, after: int) -> None:
        self._intervals = intervals
        self._after = after
        self._width = (intervals.high - intervals.low + 1) / len(intervals.edges)
        size = len(intervals.edges)
        self._first = np.full(size, np.iinfo(np.int64).max)
        self._last = np.full(size, np.iinfo(np.int64).min)
        self._count = np.zeros(size, np.int64)

    def add_whole(self, head: asyncpg.Record) -> bool:
        """Take a chunk that is late and lies inside; whether that was possible."""
        first, last = head["first_x"], head["last_x"]
        inside = first >= self._intervals.low and last <= self._intervals.high
        if not (head["late"] and inside and last - first <= self._width):
            return False
        (place,) = self._intervals.place(np.array([first], np.int64)).tolist()
        self._first[place] = min(self._first[place], first)
        self._last[place] = max(self._last[place], last)
        self._count[place] += head["count"]
        return True

    def add_points(self, rows: Sequence[asyncpg.Record]) -> None:
        """Take what is late of chunks that are so in part, or that reach over the edges."""
        for row in rows:
            points = unpack(row["points"], row["count"]).sorted()
            points = points.between(self._intervals.low, self._intervals.high)
            if points.time is None:
                continue
            x = points.x[points.time > self._after]
            if not len(x):
                continue
            place = self._intervals.place(x)
            starts = np.flatnonzero(np.diff(place, prepend=-1))
            ends = np.append(starts[1:], len(x)) - 1
            where = place[starts]
            self._first[where] = np.minimum(self._first[where], x[starts])
            self._last[where] = np.maximum(self._last[where], x[ends])
            self._count[where] += ends - starts + 1

    def result(self) -> Stretches:
        there = np.flatnonzero(self._count)
        return Stretches(self._first[there], self._last[there], self._count[there])

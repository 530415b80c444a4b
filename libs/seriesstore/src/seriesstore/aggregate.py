"""Figures per interval: least, greatest, mean and count."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import asyncpg
import numpy as np

from seriesstore.append import Connection
from seriesstore.codec import unpack
from seriesstore.points import Axis, Floats, Integers, Points

_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Intervals:
    """Equal intervals over low ≤ axis ≤ high; `edges` are their beginnings."""

    low: int
    high: int
    edges: Integers

    @classmethod
    def over(cls, low: int, high: int, count: int) -> Self:
        """`count` of them, or as many as there are different integers.

        Raises:
            ValueError: the range is empty or there is no interval.
        """
        if high < low or count < 1:
            msg = "A range needs low ≤ high and at least one interval."
            raise ValueError(msg)
        # In Python's integers: high - low may not fit into 64 bits.
        span = high - low + 1
        edges = sorted({low + span * step // count for step in range(count)})
        return cls(low, high, np.array(edges, np.int64))

    def place(self, along: Integers) -> Integers:
        """In which interval each coordinate lies."""
        return np.searchsorted(self.edges, along, "right") - 1


@dataclass(frozen=True, slots=True)
class Aggregates:
    """Columns of one length, an entry for each interval that holds a point.

    `x` is where the interval begins. NaN and infinite values count in `count`;
    `mean` is over the finite ones, `min` and `max` over those that are not NaN,
    and each is NaN where there are none.
    """

    x: Integers
    count: Integers
    min: Floats
    max: Floats
    mean: Floats


async def aggregate(
    connection: Connection,
    series_id: int,
    intervals: Intervals,
    *,
    axis: Axis = "x",
    offset: int = 0,
) -> Aggregates:
    """The figures of a series by interval, at the series' coordinates minus `offset`.

    A chunk that lies inside one interval gives its figures without being decoded. Call it
    inside `read.snapshot`: compaction may replace chunks between the two statements.
    """
    heads = await connection.fetch(
        """
        SELECT first_ordinal, part, at.first, at.last, count, finite, sum_value, min_value,
               max_value
        FROM chunks
        CROSS JOIN LATERAL (
            SELECT CASE WHEN $4 THEN first_time ELSE first_x END AS first,
                   CASE WHEN $4 THEN last_time ELSE last_x END AS last
        ) AS at
        WHERE series_id = $1 AND at.last >= $2 AND at.first <= $3
        """,
        series_id,
        _clip(intervals.low + offset),
        _clip(intervals.high + offset),
        axis == "time",
    )
    sums = _Sums(intervals)
    to_decode = sums.add_whole(heads, offset)
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
            await asyncio.to_thread(sums.add_points, rows, axis, offset)
        else:
            sums.add_points(rows, axis, offset)
    return sums.result()


def sum_up(points: Points, intervals: Intervals) -> Aggregates:
    """The figures of points, which are sorted by x, by interval."""
    sums = _Sums(intervals)
    sums.add_sorted(points.between(_clip(intervals.low), _clip(intervals.high)), "x", 0)
    return sums.result()


def _clip(value: int) -> int:
    return max(-(2**63), min(2**63 - 1, value))


class _Sums:
    def __init__(self, intervals: Intervals) -> None:
        self._intervals = intervals
        size = len(intervals.edges)
        self._count = np.zeros(size, np.int64)
        self._finite = np.zeros(size, np.int64)
        self._known = np.zeros(size, np.bool_)
        self._sum = np.zeros(size)
        self._least = np.full(size, np.inf)
        self._greatest = np.full(size, -np.inf)

    def add_whole(self, heads: Sequence[asyncpg.Record], offset: int) -> list[asyncpg.Record]:
        """Take the figures of the chunks that lie inside one interval; answers the others."""
        low, high = self._intervals.low + offset, self._intervals.high + offset
        others: list[asyncpg.Record] = []
        for head in heads:
            if head["finite"] is None or head["first"] < low or head["last"] > high:
                others.append(head)
                continue
            ends = np.array([head["first"] - offset, head["last"] - offset], np.int64)
            first, last = self._intervals.place(ends).tolist()
            if first != last:
                others.append(head)
                continue
            self._count[first] += head["count"]
            self._finite[first] += head["finite"]
            self._sum[first] += head["sum_value"]
            if head["min_value"] is not None:
                self._known[first] = True
                self._least[first] = min(self._least[first], head["min_value"])
                self._greatest[first] = max(self._greatest[first], head["max_value"])
        return others

    def add_points(self, rows: Sequence[asyncpg.Record], axis: Axis, offset: int) -> None:
        """Take the points of chunks that reach over an edge, or have no figures yet."""
        for row in rows:
            points = unpack(row["points"], row["count"]).sorted(axis)
            self.add_sorted(
                points.between(
                    _clip(self._intervals.low + offset),
                    _clip(self._intervals.high + offset),
                    axis,
                ),
                axis,
                offset,
            )

    def add_sorted(self, points: Points, axis: Axis, offset: int) -> None:
        """Take points that are sorted along the axis and lie inside the range."""
        if not len(points):
            return
        place = self._intervals.place(points.along(axis) - offset)
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        where = place[starts]
        missing, finite = np.isnan(points.value), np.isfinite(points.value)
        self._count[where] += np.diff(np.append(starts, len(points)))
        self._finite[where] += np.add.reduceat(finite.astype(np.int64), starts)
        self._known[where] |= np.logical_or.reduceat(~missing, starts)
        with np.errstate(over="ignore", invalid="ignore"):
            self._sum[where] += np.add.reduceat(np.where(finite, points.value, 0.0), starts)
        least = np.minimum.reduceat(np.where(missing, np.inf, points.value), starts)
        greatest = np.maximum.reduceat(np.where(missing, -np.inf, points.value), starts)
        self._least[where] = np.minimum(self._least[where], least)
        self._greatest[where] = np.maximum(self._greatest[where], greatest)

    def result(self) -> Aggregates:
        there = np.flatnonzero(self._count)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = self._sum / self._finite
        return Aggregates(
            self._intervals.edges[there],
            self._count[there],
            np.where(self._known, self._least, np.nan)[there],
            np.where(self._known, self._greatest, np.nan)[there],
            mean[there],
        )

"""Figures per interval of x: least, greatest, mean and count."""

from dataclasses import dataclass

import numpy as np

from seriesstore.append import Connection
from seriesstore.points import Floats, Integers
from seriesstore.read import read_points


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
    connection: Connection, series_id: int, *, low: int, high: int, intervals: int
) -> Aggregates:
    """The figures of `intervals` equal intervals over low ≤ x ≤ high.

    Raises:
        ValueError: the range is empty or there is no interval.
    """
    if high < low or intervals < 1:
        msg = "A range needs low ≤ high and at least one interval."
        raise ValueError(msg)
    points = await read_points(connection, series_id, low=low, high=high)
    edges = _edges(low, high, intervals)
    starts = np.unique(np.searchsorted(points.x, edges, "left"))
    starts = starts[starts < len(points)]
    if not len(starts):
        nothing = np.empty(0)
        return Aggregates(np.empty(0, np.int64), np.empty(0, np.int64), *[nothing] * 3)
    place = np.searchsorted(edges, points.x[starts], "right") - 1
    missing, finite = np.isnan(points.value), np.isfinite(points.value)
    least = np.minimum.reduceat(np.where(missing, np.inf, points.value), starts)
    greatest = np.maximum.reduceat(np.where(missing, -np.inf, points.value), starts)
    known = np.add.reduceat((~missing).astype(np.int64), starts)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = np.add.reduceat(np.where(finite, points.value, 0.0), starts) / np.add.reduceat(
            finite.astype(np.int64), starts
        )
    return Aggregates(
        edges[place],
        np.diff(np.append(starts, len(points))),
        np.where(known > 0, least, np.nan),
        np.where(known > 0, greatest, np.nan),
        mean,
    )


def _edges(low: int, high: int, intervals: int) -> Integers:
    # In Python's integers: high - low may not fit into 64 bits.
    span = high - low + 1
    return np.array(
        sorted({low + span * step // intervals for step in range(intervals)}), dtype=np.int64
    )

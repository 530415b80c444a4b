"""Several series on one grid: what each had at the end of equal intervals, and between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seriesstore.aggregate import Intervals
from seriesstore.append import Connection
from seriesstore.points import Axis, Floats, Integers, Points
from seriesstore.read import Window, read_levels


@dataclass(frozen=True, slots=True)
class Aligned:
    """Columns of one length, an entry for each interval in which a point is known.

    `place` is the interval. `last` is the last value in it, NaN where that is one; `min` and `max`
    leave NaN out and are NaN where there is nothing else. `count` is how many points the series
    has in the whole range; `exact` when all of them were looked at, else extremes are kept and
    `last` is the last point of a level that has at least one point for each 64.
    """

    place: Integers
    last: Floats
    min: Floats
    max: Floats
    count: int
    exact: bool


async def read_aligned(
    connection: Connection,
    grids: Sequence[tuple[Window, Intervals, int]],
    *,
    axis: Axis = "x",
) -> dict[int, Aligned]:
    """Each window on its intervals, at the series' coordinates minus the offset, by series id.

    Call it inside `read.snapshot`. As for pictures the work is bounded by the number of intervals.
    """
    of: Mapping[int, tuple[Intervals, int]] = {
        window.series_id: (intervals, offset) for window, intervals, offset in grids
    }

    def draw(window: Window, points: Points, count: int) -> Aligned:
        intervals, offset = of[window.series_id]
        return align(points, intervals, count=count, axis=axis, offset=offset)

    finest = max((len(intervals.edges) for _, intervals, _ in grids), default=1)
    # A level is fine enough for a picture of two points an interval.
    return await read_levels(
        connection,
        [window for window, _, _ in grids],
        draw,
        at_most=2 * finest,
        axis=axis,
        timed=axis == "time",
    )


def align(
    points: Points, intervals: Intervals, *, count: int, axis: Axis = "x", offset: int = 0
) -> Aligned:
    """Points, which are sorted along the axis, on the intervals."""
    exact = len(points) == count
    along = points.along(axis) - offset
    inside = (along >= intervals.low) & (along <= intervals.high)
    if not inside.all():
        along, points = along[inside], points.take(inside)
    if not len(points):
        none = np.zeros(0)
        return Aligned(np.zeros(0, np.int64), none, none, none, count, exact)
    place = intervals.place(along)
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    value = points.value
    missing = np.isnan(value)
    least = np.minimum.reduceat(np.where(missing, np.inf, value), starts)
    greatest = np.maximum.reduceat(np.where(missing, -np.inf, value), starts)
    unknown = np.logical_and.reduceat(missing, starts)
    return Aligned(
        place[starts],
        value[np.append(starts[1:], len(value)) - 1],
        np.where(unknown, np.nan, least),
        np.where(unknown, np.nan, greatest),
        count,
        exact,
    )

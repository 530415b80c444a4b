"""Fewer points with the same picture: every extreme and every gap stays.

Of each bucket the first, least, greatest and last point are kept (M4: Jugel et al.,
VLDB 2014), and one NaN where the bucket has any, so that a spike never vanishes
and a gap is drawn as a gap.
"""

import numpy as np
from numpy.typing import NDArray

from seriesstore.points import Floats, Points

COARSE_EVERY = 64
"""How many points one bucket of the coarse level stands for."""


def outline(points: Points, starts: NDArray[np.intp]) -> Points:
    """The kept points of buckets that begin at `starts` (ascending, the first 0)."""
    return points.take(_kept(points.value, starts)) if len(points) else points


def coarse(points: Points) -> Points:
    """The outline of each `COARSE_EVERY` points."""
    return outline(points, np.arange(0, len(points), COARSE_EVERY, dtype=np.intp))


def whole_outline(points: Points) -> Points:
    """The outline of all points as one bucket: at most five."""
    return outline(points, np.zeros(1, np.intp))


def picture(points: Points, at_most: int) -> Points:
    """At most `at_most` sorted points that draw as all of them do over their range of x."""
    if len(points) <= at_most:
        return points
    buckets = max(1, at_most // 5)
    low, high = int(points.x[0]), int(points.x[-1])
    edges = np.linspace(low, high, buckets, endpoint=False)
    starts = np.unique(np.searchsorted(points.x, edges, "left").astype(np.intp))
    return outline(points, starts)


def _kept(value: Floats, starts: NDArray[np.intp]) -> NDArray[np.intp]:
    counts = np.diff(np.append(starts, len(value)))
    missing = np.isnan(value)
    least = _first_at(np.where(missing, np.inf, value), starts, counts, np.minimum)
    greatest = _first_at(np.where(missing, -np.inf, value), starts, counts, np.maximum)
    gaps = _first_at(missing.astype(np.int8), starts, counts, np.maximum)
    gaps = gaps[missing[gaps]]
    return np.unique(np.concatenate([starts, least, greatest, gaps, starts + counts - 1]))


def _first_at(
    column: NDArray[np.generic],
    starts: NDArray[np.intp],
    counts: NDArray[np.intp],
    extreme: np.ufunc,
) -> NDArray[np.intp]:
    """Where each bucket's extreme stands for the first time."""
    best = np.repeat(extreme.reduceat(column, starts), counts)
    places = np.flatnonzero(column == best)
    _, first = np.unique(np.searchsorted(starts, places, "right"), return_index=True)
    return places[first]

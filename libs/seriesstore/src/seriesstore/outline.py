"""Fewer points with the same picture: every extreme and every gap stays.

Of each bucket the first, least, greatest and last point are kept (M4: Jugel et al.,
VLDB 2014), and one NaN where the bucket has any, so that a spike never vanishes
and a gap is drawn as a gap. Buckets count points, so that they need no axis; the
points must be sorted along the one for which they are kept.
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


def extremes(
    value: Floats, starts: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """Where each bucket's least and greatest value stand first, and whether it has any but NaN."""
    counts = np.diff(np.append(starts, len(value)))
    missing = np.isnan(value)
    known = np.add.reduceat((~missing).astype(np.intp), starts) > 0
    # Where there is nothing but NaN, the first of them stands for both.
    counted = ~missing | np.repeat(~known, counts)
    least = _first_at(np.where(missing, np.inf, value), counted, starts, counts, np.minimum)
    greatest = _first_at(np.where(missing, -np.inf, value), counted, starts, counts, np.maximum)
    return least, greatest, known


def _kept(value: Floats, starts: NDArray[np.intp]) -> NDArray[np.intp]:
    counts = np.diff(np.append(starts, len(value)))
    least, greatest, _ = extremes(value, starts)
    missing = np.isnan(value)
    gaps = _first_at(missing.astype(np.int8), np.True_, starts, counts, np.maximum)
    gaps = gaps[missing[gaps]]
    return np.unique(np.concatenate([starts, least, greatest, gaps, starts + counts - 1]))


def _first_at(
    column: NDArray[np.generic],
    counted: NDArray[np.bool_] | np.bool_,
    starts: NDArray[np.intp],
    counts: NDArray[np.intp],
    extreme: np.ufunc,
) -> NDArray[np.intp]:
    """Where each bucket's extreme stands for the first time, among the points that count."""
    best = np.repeat(extreme.reduceat(column, starts), counts)
    places = np.flatnonzero((column == best) & counted)
    _, first = np.unique(np.searchsorted(starts, places, "right"), return_index=True)
    return places[first]

"""Fewer points for the same picture."""

import numpy as np
from tsdownsample import MinMaxDownsampler

from metrics_service.models.columns import Int64s
from metrics_service.models.points import Points

_DOWNSAMPLER = MinMaxDownsampler()
_GAP_SHARE = 4


def by_step(points: Points) -> Points:
    """The points ordered by step; equal steps stay as they were logged."""
    if len(points) < 2 or not np.any(points.step[1:] < points.step[:-1]):  # noqa: PLR2004
        return points
    return points.take(np.argsort(points.step, kind="stable"))


def downsample(points: Points, most: int) -> Points:
    """At most `most` (≥ 4) of the points, which must be ordered by step.

    Kept are the first and the last point, the lowest and the highest value of each of equally
    wide stretches of steps, and where NaN begins: up to a quarter of `most` such gaps, evenly
    chosen. Infinity counts as the extreme that it is.
    """
    if len(points) <= most:
        return points
    gaps = _gaps(points, most // _GAP_SHARE)
    numbers = np.flatnonzero(~np.isnan(points.value))
    ends = np.array([0, len(points) - 1])
    room = (most - len(ends) - len(gaps)) // 2 * 2
    return points.take(np.unique(np.concatenate([ends, gaps, _extremes(points, numbers, room)])))


def _gaps(points: Points, most: int) -> Int64s:
    """Indices at which a stretch of NaN begins, thinned evenly."""
    missing = np.isnan(points.value)
    begins = np.flatnonzero(missing & ~np.concatenate([[False], missing[:-1]]))
    if len(begins) <= most:
        return begins
    return begins[np.linspace(0, len(begins) - 1, most).astype(np.int64)]


def _extremes(points: Points, numbers: Int64s, room: int) -> Int64s:
    """Indices of the lowest and highest value of each stretch, among `numbers`."""
    if room < 2 or len(numbers) <= room:  # noqa: PLR2004: a stretch gives two
        return numbers[:room]
    values = points.value[numbers]
    # As floats, because the span of two 64-bit integers does not fit into one.
    steps = points.step[numbers].astype(np.float64)
    if steps[0] == steps[-1]:
        chosen = _DOWNSAMPLER.downsample(values, n_out=room)
    else:
        chosen = _DOWNSAMPLER.downsample(steps, values, n_out=room)
    return numbers[chosen.astype(np.int64)]

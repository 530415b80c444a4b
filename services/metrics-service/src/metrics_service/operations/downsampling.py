"""Fewer points for the same picture."""

from collections.abc import Callable
from typing import cast

import numpy as np
import numpy.typing as npt
from tsdownsample import MinMaxDownsampler

from metrics_service.models.columns import Int64s
from metrics_service.models.points import Points

_lowest_and_highest = cast("Callable[..., npt.NDArray[np.uint64]]", MinMaxDownsampler().downsample)
_GAP_SHARE = 4
# Points that a stretch gives: its lowest and its highest.
_A_STRETCH = 2


def by_step(points: Points) -> Points:
    """The points ordered by step; equal steps stay as they were logged."""
    if not np.any(points.step[1:] < points.step[:-1]):
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
    room = (most - len(ends) - len(gaps)) // _A_STRETCH * _A_STRETCH
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
    if room < _A_STRETCH or len(numbers) <= room:
        return numbers[:room]
    values = points.value[numbers]
    # As floats, because the span of two 64-bit integers does not fit into one.
    steps = points.step[numbers].astype(np.float64)
    columns = (values,) if steps[0] == steps[-1] else (steps, values)
    return numbers[_lowest_and_highest(*columns, n_out=room).astype(np.int64)]

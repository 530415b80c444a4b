"""As many points as a picture can show, and none of its spikes and gaps lost."""

from collections.abc import Callable
from typing import cast

import numpy as np
import numpy.typing as npt
from tsdownsample import MinMaxDownsampler

from seriesstore.points import Axis, Integers, Points

_lowest_and_highest = cast("Callable[..., npt.NDArray[np.uint64]]", MinMaxDownsampler().downsample)
_GAP_SHARE = 4
# Points that a stretch gives: its lowest and its highest.
_A_STRETCH = 2


def thin(points: Points, at_most: int, axis: Axis = "x") -> Points:
    """At most `at_most` (≥ 4) of the points, which must be sorted along the axis.

    Kept are the first and the last point, the lowest and the highest value of each of equally
    wide stretches of the axis, and where NaN begins: up to a quarter of `at_most` such gaps,
    evenly chosen. Infinity counts as the extreme that it is.
    """
    if len(points) <= at_most:
        return points
    # Both ends and one stretch come before any gap.
    gaps = _gaps(points, min(at_most // _GAP_SHARE, at_most - 2 - _A_STRETCH))
    numbers = np.flatnonzero(~np.isnan(points.value))
    ends = np.array([0, len(points) - 1])
    room = (at_most - len(ends) - len(gaps)) // _A_STRETCH * _A_STRETCH
    shown = np.concatenate([ends, gaps, _extremes(points, numbers, room, axis)])
    return points.take(np.unique(shown))


def _gaps(points: Points, most: int) -> npt.NDArray[np.intp]:
    """Indices at which a stretch of NaN begins, thinned evenly."""
    missing = np.isnan(points.value)
    begins = np.flatnonzero(missing & ~np.concatenate([[False], missing[:-1]]))
    if len(begins) <= most:
        return begins
    return begins[np.linspace(0, len(begins) - 1, most).astype(np.intp)]


def _extremes(
    points: Points, numbers: npt.NDArray[np.intp], room: int, axis: Axis
) -> npt.NDArray[np.intp] | Integers:
    """Indices of the lowest and highest value of each stretch, among `numbers`."""
    if room < _A_STRETCH or len(numbers) <= room:
        return numbers[:room]
    values = points.value[numbers]
    if room == _A_STRETCH:
        # The library panics when a single stretch is asked of it.
        return numbers[[values.argmin(), values.argmax()]]
    # As floats, because the span of two 64-bit integers does not fit into one.
    along = points.along(axis)[numbers].astype(np.float64)
    columns = (values,) if along[0] == along[-1] else (along, values)
    return numbers[_lowest_and_highest(*columns, n_out=room).astype(np.intp)]

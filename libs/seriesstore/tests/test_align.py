"""Several series on one grid, against a plain loop; and statistics."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seriesstore.aggregate import Intervals
from seriesstore.align import align
from seriesstore.points import Points
from seriesstore.statistics import statistics

floats = st.floats(allow_nan=True, allow_infinity=True)
steps = st.lists(st.integers(-(2**62), 2**62), max_size=50)


@settings(deadline=None)
@given(
    steps.flatmap(
        lambda x: st.tuples(st.just(sorted(x)), st.lists(floats, min_size=len(x), max_size=len(x)))
    ),
    st.integers(1, 20),
)
def test_each_interval_has_its_last_value_and_its_extremes(series, count) -> None:
    x, values = series
    low, high = (x[0], x[-1]) if x else (0, 10)
    intervals = Intervals.over(low, high, count)
    found = align(Points.of(x, values), intervals, count=len(x))

    ends = [*(intervals.edges[1:] - 1).tolist(), high]
    expected = []
    for place, (start, end) in enumerate(zip(intervals.edges.tolist(), ends, strict=True)):
        inside = [value for at, value in zip(x, values, strict=True) if start <= at <= end]
        if inside:
            known = [value for value in inside if not math.isnan(value)] or [math.nan]
            expected.append((place, inside[-1], min(known), max(known)))
    got = list(zip(found.place, found.last, found.min, found.max, strict=True))
    np.testing.assert_array_equal(got, np.array(expected).reshape((got and (-1, 4)) or (0,)))
    assert found.exact


def test_points_outside_the_grid_are_left_out() -> None:
    found = align(Points.of([0, 5, 10], [1.0, 2.0, 3.0]), Intervals.over(4, 9, 2), count=3)
    assert found.last.tolist() == [2.0]


def test_statistics_leave_out_what_is_not_finite() -> None:
    values = np.array([1.0, np.nan, 3.0, np.inf, 2.0])
    found = statistics(values, [0, 50, 95])
    assert (found.count, found.finite, found.mean, found.deviation) == (5, 3, 2.0, 1.0)
    assert found.percentiles == pytest.approx([1.0, 2.0, 2.9])
    none = statistics(np.array([np.nan]), [50])
    assert (none.finite, none.mean, none.percentiles) == (0, None, [None])
    assert statistics(np.array([1e308, 1e308]), []).mean is None

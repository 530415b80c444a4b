"""Pictures: few points, and nothing of what matters lost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from seriesstore.picture import thin
from seriesstore.points import Points

VALUES = st.one_of(st.floats(-9, 9), st.sampled_from([float("nan"), float("inf"), -float("inf")]))


@given(st.lists(VALUES, min_size=1, max_size=60), st.integers(4, 40), st.sampled_from([0, 10]))
def test_a_picture_of_any_size_keeps_both_ends_and_both_extremes(
    values: list[float], at_most: int, step: int
) -> None:
    x = [7 + step * n for n in range(len(values))]
    points = Points.of(x, values)

    shown = thin(points, at_most)

    assert len(shown) <= at_most
    assert shown.is_sorted()
    assert set(zip(shown.x.tolist(), map(str, shown.value), strict=True)) <= set(
        zip(points.x.tolist(), map(str, points.value), strict=True)
    )
    for one in (0, -1):
        assert shown.x[one] == points.x[one]
        assert str(shown.value[one]) == str(points.value[one])
    numbers = points.value[~np.isnan(points.value)]
    if len(numbers):
        assert np.nanmin(shown.value) == numbers.min()
        assert np.nanmax(shown.value) == numbers.max()

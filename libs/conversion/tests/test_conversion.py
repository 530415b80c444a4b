"""Every kind of profile against plain arithmetic, and every mistake by its place."""

import math
from bisect import bisect_right
from itertools import pairwise

import numpy as np
import pytest
from conversion import (
    CONVERTED,
    NO_PROFILE,
    NOT_A_NUMBER,
    OUT_OF_TABLE,
    OVERFLOW,
    ProfileMistake,
    convert,
    is_monotonic,
    parse_profile,
)
from hypothesis import given
from hypothesis import strategies as st

finite = st.floats(-1e6, 1e6)
raws = st.lists(st.one_of(finite, st.just(math.nan)), max_size=50)


def converted(kind: str, parameters: object, raw: list[float]) -> list[tuple[float, int]]:
    physical, codes = convert(parse_profile(kind, parameters), np.array(raw, np.float64))
    return list(zip(physical.tolist(), codes.tolist(), strict=True))


@given(finite, finite, raws)
def test_linear_is_a_times_raw_plus_b(a: float, b: float, raw: list[float]) -> None:
    for value, (physical, code) in zip(
        raw, converted("linear", {"a": a, "b": b}, raw), strict=True
    ):
        if math.isnan(value):
            assert math.isnan(physical)
            assert code == NOT_A_NUMBER
        else:
            assert physical == value * a + b
            assert code == CONVERTED


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=6), st.lists(st.floats(-50, 50)))
def test_a_polynomial_begins_with_its_lowest_power(
    coefficients: list[float], raw: list[float]
) -> None:
    found = converted("polynomial", {"coefficients": coefficients}, raw)
    for value, (physical, code) in zip(raw, found, strict=True):
        expected = math.fsum(c * value**power for power, c in enumerate(coefficients))
        scale = math.fsum(abs(c * value**power) for power, c in enumerate(coefficients))
        assert physical == pytest.approx(expected, rel=1e-9, abs=1e-12 * scale + 1e-12)
        assert code == CONVERTED


tables = st.lists(
    st.tuples(st.integers(-1000, 1000), finite),
    min_size=2,
    max_size=20,
    unique_by=lambda row: row[0],
)


@given(tables, st.booleans(), raws)
def test_a_table_is_linear_between_its_rows(
    table: list[tuple[int, float]],
    clamped: bool,  # noqa: FBT001 - hypothesis gives it
    raw: list[float],
) -> None:
    rows = sorted(table)
    given = {"table": [list(row) for row in table], "clamped": clamped}
    for value, (physical, code) in zip(raw, converted("lookup_table", given, raw), strict=True):
        if math.isnan(value):
            assert code == NOT_A_NUMBER
        elif rows[0][0] <= value <= rows[-1][0]:
            place = min(bisect_right([x for x, _ in rows], value), len(rows) - 1)
            (x0, y0), (x1, y1) = rows[place - 1], rows[place]
            expected = y0 + (y1 - y0) * (value - x0) / (x1 - x0)
            assert physical == pytest.approx(expected, rel=1e-9, abs=1e-6)
        elif clamped:
            assert physical == (rows[0] if value < rows[0][0] else rows[-1])[1]
        else:
            assert math.isnan(physical)
            assert code == OUT_OF_TABLE


def test_what_no_double_holds_is_said_to_be_too_large() -> None:
    assert converted("linear", {"a": 1e300, "b": 0}, [1e300])[0][1] == OVERFLOW
    assert converted("polynomial", {"coefficients": [0, 0, 1e300]}, [1e300])[0][1] == OVERFLOW


def test_without_a_profile_nothing_is_converted() -> None:
    physical, codes = convert(None, np.array([1.0, np.nan]))
    assert np.isnan(physical).all()
    assert codes.tolist() == [NO_PROFILE, NO_PROFILE]


@given(tables, st.booleans())
def test_a_table_is_monotonic_when_extremes_stay_extremes(
    table: list[tuple[int, float]],
    clamped: bool,  # noqa: FBT001 - as above
) -> None:
    profile = parse_profile("lookup_table", {"table": [list(r) for r in table], "clamped": clamped})
    values = [y for _, y in sorted(table)]
    rising = all(a <= b for a, b in pairwise(values))
    falling = all(a >= b for a, b in pairwise(values))
    assert is_monotonic(profile) == (clamped and (rising or falling))


def test_polynomials_are_monotonic_up_to_the_first_degree() -> None:
    assert is_monotonic(parse_profile("linear", {"a": -2, "b": 1}))
    assert is_monotonic(parse_profile("polynomial", {"coefficients": [1, 2, 0]}))
    assert not is_monotonic(parse_profile("polynomial", {"coefficients": [1, 2, 3]}))


@pytest.mark.parametrize(
    ("kind", "parameters", "pointer"),
    [
        ("cubic", {}, ""),
        ("linear", [], ""),
        ("linear", {"a": 1}, "/b"),
        ("linear", {"a": 1, "b": 2, "c": 3}, "/c"),
        ("linear", {"a": True, "b": 2}, "/a"),
        ("linear", {"a": "1", "b": 2}, "/a"),
        ("linear", {"a": 10**400, "b": 2}, "/a"),
        ("linear", {"a": math.inf, "b": 2}, "/a"),
        ("polynomial", {"coefficients": []}, "/coefficients"),
        ("polynomial", {"coefficients": [1] * 21}, "/coefficients"),
        ("polynomial", {"coefficients": [1, None]}, "/coefficients/1"),
        ("lookup_table", {"table": [[0, 1]]}, "/table"),
        ("lookup_table", {"table": [[0, 1], [1]]}, "/table/1"),
        ("lookup_table", {"table": [[0, 1], [1, "x"]]}, "/table/1/1"),
        ("lookup_table", {"table": [[0, 1], [2, 5], [0, 3]]}, "/table/2/0"),
        ("lookup_table", {"table": [[0, 1], [1, 2]], "clamped": 1}, "/clamped"),
    ],
)
def test_a_mistake_is_named_by_its_place(kind: str, parameters: object, pointer: str) -> None:
    with pytest.raises(ProfileMistake) as caught:
        parse_profile(kind, parameters)
    assert [mistake.pointer for mistake in caught.value.mistakes] == [pointer]
    assert caught.value.mistakes[0].detail
    assert str(caught.value)


@pytest.mark.parametrize(
    ("kind", "parameters", "pointers"),
    [
        ("linear", {}, ["/a", "/b"]),
        ("linear", {"a": "1", "c/d": 0, "~": 0}, ["/b", "/c~1d", "/~0", "/a"]),
        (
            "polynomial",
            {"coefficients": [None, 1, "2", math.nan], "a": 1},
            ["/a", "/coefficients/0", "/coefficients/2", "/coefficients/3"],
        ),
        (
            "lookup_table",
            {"table": [[0, 1], [1], ["x", None], [0, 3], 7], "clamped": "no"},
            ["/clamped", "/table/1", "/table/2/0", "/table/2/1", "/table/3/0", "/table/4"],
        ),
        ("lookup_table", {"clamped": None}, ["/table", "/clamped"]),
    ],
)
def test_every_mistake_is_named(kind: str, parameters: object, pointers: list[str]) -> None:
    with pytest.raises(ProfileMistake) as caught:
        parse_profile(kind, parameters)
    assert [mistake.pointer for mistake in caught.value.mistakes] == pointers

"""From raw readings to physical values: linear, polynomial, by a table.

Every function works on whole arrays of float64. A value that cannot be converted comes out as
NaN, with the reason beside it.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Codes = NDArray[np.int8]
type Kind = Literal["linear", "polynomial", "lookup_table"]

KINDS: tuple[Kind, ...] = ("linear", "polynomial", "lookup_table")
MAX_COEFFICIENTS = 20
MAX_ROWS = 10_000

CONVERTED, NOT_A_NUMBER, OUT_OF_TABLE, OVERFLOW, NO_PROFILE = range(5)
REASONS = ("", "not_a_number", "out_of_table", "overflow", "no_profile")
"""What each code in an array of reasons means."""


class ProfileMistake(ValueError):
    """Parameters that make no profile; `pointer` is the JSON pointer of the wrong part in them."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Linear:
    """physical = a · raw + b"""

    a: float
    b: float


@dataclass(frozen=True, slots=True)
class Polynomial:
    """physical = c0 + c1 · raw + c2 · raw² + …, by Horner's scheme."""

    coefficients: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class LookupTable:
    """Linear between neighbouring rows of (raw, physical), which are sorted by raw."""

    raw: Floats
    physical: Floats
    clamped: bool


type Profile = Linear | Polynomial | LookupTable


def parse_profile(kind: str, parameters: object) -> Profile:
    """A profile of that kind.

    Raises:
        ProfileMistake: the kind or the parameters are none.
    """
    if not isinstance(parameters, dict):
        raise ProfileMistake("", "must be an object")
    given = cast("dict[str, object]", parameters)
    match kind:
        case "linear":
            _exactly(given, {"a", "b"}, set())
            return Linear(_number(given["a"], "/a"), _number(given["b"], "/b"))
        case "polynomial":
            _exactly(given, {"coefficients"}, set())
            items = _items(given["coefficients"], "/coefficients", 1, MAX_COEFFICIENTS)
            numbers = (_number(one, f"/coefficients/{n}") for n, one in enumerate(items))
            return Polynomial(tuple(numbers))
        case "lookup_table":
            _exactly(given, {"table"}, {"clamped"})
            clamped = given.get("clamped", False)
            if not isinstance(clamped, bool):
                raise ProfileMistake("/clamped", "must be true or false")
            return _table(_items(given["table"], "/table", 2, MAX_ROWS), clamped=clamped)
        case _:
            raise ProfileMistake("", f"there is no kind {kind!r}; it is one of {', '.join(KINDS)}")


def convert(profile: Profile | None, raw: Floats) -> tuple[Floats, Codes]:
    """The physical values, and for each the code of the reason why it is NaN (0: it is not).

    Without a profile nothing can be converted.
    """
    if profile is None:
        return np.full(len(raw), np.nan), np.full(len(raw), NO_PROFILE, np.int8)
    codes = np.zeros(len(raw), np.int8)
    with np.errstate(over="ignore", invalid="ignore"):
        match profile:
            case Linear(a, b):
                physical = raw * a + b
            case Polynomial(coefficients):
                physical = np.zeros(len(raw))
                for coefficient in reversed(coefficients):
                    physical = physical * raw + coefficient
            case LookupTable():
                physical = np.interp(raw, profile.raw, profile.physical)
                if not profile.clamped:
                    codes[(raw < profile.raw[0]) | (raw > profile.raw[-1])] = OUT_OF_TABLE
    codes[(codes == CONVERTED) & ~np.isfinite(physical)] = OVERFLOW
    codes[np.isnan(raw)] = NOT_A_NUMBER
    if codes.any():
        physical[codes != CONVERTED] = np.nan
    return physical, codes


def is_monotonic(profile: Profile) -> bool:
    """Whether the least and greatest raw value of any stretch convert to its physical extremes.

    Of polynomials beyond the first degree it is not looked for, and an open table has values
    that are none.
    """
    match profile:
        case Linear():
            return True
        case Polynomial(coefficients):
            return not any(coefficients[2:])
        case LookupTable():
            steps = np.diff(profile.physical)
            return profile.clamped and bool((steps >= 0).all() or (steps <= 0).all())


def _table(rows: list[object], *, clamped: bool) -> LookupTable:
    pairs: list[tuple[float, float]] = []
    for n, row in enumerate(rows):
        pair = _items(row, f"/table/{n}", 2, 2)
        pairs.append((_number(pair[0], f"/table/{n}/0"), _number(pair[1], f"/table/{n}/1")))
    order = sorted(range(len(pairs)), key=lambda n: pairs[n][0])
    for before, after in pairwise(order):
        if pairs[before][0] == pairs[after][0]:
            detail = f"the raw value {pairs[after][0]} stands in another row already"
            raise ProfileMistake(f"/table/{max(before, after)}/0", detail)
    columns = np.array([pairs[n] for n in order], np.float64)
    return LookupTable(
        np.ascontiguousarray(columns[:, 0]), np.ascontiguousarray(columns[:, 1]), clamped
    )


def _exactly(given: dict[str, object], needed: set[str], optional: set[str]) -> None:
    for name in sorted(needed - given.keys()):
        raise ProfileMistake(f"/{name}", "is missing")
    for name in sorted(given.keys() - needed - optional):
        raise ProfileMistake(f"/{name}", "does not belong to this kind")


def _items(given: object, pointer: str, least: int, most: int) -> list[object]:
    if not isinstance(given, list):
        raise ProfileMistake(pointer, "must be a list")
    items = cast("list[object]", given)
    if not least <= len(items) <= most:
        count = f"{least}" if least == most else f"{least} to {most}"
        raise ProfileMistake(pointer, f"takes {count} items; these are {len(items)}")
    return items


def _number(given: object, pointer: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ProfileMistake(pointer, "must be a number")
    try:
        number = float(given)
    except OverflowError as exc:
        raise ProfileMistake(pointer, "must fit into a 64-bit float") from exc
    if not math.isfinite(number):
        raise ProfileMistake(pointer, "must be finite")
    return number

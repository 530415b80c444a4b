"""From raw readings to physical values: linear, polynomial, by a table.

Every function works on whole arrays of float64. A value that cannot be converted comes out as
NaN, with the reason beside it.
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

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


class Mistake(NamedTuple):
    """What is wrong with a part of the parameters, which the JSON pointer names."""

    pointer: str
    detail: str


class ProfileMistake(ValueError):
    """Parameters that make no profile; `mistakes` names every wrong part of them, at least one."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__("; ".join(f"{pointer} {detail}" for pointer, detail in mistakes[:3]))
        self.mistakes = mistakes


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
        ProfileMistake: the kind or the parameters are none; it names all that is wrong.
    """
    if not isinstance(parameters, dict):
        raise ProfileMistake(Mistake("", "must be an object"))
    given = cast("dict[str, object]", parameters)
    wrong: list[Mistake] = []
    match kind:
        case "linear":
            _exactly(given, {"a", "b"}, set(), wrong)
            profile = Linear(*(_number(given.get(x, 0), f"/{x}", wrong) for x in ("a", "b")))
        case "polynomial":
            _exactly(given, {"coefficients"}, set(), wrong)
            items = _items(given, "coefficients", 1, MAX_COEFFICIENTS, wrong)
            numbers = (_number(one, f"/coefficients/{n}", wrong) for n, one in enumerate(items))
            profile = Polynomial(tuple(numbers))
        case "lookup_table":
            _exactly(given, {"table"}, {"clamped"}, wrong)
            clamped = given.get("clamped", False)
            if not isinstance(clamped, bool):
                wrong.append(Mistake("/clamped", "must be true or false"))
            rows = _items(given, "table", 2, MAX_ROWS, wrong)
            profile = _table(rows, clamped=clamped is True, wrong=wrong)
        case _:
            detail = f"there is no kind {kind!r}; it is one of {', '.join(KINDS)}"
            raise ProfileMistake(Mistake("", detail))
    if wrong:
        raise ProfileMistake(*wrong)
    return profile


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


def _table(rows: list[object], *, clamped: bool, wrong: list[Mistake]) -> LookupTable:
    pairs: list[tuple[float, float]] = []
    first: dict[float, int] = {}
    for n, row in enumerate(rows):
        pointer = f"/table/{n}"
        pair = _list(row, pointer, 2, 2, wrong)
        if not pair:
            continue
        before = len(wrong)
        raw, physical = (_number(one, f"{pointer}/{m}", wrong) for m, one in enumerate(pair))
        if len(wrong) > before:
            continue
        if raw in first:
            detail = f"the raw value {raw} stands in row {first[raw]} already"
            wrong.append(Mistake(f"{pointer}/0", detail))
        first.setdefault(raw, n)
        pairs.append((raw, physical))
    columns = np.array(sorted(pairs), np.float64).reshape(-1, 2)
    return LookupTable(
        np.ascontiguousarray(columns[:, 0]), np.ascontiguousarray(columns[:, 1]), clamped
    )


def _exactly(
    given: dict[str, object], needed: set[str], optional: set[str], wrong: list[Mistake]
) -> None:
    missing, strange = needed - given.keys(), given.keys() - needed - optional
    wrong.extend(Mistake(_pointer(name), "is missing") for name in sorted(missing))
    wrong.extend(
        Mistake(_pointer(name), "does not belong to this kind") for name in sorted(strange)
    )


def _pointer(name: str) -> str:
    """RFC 6901 writes ~ and / of a name as ~0 and ~1."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _items(
    given: dict[str, object], name: str, least: int, most: int, wrong: list[Mistake]
) -> list[object]:
    """The list of that name; empty when it is missing, which `_exactly` has said."""
    return _list(given[name], f"/{name}", least, most, wrong) if name in given else []


def _list(given: object, pointer: str, least: int, most: int, wrong: list[Mistake]) -> list[object]:
    """The items, or none of them when they are no list or too many or too few."""
    if not isinstance(given, list):
        wrong.append(Mistake(pointer, "must be a list"))
        return []
    items = cast("list[object]", given)
    if not least <= len(items) <= most:
        count = f"{least}" if least == most else f"{least} to {most}"
        wrong.append(Mistake(pointer, f"takes {count} items; these are {len(items)}"))
        return []
    return items


def _number(given: object, pointer: str, wrong: list[Mistake]) -> float:
    """The number; NaN when it is none, which `wrong` then says."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        wrong.append(Mistake(pointer, "must be a number"))
        return math.nan
    try:
        number = float(given)
    except OverflowError:
        wrong.append(Mistake(pointer, "must fit into a 64-bit float"))
        return math.nan
    if not math.isfinite(number):
        wrong.append(Mistake(pointer, "must be finite"))
    return number

"""Columns of numbers: lists in JSON, arrays inside, with each mistake named by its index."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, cast

import numpy as np
import numpy.typing as npt
from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError
from servicekit.fields import NotFinite

type Int64s = npt.NDArray[np.int64]
type Float64s = npt.NDArray[np.float64]

MIN_STEP, MAX_STEP = -(2**63), 2**63 - 1
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
CLOCK_AHEAD = timedelta(hours=24)

_NOT_FINITE = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}
_EARLIEST_US = int(EARLIEST.timestamp()) * 1_000_000


def to_steps(given: object) -> Int64s:
    """Integers of 64 bits.

    Raises:
        ValidationError: names every item that is none.
    """
    items = _items(given)
    if set(map(type, items)) <= {int}:
        try:
            return np.array(items, dtype=np.int64)
        except OverflowError:
            pass
    raise _mistakes(items, _step_mistake)


def to_values(given: object) -> Float64s:
    """Floats of 64 bits; "NaN", "Infinity" and "-Infinity" stand for what JSON cannot say.

    Raises:
        ValidationError: names every item that is none.
    """
    items = _items(given)
    kinds = set(map(type, items))
    if str in kinds and all(item in _NOT_FINITE for item in items if isinstance(item, str)):
        items = [_NOT_FINITE[item] if isinstance(item, str) else item for item in items]
        kinds.discard(str)
    if kinds <= {int, float}:
        try:
            return np.array(items, dtype=np.float64)
        except OverflowError:
            pass
    raise _mistakes(items, _value_mistake)


def to_times(given: object) -> Int64s:
    """Microseconds since 1970 (UTC), from 1990 to a day ahead of the clock here.

    Raises:
        ValidationError: names every item outside.
    """
    items = _items(given)
    latest = _latest_us()
    if set(map(type, items)) <= {int} and all(_EARLIEST_US <= item <= latest for item in items):
        return np.array(items, dtype=np.int64)
    raise _mistakes(items, partial(_time_mistake, latest))


def _items(given: object) -> list[Any]:
    if not isinstance(given, list):
        raise PydanticCustomError("list_type", "must be a list")
    return cast("list[Any]", given)


def _step_mistake(item: object) -> str | None:
    if type(item) is not int:
        return "must be an integer"
    return None if MIN_STEP <= item <= MAX_STEP else "must fit into 64 bits"


def _value_mistake(item: object) -> str | None:
    if isinstance(item, str):
        return None if item in _NOT_FINITE else 'must be a number, "NaN", "Infinity" or "-Infinity"'
    if type(item) not in {int, float}:
        return 'must be a number, "NaN", "Infinity" or "-Infinity"'
    try:
        float(cast("float", item))
    except OverflowError:
        return "must fit into a 64-bit float"
    return None


def _time_mistake(latest: int, item: object) -> str | None:
    if type(item) is not int:
        return "must be an integer: microseconds since 1970"
    if item < _EARLIEST_US:
        return "must not be before 1990; times are microseconds since 1970"
    return None if item <= latest else "must not be more than a day ahead; times are microseconds"


def _mistakes(items: list[Any], mistake: Callable[[object], str | None]) -> ValidationError:
    return ValidationError.from_exception_data(
        "column",
        [
            InitErrorDetails(
                type=PydanticCustomError("column_item", "{said}", {"said": said}),
                loc=(index,),
                input=item,
            )
            for index, item in enumerate(items)
            if (said := mistake(item))
        ],
    )


def _latest_us() -> int:
    return int((datetime.now(UTC) + CLOCK_AHEAD).timestamp() * 1_000_000)


type Steps = Annotated[Int64s, PlainValidator(to_steps, json_schema_input_type=list[int])]
"""A column of steps, as it arrives."""

type Values = Annotated[
    Float64s, PlainValidator(to_values, json_schema_input_type=list[float | NotFinite])
]
"""A column of values, as it arrives."""

type Times = Annotated[Int64s, PlainValidator(to_times, json_schema_input_type=list[int])]
"""A column of times, as it arrives: microseconds since 1970, UTC."""

type Number = Annotated[
    float,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number"},
                {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]},
            ]
        }
    ),
]
"""A float as it is answered; what is not finite is written as a string."""

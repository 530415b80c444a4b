"""Numbers between JSON and arrays: what is not finite travels as text."""

import math
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import WithJsonSchema

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]

_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

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


def number(said: Any) -> float | None:
    """A number as another service wrote it; None where it wrote null."""
    if said is None:
        return None
    return _NOT_FINITE[said] if isinstance(said, str) else float(said)


def numbers(said: Sequence[Any]) -> Floats:
    """A column as another service wrote it; null is NaN."""
    try:
        return np.array(said, dtype=np.float64)
    except ValueError:  # what is not finite is among it, as text
        return np.array([_NOT_FINITE.get(one, one) for one in said], dtype=np.float64)


def column(values: Floats, known: npt.NDArray[np.bool_] | None = None) -> list[float | None]:
    """A column to answer; null where a value is not known, by default where it is NaN."""
    known = ~np.isnan(values) if known is None else known
    if known.all():
        return values.tolist()
    answered: list[float | None] = values.tolist()
    for place in np.flatnonzero(~known).tolist():
        answered[place] = None
    return answered

"""Points of a series as columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

type Integers = NDArray[np.int64]
type Floats = NDArray[np.float64]
type Axis = Literal["x", "time"]


@dataclass(frozen=True, slots=True)
class Points:
    """Columns of one length: x (int64), value (float64), and where there are any time and ordinal.

    Times are int64 µs since 1970. The ordinal is that of the batch in which a point came.
    """

    x: Integers
    value: Floats
    time: Integers | None = None
    ordinal: Integers | None = None

    def __len__(self) -> int:
        return len(self.x)

    @classmethod
    def of(cls, x: object, value: object, time: object | None = None) -> Self:
        """Points from anything numpy reads, in the order given.

        Raises:
            ValueError: columns of unequal length, or more than one dimension.
        """
        points = cls(
            np.ascontiguousarray(x, dtype=np.int64),
            np.ascontiguousarray(value, dtype=np.float64),
            None if time is None else np.ascontiguousarray(time, dtype=np.int64),
        )
        columns = [points.x, points.value] + ([] if points.time is None else [points.time])
        if {column.shape for column in columns} != {(len(points.x),)}:
            msg = "The columns must have one dimension and the same length."
            raise ValueError(msg)
        return points

    def along(self, axis: Axis) -> Integers:
        """The column of an axis.

        Raises:
            ValueError: the points have no time.
        """
        if axis == "x":
            return self.x
        if self.time is None:
            msg = "These points have no time."
            raise ValueError(msg)
        return self.time

    def take(self, where: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Points":
        """The points at some places, in that order."""
        return Points(
            self.x[where],
            self.value[where],
            None if self.time is None else self.time[where],
            None if self.ordinal is None else self.ordinal[where],
        )

    def is_sorted(self, axis: Axis = "x") -> bool:
        """Whether no point lies before the one ahead of it."""
        column = self.along(axis)
        return len(self) < 2 or bool((column[1:] >= column[:-1]).all())  # noqa: PLR2004

    def sorted(self, axis: Axis = "x") -> "Points":
        """The points along an axis; equal ones keep their order."""
        if self.is_sorted(axis):
            return self
        return self.take(np.argsort(self.along(axis), kind="stable"))

    def between(self, low: int | None, high: int | None, axis: Axis = "x") -> "Points":
        """Those from low to high, both included, of points that are sorted along the axis."""
        column = self.along(axis)
        start = 0 if low is None else int(np.searchsorted(column, low, "left"))
        end = len(self) if high is None else int(np.searchsorted(column, high, "right"))
        return self if (start, end) == (0, len(self)) else self.take(slice(start, end))

    def distinct(self) -> "Points":
        """Without exact repeats (same x, same bits of value) of sorted points; the first stays."""
        if len(self) < 2:  # noqa: PLR2004
            return self
        bits = self.value.view(np.int64)
        order = np.lexsort((np.arange(len(self)), bits, self.x))
        same = (self.x[order][1:] == self.x[order][:-1]) & (bits[order][1:] == bits[order][:-1])
        if not same.any():
            return self
        keep = np.ones(len(self), dtype=np.bool_)
        keep[order[1:][same]] = False
        return self.take(keep)


EMPTY = Points(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int64))


def concatenate(parts: Sequence[Points]) -> Points:
    """The points of all parts in the parts' order; optional columns only where all have them."""
    if not parts:
        return EMPTY
    if len(parts) == 1:
        return parts[0]
    times = [part.time for part in parts if part.time is not None]
    ordinals = [part.ordinal for part in parts if part.ordinal is not None]
    return Points(
        np.concatenate([part.x for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate(times) if len(times) == len(parts) else None,
        np.concatenate(ordinals) if len(ordinals) == len(parts) else None,
    )

"""Points of a series as columns, sorted by x."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

type Integers = NDArray[np.int64]
type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Points:
    """Columns of one length: x (int64), value (float64), and time (int64 µs since 1970) or None."""

    x: Integers
    value: Floats
    time: Integers | None = None

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

    def take(self, where: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Points":
        """The points at some places, in that order."""
        time = None if self.time is None else self.time[where]
        return Points(self.x[where], self.value[where], time)

    def sorted(self) -> "Points":
        """The points by x; among equal x their order stays."""
        if len(self) < 2 or bool(np.all(self.x[1:] >= self.x[:-1])):  # noqa: PLR2004
            return self
        return self.take(np.argsort(self.x, kind="stable"))

    def between(self, low: int | None, high: int | None) -> "Points":
        """Those with low ≤ x ≤ high, of points that are sorted."""
        start = 0 if low is None else int(np.searchsorted(self.x, low, "left"))
        end = len(self) if high is None else int(np.searchsorted(self.x, high, "right"))
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
    """The points of all parts in the parts' order; time only where every part has it."""
    if not parts:
        return EMPTY
    if len(parts) == 1:
        return parts[0]
    times = [part.time for part in parts if part.time is not None]
    return Points(
        np.concatenate([part.x for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate(times) if len(times) == len(parts) else None,
    )

"""Many batches as one set of columns, so that a thousand small ones cost as much as one large."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from seriesstore.codec import RAW_BELOW, pack, pack_raw
from seriesstore.outline import extremes
from seriesstore.points import Points, concatenate

type Turn = tuple[UUID, int, Mapping[str, Points]]
"""An owner, the ordinal of a batch, and its points by key."""

_ITEM = 8


def gather(turns: Sequence[Turn]) -> "Gathered":
    """The points of all turns, series by series, within a series in the order logged.

    Raises:
        ValueError: some points have a time and some have none.
    """
    numbers: dict[tuple[UUID, str], int] = {}
    parts: list[Points] = []
    series: list[int] = []
    ordinals: list[int] = []
    for owner_id, ordinal, by_key in turns:
        for key, points in by_key.items():
            if len(points):
                parts.append(points)
                series.append(numbers.setdefault((owner_id, key), len(numbers)))
                ordinals.append(ordinal)
    lengths = np.array([len(part) for part in parts])
    if len({part.time is None for part in parts}) > 1:
        msg = "All points that are stored together have a time, or none has."
        raise ValueError(msg)
    together = concatenate(parts)
    points = Points(
        together.x, together.value, together.time, np.repeat(np.array(ordinals), lengths)
    )
    of_point = np.repeat(np.array(series), lengths)
    if len(parts) > len(numbers):
        order = np.argsort(of_point, kind="stable")
        of_point, points = of_point[order], points.take(order)
    return Gathered(list(numbers), points, of_point)


class Gathered:
    """Points of several series in one set of columns; series number i is `keys[i]`."""

    def __init__(
        self, keys: list[tuple[UUID, str]], points: Points, series: NDArray[np.intp]
    ) -> None:
        self.keys = keys
        self._points = points
        self._series = series
        self._counts = np.bincount(series, minlength=len(keys))
        self._starts = np.cumsum(self._counts) - self._counts
        self._ends = self._starts + self._counts - 1

    @cached_property
    def _by_x(self) -> Points:
        """Each series' points by x."""
        x = self._points.x
        if bool(((x[1:] >= x[:-1]) | (self._series[1:] != self._series[:-1])).all()):
            return self._points
        return self._points.take(np.lexsort((x, self._series)))

    @cached_property
    def _times(self) -> tuple[list[int] | list[None], list[int] | list[None]]:
        """The least and greatest time of each series."""
        time = self._points.time
        if time is None:
            return [None] * len(self.keys), [None] * len(self.keys)
        low, high = np.minimum.reduceat(time, self._starts), np.maximum.reduceat(time, self._starts)
        return low.tolist(), high.tolist()

    @cached_property
    def _owner_times(self) -> dict[UUID, int]:
        found: dict[UUID, int] = {}
        for (owner, _), time in zip(self.keys, self._times[0], strict=True):
            if time is not None:
                found[owner] = min(time, found.get(owner, time))
        return found

    def owner_time(self, owner_id: UUID) -> int | None:
        """The earliest time of an owner's points, where they have any."""
        return self._owner_times.get(owner_id)

    def summaries(self) -> tuple[Sequence[object], ...]:
        """For each series: count, first, last (x, value, time), least and greatest (value, x)."""
        points = self._by_x
        least, greatest, known = extremes(points.value, self._starts)
        return (
            self._counts.tolist(),
            *_at(points, self._starts),
            *_at(points, self._ends),
            _where(known, points.value[least]),
            _where(known, points.x[least]),
            _where(known, points.value[greatest]),
            _where(known, points.x[greatest]),
        )

    def chunks(self) -> tuple[Sequence[object], ...]:
        """For each series: ordinals and count, the ranges of x and time, the packed columns."""
        points, by_x = self._points, self._by_x
        assert points.ordinal is not None  # noqa: S101 - `gather` gives them
        firsts, lasts = points.ordinal[self._starts], points.ordinal[self._ends]
        return (
            firsts.tolist(),
            lasts.tolist(),
            self._counts.tolist(),
            by_x.x[self._starts].tolist(),
            by_x.x[self._ends].tolist(),
            *map(list, self._times),
            self._packed(same=firsts == lasts),
        )

    def _packed(self, *, same: NDArray[np.bool_]) -> list[object]:
        points = self._points
        columns = [points.x.tobytes(), points.value.tobytes()]
        if points.time is not None:
            columns.append(points.time.tobytes())
        packed: list[object] = []
        for start, count, alone in zip(
            self._starts.tolist(), self._counts.tolist(), same.tolist(), strict=True
        ):
            if alone and count < RAW_BELOW:
                ends = slice(start * _ITEM, (start + count) * _ITEM)
                packed.append(pack_raw(count, *(column[ends] for column in columns)))
            else:
                part = points.take(slice(start, start + count))
                if alone:
                    part = Points(part.x, part.value, part.time)
                packed.append(pack(part, thorough=False))
        return packed


def _at(points: Points, where: NDArray[np.intp]) -> tuple[Sequence[object], ...]:
    time: list[object] = [None] * len(where)
    if points.time is not None:
        time = points.time[where].tolist()
    return points.x[where].tolist(), points.value[where].tolist(), time


def _where(known: NDArray[np.bool_], column: NDArray[np.generic]) -> list[object]:
    return [item if there else None for there, item in zip(known, column.tolist(), strict=True)]

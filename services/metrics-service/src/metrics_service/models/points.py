"""Points in memory: three arrays of one length, in the order they were logged."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import numpy as np

from metrics_service.models.columns import Float64s, Int64s

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

type Summary = tuple[
    str, int, int, float, datetime, int, float, datetime, float | None, float | None
]


@dataclass(frozen=True, slots=True)
class Points:
    """Points of one metric; times are microseconds since 1970."""

    key: str
    step: Int64s
    value: Float64s
    time: Int64s

    def __len__(self) -> int:
        return len(self.step)

    @classmethod
    def unpack(cls, key: str, step: bytes, value: bytes, time: bytes) -> Self:
        """From the little-endian arrays in which points are stored."""
        return cls(
            key, np.frombuffer(step, "<i8"), np.frombuffer(value, "<f8"), np.frombuffer(time, "<i8")
        )

    @classmethod
    def join(cls, parts: Iterable["Points"]) -> list["Points"]:
        """One `Points` for each key, in the order of their first parts."""
        by_key: dict[str, list[Points]] = {}
        for part in parts:
            by_key.setdefault(part.key, []).append(part)
        return [
            same[0]
            if len(same) == 1
            else Points(
                key,
                np.concatenate([part.step for part in same]),
                np.concatenate([part.value for part in same]),
                np.concatenate([part.time for part in same]),
            )
            for key, same in by_key.items()
        ]

    def take(self, chosen: Int64s | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> "Points":
        """Some of the points, by index or mask."""
        return Points(self.key, self.step[chosen], self.value[chosen], self.time[chosen])

    def summary(self) -> Summary:
        """Key, count, first and last point (step, value, time), min and max; see `Metric`."""
        first = int(self.step.argmin())
        last = len(self) - 1 - int(self.step[::-1].argmax())
        numbers = self.value[~np.isnan(self.value)]
        return (
            self.key,
            len(self),
            int(self.step[first]),
            float(self.value[first]),
            _moment(self.time[first]),
            int(self.step[last]),
            float(self.value[last]),
            _moment(self.time[last]),
            float(numbers.min()) if len(numbers) else None,
            float(numbers.max()) if len(numbers) else None,
        )


def _moment(microseconds: np.int64) -> datetime:
    return _EPOCH + timedelta(microseconds=int(microseconds))

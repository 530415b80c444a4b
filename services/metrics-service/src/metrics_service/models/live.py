"""What viewers of runs are sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from servicekit.fields import Answer

from metrics_service.models.columns import Number


class LivePoints(Answer):
    """Points of one metric that were logged since the event before, in that order."""

    key: str
    step: list[int]
    value: list[Number]
    time: list[int]


@dataclass(frozen=True, slots=True)
class LiveBatch:
    """Everything logged after one ordinal up to another: each metric's points as JSON."""

    after: int
    ordinal: int
    series: Sequence[tuple[str, bytes]]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return sum(len(data) for _, data in self.series)

    def choose(self, keys: frozenset[str] | None) -> list[bytes]:
        """The metrics that a viewer wants."""
        return [data for key, data in self.series if keys is None or key in keys]

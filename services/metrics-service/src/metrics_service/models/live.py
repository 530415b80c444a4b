"""What viewers of runs are sent, and where each of them is."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from servicekit.fields import Answer

from metrics_service.models.columns import Number

_MOST_DIGITS = 18


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


class UnknownPlace(ValueError):
    """What a viewer says of where it was is nothing that this service told it."""


class Places:
    """How far a viewer has been sent each of its runs; as text it is an event's id.

    The text is the ordinals in the order of the runs, behind a checksum of which runs they are, so
    that an id of other runs is not taken for one of these.
    """

    def __init__(self, run_ids: Sequence[UUID], at: Mapping[UUID, int]) -> None:
        self._sum = f"{zlib.crc32(b''.join(run_id.bytes for run_id in run_ids)):08x}"
        self._at = {run_id: at.get(run_id, 0) for run_id in run_ids}

    def __getitem__(self, run_id: UUID) -> int:
        return self._at[run_id]

    def __str__(self) -> str:
        return ".".join([self._sum, *map(str, self._at.values())])

    def move(self, run_id: UUID, ordinal: int) -> None:
        """Note what was sent."""
        self._at[run_id] = ordinal

    @classmethod
    def read(cls, run_ids: Sequence[UUID], said: str | None) -> Self:
        """From an event's id, or from `run:ordinal,run:ordinal`; nothing is the beginning.

        Raises:
            UnknownPlace: it is neither, or the id belongs to other runs.
        """
        places = cls(run_ids, {})
        if not said:
            return places
        if ":" in said:
            pairs = [part.partition(":") for part in said.split(",")]
            try:
                known = {UUID(run): _ordinal(ordinal) for run, _, ordinal in pairs}
            except ValueError as exc:
                raise UnknownPlace from exc
            return cls(run_ids, known)
        head, *ordinals = said.split(".")
        if head != places._sum or len(ordinals) != len(run_ids):
            raise UnknownPlace
        return cls(run_ids, dict(zip(run_ids, map(_ordinal, ordinals), strict=True)))


def _ordinal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise UnknownPlace
    return int(text)

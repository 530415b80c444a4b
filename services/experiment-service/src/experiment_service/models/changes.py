"""Where a viewer of a project's changes stands, and what it is told."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from servicekit.problems import Malformed

_LAST_ID = UUID(int=(1 << 128) - 1)
_CHANGES = range(1 << 63)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A run among the changes of its project: everything up to it has been told."""

    change: int
    run_id: UUID = _LAST_ID

    def __str__(self) -> str:
        """As it stands in an event's id."""
        return f"{self.change}-{self.run_id.hex}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an event's id.

        Raises:
            Malformed: it is none.
        """
        change, _, run_id = text.partition("-")
        try:
            place = cls(int(change), UUID(run_id))
        except ValueError as exc:
            raise _not_an_id() from exc
        if place.change not in _CHANGES:
            raise _not_an_id()
        return place


@dataclass(frozen=True, slots=True)
class RunEvent:
    """A run as JSON; its place, or None where only its metrics have moved on."""

    place: Place | None
    data: bytes


def _not_an_id() -> Malformed:
    return Malformed("Last-Event-ID and `after` take the id of an earlier event of this stream.")

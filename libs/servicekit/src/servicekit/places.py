"""Where a viewer of several live series is, so that it can go on exactly there."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Self
from uuid import UUID

_MOST_DIGITS = 18


class UnknownPlace(ValueError):
    """What a viewer says of where it was is nothing that this service told it."""


class Places:
    """How far a viewer has been sent each of what it follows; as text it is an event's id.

    The text is the ordinals in the order of the owners, behind a checksum of which they are, so
    that an id of others is not taken for one of these.
    """

    def __init__(self, owner_ids: Sequence[UUID], at: Mapping[UUID, int]) -> None:
        self._sum = f"{zlib.crc32(b''.join(owner_id.bytes for owner_id in owner_ids)):08x}"
        self._at = {owner_id: at.get(owner_id, 0) for owner_id in owner_ids}

    def __getitem__(self, owner_id: UUID) -> int:
        return self._at[owner_id]

    def __str__(self) -> str:
        return ".".join([self._sum, *map(str, self._at.values())])

    def move(self, owner_id: UUID, ordinal: int) -> None:
        """Note what was sent."""
        self._at[owner_id] = ordinal

    @classmethod
    def read(cls, owner_ids: Sequence[UUID], said: str | None) -> Self:
        """From an event's id, or from `owner:ordinal,owner:ordinal`; nothing is the beginning.

        Raises:
            UnknownPlace: it is neither, or the id belongs to others.
        """
        places = cls(owner_ids, {})
        if not said:
            return places
        if ":" in said:
            pairs = [part.partition(":") for part in said.split(",")]
            try:
                known = {UUID(owner): _ordinal(ordinal) for owner, _, ordinal in pairs}
            except ValueError as exc:
                raise UnknownPlace from exc
            return cls(owner_ids, known)
        head, *ordinals = said.split(".")
        if head != places._sum or len(ordinals) != len(owner_ids):
            raise UnknownPlace
        return cls(owner_ids, dict(zip(owner_ids, map(_ordinal, ordinals), strict=True)))


def _ordinal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise UnknownPlace
    return int(text)

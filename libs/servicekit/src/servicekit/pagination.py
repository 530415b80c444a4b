"""Keyset pagination: a page, and the opaque cursor that continues it.

A cursor holds the sort values of the last row and its id, and the sort it
belongs to. It carries no authority: every filter is applied again.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from servicekit.fields import Answer, Query
from servicekit.problems import InvalidCursor

MAX_LIMIT = 1000


class PageQuery(Query):
    """How much of a list, and where to go on."""

    limit: int = Field(default=50, ge=1, le=MAX_LIMIT, description="How many at most.")
    cursor: str | None = Field(
        default=None, max_length=2000, description="`next_cursor` of the page before."
    )


class Page[Item](Answer):
    """One page; `next_cursor` is null on the last one."""

    items: list[Item]
    next_cursor: str | None = None


class Cursor(BaseModel):
    """Where a page ended: the sort, the last row's value in it, and its id."""

    model_config = ConfigDict(frozen=True)

    sort: str
    value: Any = None
    id: UUID | None = None

    def encode(self) -> str:
        """The text that stands in `next_cursor`."""
        return urlsafe_b64encode(self.model_dump_json().encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, *, sort: str) -> Self:
        """Read what `encode` wrote for the same sort.

        Raises:
            InvalidCursor: it was changed, or belongs to a list sorted otherwise.
        """
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            cursor = cls.model_validate_json(raw)
        except ValueError as exc:
            raise InvalidCursor from exc
        if cursor.sort != sort:
            msg = f"The cursor belongs to a list sorted by {cursor.sort!r}."
            raise InvalidCursor(msg)
        return cursor

    def value_as[T](self, kind: type[T]) -> T:
        """The value in the type that the sort has.

        Raises:
            InvalidCursor: it is none.
        """
        try:
            return TypeAdapter(kind).validate_python(self.value)
        except ValidationError as exc:
            raise InvalidCursor from exc

    @property
    def row_id(self) -> UUID:
        """The id of the last row, for lists that end a tie by it.

        Raises:
            InvalidCursor: there is none.
        """
        if self.id is None:
            raise InvalidCursor
        return self.id


def page_of[Item](
    rows: Sequence[Item], *, limit: int, cursor: Callable[[Item], Cursor]
) -> Page[Item]:
    """A page from `limit + 1` rows: the surplus row only says that there are more."""
    items = list(rows[:limit])
    more = len(rows) > limit
    return Page(items=items, next_cursor=cursor(items[-1]).encode() if more else None)

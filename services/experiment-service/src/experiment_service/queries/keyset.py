"""How a sorted list is read in pages: the one place that composes SQL, from literals alone.

A sort is read in segments, one after the other: the rows that have a value, then those
without one. Within a segment no sort value is null or NaN, so that comparing rows with the
last one of a page is exact, and every segment can follow an index.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from typing import Any, LiteralString, cast
from uuid import UUID

import asyncpg
from pydantic import AwareDatetime, TypeAdapter
from servicekit.database import Connection
from servicekit.pagination import Cursor
from servicekit.problems import InvalidCursor

MAX_PAGE_BYTES = 8 << 20

_DIGITS: tuple[LiteralString, ...] = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
# $1 to $999: 50 comparisons have some 200 places.
_PLACES: tuple[LiteralString, ...] = (
    *(f"${ones}" for ones in _DIGITS[1:]),
    *(f"${tens}{ones}" for tens in _DIGITS[1:] for ones in _DIGITS),
    *(f"${some}{tens}{ones}" for some in _DIGITS[1:] for tens in _DIGITS for ones in _DIGITS),
)
_TYPES: dict[str, TypeAdapter[Any]] = {
    "timestamptz": TypeAdapter(AwareDatetime),
    "numeric": TypeAdapter(Decimal),
    "int": TypeAdapter(int),
    "uuid": TypeAdapter(UUID),
    "float8": TypeAdapter(float),
    "text": TypeAdapter(str),
}


@dataclass(frozen=True, slots=True)
class Column:
    """What rows are sorted by, its type, and its direction where that is not the list's."""

    sql: LiteralString
    type: LiteralString
    descending: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of a sorted list: where its rows come from and what orders them before their id.

    `leading` orders nothing, as it is null in every row, but leads to the index.
    """

    join: LiteralString = ""
    condition: LiteralString = ""
    columns: tuple[Column, ...] = ()
    leading: LiteralString = ""


@dataclass(slots=True)
class Statement:
    """The values of a statement's places, in order."""

    arguments: list[object] = field(default_factory=list[object])

    def place(self, value: object) -> LiteralString:
        """The place that stands for the value."""
        self.arguments.append(value)
        return _PLACES[len(self.arguments) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A row of a list: its segment, its sort values, its id, and how many bytes it has, about."""

    segment: int
    values: tuple[object, ...] = ()
    id: UUID | None = None
    weight: int = 0

    def cursor(self, sort: str) -> Cursor:
        """The position as it travels; numbers as text, so that none is rounded."""
        return Cursor(sort=sort, value=[self.segment, *map(_text, self.values)], id=self.id)


def position(cursor: str | None, sort: str, segments: Sequence[Segment]) -> Position:
    """Where to go on; the beginning without a cursor.

    Raises:
        InvalidCursor: it was changed, or belongs to another list.
    """
    if cursor is None:
        return Position(segment=0)
    decoded = Cursor.decode(cursor, sort=sort)
    match decoded.value:
        case [int(number), *texts] if 0 <= number < len(segments) and decoded.id:
            columns = segments[number].columns
        case _:
            raise InvalidCursor
    if len(texts) != len(columns):
        raise InvalidCursor
    try:
        values = tuple(
            _TYPES[column.type].validate_python(text)
            for column, text in zip(columns, cast("list[object]", texts), strict=True)
        )
    except ValueError as exc:
        raise InvalidCursor from exc
    return Position(segment=number, values=values, id=decoded.id)


def page_sql(
    statement: Statement,
    segment: Segment,
    *,
    table: LiteralString,
    row: LiteralString,
    conditions: Sequence[LiteralString],
    after: Position | None,
    descending: bool,
    limit: int,
) -> LiteralString:
    """A statement that reads ids, weights and sort values of one segment, after a position in it.

    `row` is the alias of the table that has id and weight.
    """
    columns: list[LiteralString] = [column.sql for column in segment.columns]
    keys: list[LiteralString] = [*columns, f"{row}.id"]
    down = [
        descending if column.descending is None else column.descending for column in segment.columns
    ] + [descending]
    where: list[LiteralString] = [*conditions]
    if segment.condition:
        where.append(segment.condition)
    if after and after.id:
        places: list[LiteralString] = [
            f"{statement.place(value)}::{column.type}"
            for value, column in zip(after.values, segment.columns, strict=True)
        ]
        places.append(f"{statement.place(after.id)}::uuid")
        where.append(_behind(keys, places, down))
        if segment.join:
            # A row of columns of two tables is not what an index is entered by: its first is.
            where.append(_not_before(keys[0], places[0], down=down[0]))
    leading: list[LiteralString] = [segment.leading] if segment.leading else []
    directed = zip((*leading, *keys), (*(descending for _ in leading), *down), strict=True)
    order: list[LiteralString] = [f"{key} DESC" if falls else key for key, falls in directed]
    named: list[LiteralString] = [
        f"{column} AS {name}" for column, name in zip(columns, _NAMES, strict=False)
    ]
    selected: list[LiteralString] = [f"{row}.id", f"{row}.weight", *named]
    # Only literals of this package and places are put together here, as the types say.
    return f"""
        SELECT {", ".join(selected)}
        FROM {table} {segment.join}
        WHERE {" AND ".join(where)}
        ORDER BY {", ".join(order)}
        LIMIT {statement.place(limit)}::int
    """  # noqa: S608


_NAMES: tuple[LiteralString, ...] = (
    *("key1", "key2", "key3", "key4", "key5", "key6", "key7", "key8", "key9", "key10", "key11"),
    *("key12", "key13", "key14", "key15"),
)


def _behind(
    keys: Sequence[LiteralString], places: Sequence[LiteralString], down: Sequence[bool]
) -> LiteralString:
    """Rows that come after one: by comparing rows where all keys go the same way."""
    if len(set(down)) == 1:
        than: LiteralString = "<" if down[0] else ">"
        return f"({', '.join(keys)}) {than} ({', '.join(places)})"
    ways: list[LiteralString] = []
    for number, (key, place, falls) in enumerate(zip(keys, places, down, strict=True)):
        equal: list[LiteralString] = [
            f"{keys[earlier]} = {places[earlier]}" for earlier in range(number)
        ]
        ways.append(" AND ".join([*equal, f"{key} {'<' if falls else '>'} {place}"]))
    # The first key alone, once more: it is what an index is entered by.
    first = _not_before(keys[0], places[0], down=down[0])
    return f"{first} AND ({' OR '.join(ways)})"


def _not_before(key: LiteralString, place: LiteralString, *, down: bool) -> LiteralString:
    return f"{key} {'<=' if down else '>='} {place}"


def read_segment(rows: Sequence[asyncpg.Record], number: int) -> list[Position]:
    """Rows that `page_sql` reads of one segment, as positions in it."""
    return [
        Position(segment=number, id=row[0], weight=row[1], values=tuple(row)[2:]) for row in rows
    ]


async def read_page(
    connection: Connection,
    segments: Sequence[Segment],
    compose: Callable[[Segment, Position | None, int], tuple[LiteralString, Statement]],
    *,
    after: Position,
    limit: int,
) -> tuple[list[Position], Position | None]:
    """The next rows after a position, and the one to go on after if there are more.

    At most `limit` rows, and fewer where they would exceed 8 MiB together. `compose` makes the
    statement that reads so many rows of a segment after a position in it.
    """
    found: list[Position] = []
    for number in range(after.segment, len(segments)):
        begin = after if number == after.segment else None
        sql, statement = compose(segments[number], begin, limit + 1 - len(found))
        rows = await connection.fetch(sql, *statement.arguments)
        found += read_segment(rows, number)
        if len(found) > limit:
            break
    return page_of_positions(found, limit)


def page_of_positions(
    found: Sequence[Position], limit: int
) -> tuple[list[Position], Position | None]:
    """Of so many rows as there are those that make a page, and where to go on if that is cut."""
    fits = sum(1 for total in accumulate(row.weight for row in found) if total <= MAX_PAGE_BYTES)
    page = list(found[: min(limit, max(1, fits))])
    return page, page[-1] if len(page) < len(found) else None


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)

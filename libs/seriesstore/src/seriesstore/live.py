"""Following what an owner logs: each point once, batch by batch in the order of the ordinals.

A reader's place is an ordinal: everything up to it has been seen. Writers of an owner
take turns until their commits, so whoever goes on behind its place misses nothing and
gets nothing twice, and compaction keeps the ordinal of every point.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import numpy as np

from seriesstore.append import Connection
from seriesstore.codec import unpack
from seriesstore.points import Points, concatenate
from seriesstore.read import snapshot

_HEADS = 500
_CHUNKS = 1000


@dataclass(frozen=True, slots=True)
class News:
    """What was logged up to an ordinal since the place before, by key."""

    ordinal: int
    points: list[tuple[str, Points]]


async def current_ordinals(connection: Connection, owner_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many batches each owner has taken; owners without any are left out."""
    rows = await connection.fetch(
        "SELECT id, ordinal FROM owners WHERE id = ANY ($1::uuid[])", owner_ids
    )
    return {UUID(int=row["id"].int): row["ordinal"] for row in rows}


async def read_news(
    connection: Connection,
    owner_id: UUID,
    *,
    after: int,
    upto: int | None = None,
    at_most: int = 10_000,
) -> News | None:
    """The next batches behind `after`, whole, about `at_most` points; None where there are none.

    The connection must not be in a transaction.
    """
    place = await _next_place(connection, owner_id, after, at_most)
    if place is None or (upto is not None and upto <= after):
        return None
    place = place if upto is None else min(place, upto)
    found: dict[str, list[Points]] = defaultdict(list)
    rows = await connection.fetch(_NEWS + " LIMIT 1001", owner_id, after, place)
    if len(rows) <= _CHUNKS:
        for row in rows:
            _add(found, row, after, place)
    else:
        # So many that they are taken in pieces: a chunk may hold far more than is wanted of it.
        found.clear()
        async with snapshot(connection):
            async for row in connection.cursor(_NEWS, owner_id, after, place, prefetch=_HEADS):
                _add(found, row, after, place)
    return News(place, [(key, _in_order(parts)) for key, parts in found.items()])


_NEWS = """
    SELECT key, chunks.first_ordinal, chunks.count, chunks.points
    FROM chunks JOIN series ON series.id = chunks.series_id
    WHERE chunks.owner_id = $1 AND chunks.last_ordinal > $2 AND chunks.first_ordinal <= $3
    ORDER BY chunks.first_ordinal, chunks.series_id, chunks.part
"""


def _add(found: dict[str, list[Points]], row: asyncpg.Record, after: int, place: int) -> None:
    points = unpack(row["points"], row["count"], ordinals=True)
    if points.ordinal is not None:
        points = points.take((points.ordinal > after) & (points.ordinal <= place))
    if len(points):
        found[row["key"]].append(points)


def _in_order(parts: Sequence[Points]) -> Points:
    """The points of a series batch by batch: a merged chunk holds them by x."""
    if all(part.ordinal is None for part in parts):
        return concatenate(parts)
    if any(part.ordinal is None for part in parts):
        # Chunks of one batch alone come behind those that were merged, in their order.
        merged = [part for part in parts if part.ordinal is not None]
        alone = [part for part in parts if part.ordinal is None]
        return concatenate([_in_order(merged), *alone])
    points = concatenate(parts)
    assert points.ordinal is not None  # noqa: S101 - every part has them
    return points.take(np.argsort(points.ordinal, kind="stable"))


async def _next_place(
    connection: Connection, owner_id: UUID, after: int, at_most: int
) -> int | None:
    """Up to which ordinal there are about `at_most` points, and at least one batch."""
    heads = await connection.fetch(
        """
        SELECT first_ordinal, last_ordinal, count
        FROM chunks
        WHERE owner_id = $1 AND last_ordinal > $2
        ORDER BY last_ordinal
        LIMIT $3
        """,
        owner_id,
        after,
        _HEADS,
    )
    if not heads:
        return None
    first, last, count = (
        np.array([head[name] for head in heads], np.int64)
        for name in ("first_ordinal", "last_ordinal", "count")
    )
    first = np.maximum(first, after + 1)
    density = count / (last - first + 1)

    def points_up_to(place: int) -> float:
        return float((density * np.clip(np.minimum(last, place) - first + 1, 0, None)).sum())

    low, high = after + 1, int(last[-1])
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if points_up_to(middle) <= at_most else (low, middle - 1)
    return low

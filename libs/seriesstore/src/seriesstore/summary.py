"""What is known of a series without reading it: count, first, last, least and greatest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from seriesstore.append import Connection


@dataclass(frozen=True, slots=True)
class Summary:
    """The state of one series; `min` and `max` are None while every value is NaN.

    First and last are by x; of equal x the first logged is first and the last logged last.
    """

    id: int
    owner_id: UUID
    key: str
    count: int
    first_x: int
    first_value: float
    first_time: int | None
    last_x: int
    last_value: float
    last_time: int | None
    min_value: float | None
    min_x: int | None
    max_value: float | None
    max_x: int | None


async def list_summaries(
    connection: Connection,
    owner_id: UUID,
    *,
    contains: str = "",
    after: str = "",
    limit: int = 1000,
) -> list[Summary]:
    """Series of an owner by key: those that contain a text, in any case, and come after a key."""
    rows = await connection.fetch(
        """
        SELECT id, owner_id, key, count, first_x, first_value, first_time,
               last_x, last_value, last_time, min_value, min_x, max_value, max_x
        FROM series
        WHERE owner_id = $1 AND key > $2
          AND ($3 = ''
               OR strpos(lower(key COLLATE "default"), lower($3 COLLATE "default")) > 0)
        ORDER BY key
        LIMIT $4
        """,
        owner_id,
        after,
        contains,
        limit,
    )
    return [_summary(row) for row in rows]


async def find_summaries(
    connection: Connection, owner_ids: Sequence[UUID], keys: Sequence[str]
) -> list[Summary]:
    """The series of these owners under these keys, as far as there are any."""
    rows = await connection.fetch(
        """
        SELECT id, owner_id, key, count, first_x, first_value, first_time,
               last_x, last_value, last_time, min_value, min_x, max_value, max_x
        FROM series
        WHERE owner_id = ANY ($1::uuid[]) AND key = ANY ($2::text[])
        ORDER BY owner_id, key
        """,
        owner_ids,
        keys,
    )
    return [_summary(row) for row in rows]


async def list_summaries_of(
    connection: Connection,
    owner_ids: Sequence[UUID],
    *,
    keys: Sequence[str] | None = None,
    limit: int = 1000,
) -> list[Summary]:
    """Series of several owners by key, of these keys alone where some are given."""
    rows = await connection.fetch(
        """
        SELECT id, owner_id, key, count, first_x, first_value, first_time,
               last_x, last_value, last_time, min_value, min_x, max_value, max_x
        FROM series
        WHERE owner_id = ANY ($1::uuid[]) AND ($2::text[] IS NULL OR key = ANY ($2::text[]))
        ORDER BY key, owner_id
        LIMIT $3
        """,
        owner_ids,
        keys,
        limit,
    )
    return [_summary(row) for row in rows]


def _summary(row: asyncpg.Record) -> Summary:
    # asyncpg has a UUID class of its own; equal, but not the one that callers expect.
    columns: dict[str, Any] = {**row, "owner_id": UUID(int=row["owner_id"].int)}
    return Summary(**columns)

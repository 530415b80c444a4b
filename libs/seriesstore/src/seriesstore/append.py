"""Writing: whole batches in the caller's transaction, each at most once.

The caller opens the transaction, and may put other rows of its own into it; what
is acknowledged after its commit is stored. Rows are locked in one order (batch
ids, then series), so that writers wait for each other and never deadlock.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import numpy as np
from asyncpg.pool import PoolConnectionProxy

from seriesstore.codec import choose_codec, encode, encode_raw
from seriesstore.outline import whole_outline
from seriesstore.points import Points, concatenate

type Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
type SeriesKey = tuple[UUID, str]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one producer sends at once: points of several series, under one id."""

    points: Mapping[SeriesKey, Points]
    id: UUID | None = None


async def append(connection: Connection, batches: Sequence[Batch]) -> list[bool]:
    """Store the batches in the running transaction; for each, whether it was new.

    A batch whose id was stored before, or stands earlier in `batches`, is left out.
    Points of one series are logged in the order of the batches.
    """
    fresh = await _claim(connection, batches)
    gathered: dict[SeriesKey, list[Points]] = defaultdict(list)
    for batch, new in zip(batches, fresh, strict=True):
        if new:
            for key, points in batch.points.items():
                if len(points):
                    gathered[key].append(points)
    if gathered:
        ids = await _series_ids(connection, sorted(gathered))
        together = {ids[key]: concatenate(parts).sorted() for key, parts in gathered.items()}
        await _summarise(connection, together)
        await insert_chunks(connection, together)
    return fresh


async def insert_chunks(connection: Connection, together: Mapping[int, Points]) -> None:
    """One chunk for each series id, of points that are sorted."""
    await connection.executemany(
        """
        INSERT INTO chunks (series_id, first_x, last_x, count, codec, outline, sum_value, finite,
                            x, value, time)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        [_chunk_row(series_id, points) for series_id, points in sorted(together.items())],
    )


def sum_of_finite(points: Points) -> tuple[float, int]:
    """Sum and count of the values that are neither NaN nor infinite."""
    finite = points.value[np.isfinite(points.value)]
    with np.errstate(over="ignore"):
        return float(finite.sum()), len(finite)


def _chunk_row(series_id: int, points: Points) -> tuple[object, ...]:
    codec = choose_codec(len(points))
    return (
        series_id,
        int(points.x[0]),
        int(points.x[-1]),
        len(points),
        codec,
        encode_raw(whole_outline(points)),
        *sum_of_finite(points),
        encode(points.x, codec),
        encode(points.value, codec),
        None if points.time is None else encode(points.time, codec),
    )


async def _claim(connection: Connection, batches: Sequence[Batch]) -> list[bool]:
    """For each batch, whether its id is new; the ids are taken in one order."""
    ids = sorted({batch.id for batch in batches if batch.id})
    rows = await connection.fetch(
        """
        INSERT INTO batches (id) SELECT unnest($1::uuid[])
        ON CONFLICT (id) DO NOTHING
        RETURNING id
        """,
        ids,
    )
    unclaimed: set[UUID] = {UUID(int=row["id"].int) for row in rows}
    fresh: list[bool] = []
    for batch in batches:
        fresh.append(batch.id is None or batch.id in unclaimed)
        if batch.id:
            unclaimed.discard(batch.id)
    return fresh


async def _series_ids(connection: Connection, keys: Sequence[SeriesKey]) -> dict[SeriesKey, int]:
    """The ids of the series, made where they are new."""
    owners, names = [owner for owner, _ in keys], [name for _, name in keys]
    found = await _find(connection, owners, names)
    if missing := [key for key in keys if key not in found]:
        await connection.execute(
            """
            INSERT INTO series (owner_id, key) SELECT * FROM unnest($1::uuid[], $2::text[])
            ON CONFLICT (owner_id, key) DO NOTHING
            """,
            [owner for owner, _ in missing],
            [name for _, name in missing],
        )
        found = await _find(connection, owners, names)
    return found


async def _find(
    connection: Connection, owners: Sequence[UUID], names: Sequence[str]
) -> dict[SeriesKey, int]:
    rows = await connection.fetch(
        """
        SELECT id, owner_id, key
        FROM series JOIN unnest($1::uuid[], $2::text[]) AS wanted (owner_id, key)
             USING (owner_id, key)
        """,
        owners,
        names,
    )
    return {(UUID(int=row["owner_id"].int), row["key"]): row["id"] for row in rows}


async def _summarise(connection: Connection, together: Mapping[int, Points]) -> None:
    """Bring the summaries up to date; the rows stay locked, in order, until the commit.

    The last value is that of the greatest x, and among equal x the one logged last.
    NaN is never least or greatest.
    """
    await connection.execute(
        "SELECT FROM series WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE",
        sorted(together),
    )
    await connection.executemany(
        """
        UPDATE series
        SET count = count + $2,
            first_x = least(first_x, $3),
            last_value = CASE WHEN last_x > $4 THEN last_value ELSE $5 END,
            last_time = CASE WHEN last_x > $4 THEN last_time ELSE $6 END,
            last_x = greatest(last_x, $4),
            min_x = CASE WHEN min_value <= $7 OR $7 IS NULL THEN min_x ELSE $8 END,
            min_value = least(min_value, $7),
            max_x = CASE WHEN max_value >= $9 OR $9 IS NULL THEN max_x ELSE $10 END,
            max_value = greatest(max_value, $9)
        WHERE id = $1
        """,
        [_summary_row(series_id, points) for series_id, points in sorted(together.items())],
    )


def _summary_row(series_id: int, points: Points) -> tuple[object, ...]:
    known = np.flatnonzero(~np.isnan(points.value))
    least: tuple[float | None, int | None] = (None, None)
    greatest = least
    if len(known):
        low = known[np.argmin(points.value[known])]
        high = known[np.argmax(points.value[known])]
        least = float(points.value[low]), int(points.x[low])
        greatest = float(points.value[high]), int(points.x[high])
    return (
        series_id,
        len(points),
        int(points.x[0]),
        int(points.x[-1]),
        float(points.value[-1]),
        None if points.time is None else int(points.time[-1]),
        *least,
        *greatest,
    )

"""Compaction: many small chunks become few of about 4,000 points, with figures and levels.

One series at a time, in one transaction. Only chunks that stand next to each other in
the order logged are merged, and each point keeps the ordinal of its batch: readers of
ranges, of pictures and of what is new all see the same before and after.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import numpy as np

from seriesstore.append import Connection
from seriesstore.codec import UnknownCodec, pack, pack_outline, unpack
from seriesstore.outline import coarse, whole_outline
from seriesstore.points import Points, concatenate

TARGET = 4096
"""Points of a chunk after compaction; a chunk of at least half of it is left alone."""

MANY = 128
"""So many small chunks are merged although they do not fill one: a reader takes each by itself."""

_MOST_POINTS = 16 * TARGET
_MOST_CHUNKS = 4096


@dataclass(frozen=True, slots=True)
class Compacted:
    """What one round did."""

    series: int = 0
    chunks_before: int = 0
    chunks_after: int = 0


async def compact(
    connection: Connection,
    *,
    most_series: int = 100,
    distinct: bool = False,
    idle_sec: float = 60,
) -> Compacted:
    """One round over the series that have young chunks; call again while it finds any.

    A series is taken when its young chunks fill a chunk, when they are many, or when nothing
    came for `idle_sec`. `distinct` leaves one of each exact repeat inside what is merged. Any
    number of processes may call it: each series is locked by one of them.

    Raises:
        UnknownCodec, ValueError, RuntimeError: a chunk cannot be decoded, and nothing else was
            left to merge; the others go first.
    """
    rows = await connection.fetch(
        """
        SELECT series_id
        FROM chunks
        WHERE coarse IS NULL
        GROUP BY series_id
        HAVING sum(count) >= $1 OR count(*) >= $2
            OR max(received_at) < now() - make_interval(secs => $3)
        LIMIT $4
        """,
        TARGET,
        MANY,
        idle_sec,
        most_series,
    )
    series = before = after = 0
    broken: Exception | None = None
    for row in rows:
        try:
            done = await _compact_series(connection, row["series_id"], distinct=distinct)
        except (UnknownCodec, ValueError, RuntimeError) as exc:
            broken = exc
            continue
        series += done is not None
        before += done[0] if done else 0
        after += done[1] if done else 0
    if broken and not series:
        raise broken
    return Compacted(series, before, after)


async def _compact_series(
    connection: Connection, series_id: int, *, distinct: bool
) -> tuple[int, int] | None:
    """How many chunks became how many; None where another process is at it, or nothing is left."""
    async with connection.transaction():
        # Writers and readers are never in the way; a second compaction is, and a deletion waits.
        mine = await connection.fetchval(
            "SELECT pg_try_advisory_xact_lock(7213056, ($1::bigint % 2147483647)::integer)",
            series_id,
        )
        there = await connection.fetchval(
            "SELECT id FROM series WHERE id = $1 FOR KEY SHARE", series_id
        )
        if not (mine and there):
            return None
        run = await _next_run(connection, series_id)
        if not run:
            return None
        rows = await asyncio.to_thread(_merge, series_id, run, distinct=distinct)
        await _replace(connection, series_id, run, rows)
        return len(run), len(rows)


async def _next_run(connection: Connection, series_id: int) -> Sequence[asyncpg.Record]:
    """The next young chunks in the order logged, locked, as many as are merged at once.

    The rest of an earlier round, if it is small, is taken in again, so that rests do not pile up.
    """
    rows = await connection.fetch(
        """
        WITH last AS (
            SELECT first_ordinal, part, count FROM chunks
            WHERE series_id = $1 AND coarse IS NOT NULL
            ORDER BY first_ordinal DESC, part DESC
            LIMIT 1
        )
        SELECT owner_id, first_ordinal, last_ordinal, part, count, received_at, points
        FROM chunks
        WHERE series_id = $1
          AND (coarse IS NULL OR (first_ordinal, part) IN (
                  SELECT first_ordinal, part FROM last WHERE count < $2))
        ORDER BY first_ordinal, part
        LIMIT $3
        FOR UPDATE
        """,
        series_id,
        TARGET // 2,
        _MOST_CHUNKS,
    )
    run: list[asyncpg.Record] = []
    total = 0
    for row in rows:
        if total >= _MOST_POINTS:
            break
        run.append(row)
        total += row["count"]
    return run


def _merge(
    series_id: int, run: Sequence[asyncpg.Record], *, distinct: bool
) -> list[tuple[object, ...]]:
    """The rows that take the place of the run's chunks."""
    merged = concatenate([_with_ordinals(row) for row in run]).sorted()
    merged = merged.distinct() if distinct else merged
    first, last = run[0]["first_ordinal"], max(row["last_ordinal"] for row in run)
    if first == last:
        merged = Points(merged.x, merged.value, merged.time)
    received_at = max(row["received_at"] for row in run)
    return [
        _row(
            (series_id, run[0]["owner_id"], first, last, part, received_at),
            merged.take(slice(at, at + TARGET)),
        )
        # A rest that is taken in again may be the last of several parts; the others stay.
        for part, at in enumerate(range(0, len(merged), TARGET), start=run[0]["part"])
    ]


def _with_ordinals(row: asyncpg.Record) -> Points:
    points = unpack(row["points"], row["count"], ordinals=True)
    if points.ordinal is not None:
        return points
    ordinal = np.full(len(points), row["first_ordinal"], np.int64)
    return Points(points.x, points.value, points.time, ordinal)


async def _replace(
    connection: Connection,
    series_id: int,
    run: Sequence[asyncpg.Record],
    rows: Sequence[tuple[object, ...]],
) -> None:
    await connection.execute(
        """
        DELETE FROM chunks
        USING unnest($2::bigint[], $3::integer[]) AS merged (first_ordinal, part)
        WHERE series_id = $1
          AND (chunks.first_ordinal, chunks.part) = (merged.first_ordinal, merged.part)
        """,
        series_id,
        [row["first_ordinal"] for row in run],
        [row["part"] for row in run],
    )
    await connection.executemany(
        """
        INSERT INTO chunks (series_id, owner_id, first_ordinal, last_ordinal, part, received_at,
                            count, first_x, last_x, first_time, last_time, points,
                            finite, sum_value, min_value, max_value,
                            outline, coarse_count, coarse,
                            outline_by_time, coarse_by_time_count, coarse_by_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                $19, $20, $21, $22)
        """,
        rows,
    )


def _row(place: tuple[int, object, int, int, int, datetime], points: Points) -> tuple[object, ...]:
    """A chunk with everything that can be known of it, of points that are sorted by x."""
    by_time: tuple[object, ...] = (None, None, None)
    times: tuple[int | None, int | None] = (None, None)
    if points.time is not None:
        times = int(points.time.min()), int(points.time.max())
        if not points.is_sorted("time"):
            by_time = _levels(points.sorted("time"))
    return (
        *place,
        len(points),
        int(points.x[0]),
        int(points.x[-1]),
        *times,
        pack(points, thorough=True),
        *figures(points),
        *_levels(points),
        *by_time,
    )


def figures(points: Points) -> tuple[int, float, float | None, float | None]:
    """How many values are finite and their sum; least and greatest value that are not NaN."""
    finite = points.value[np.isfinite(points.value)]
    known = points.value[~np.isnan(points.value)]
    with np.errstate(over="ignore"):
        total = float(finite.sum())
    if not len(known):
        return 0, total, None, None
    return len(finite), total, float(known.min()), float(known.max())


def _levels(points: Points) -> tuple[bytes, int, bytes]:
    plain = Points(points.x, points.value, points.time)
    rough = coarse(plain)
    return pack_outline(whole_outline(plain)), len(rough), pack(rough, thorough=True)

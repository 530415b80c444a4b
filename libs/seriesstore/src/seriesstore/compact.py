"""Compaction: many small chunks become few of about 4,000 points, with a coarse level.

One series at a time, in one transaction. Only chunks that stand next to each other
in the order logged are merged, and the new chunks take over their places, so that
equal x keep their order. Chunks younger than `settle_sec` stay as they are:
live readers may not have seen them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from seriesstore.append import Connection, sum_of_finite
from seriesstore.codec import choose_codec, decode_points, encode, encode_raw
from seriesstore.outline import coarse, whole_outline
from seriesstore.points import Points, concatenate

TARGET = 4096
"""Points of a chunk after compaction; a chunk of at least half of it is left alone."""

_MOST_AT_ONCE = 64 * TARGET


@dataclass(frozen=True, slots=True)
class Compacted:
    """What one round did."""

    series: int = 0
    chunks_before: int = 0
    chunks_after: int = 0


async def compact(
    connection: Connection,
    *,
    settle_sec: float = 15,
    most_series: int = 100,
    distinct: bool = False,
    idle_sec: float = 60,
) -> Compacted:
    """One round over the series that have small, settled chunks; call again while it finds any.

    A series is taken when its small chunks fill a chunk, or when nothing came for
    `idle_sec`. `distinct` leaves one of each exact repeat inside what is merged.
    Any number of processes may call it: each series is locked by one of them.
    """
    rows = await connection.fetch(
        """
        SELECT series_id
        FROM chunks
        WHERE coarse_x IS NULL AND received_at < now() - make_interval(secs => $1)
        GROUP BY series_id
        HAVING sum(count) >= $2 OR max(received_at) < now() - make_interval(secs => $3)
        LIMIT $4
        """,
        settle_sec,
        TARGET,
        idle_sec,
        most_series,
    )
    series = before = after = 0
    for row in rows:
        done = await _compact_series(
            connection, row["series_id"], settle_sec=settle_sec, distinct=distinct
        )
        series += done is not None
        before += done[0] if done else 0
        after += done[1] if done else 0
    return Compacted(series, before, after)


async def _compact_series(
    connection: Connection, series_id: int, *, settle_sec: float, distinct: bool
) -> tuple[int, int] | None:
    """How many chunks became how many; None where another process is at it."""
    async with connection.transaction():
        # Readers are never in the way; a second compaction of the same series is.
        if not await connection.fetchval(
            "SELECT pg_try_advisory_xact_lock(7213056, $1::int)", series_id % (1 << 31)
        ):
            return None
        run = await _next_run(connection, series_id, settle_sec)
        if not run:
            return None
        merged = concatenate([_points(row) for row in run]).sorted()
        merged = merged.distinct() if distinct else merged
        parts = [merged.take(slice(at, at + TARGET)) for at in _cuts(merged)]
        await _replace(connection, series_id, run, parts)
        return len(run), len(parts)


async def _next_run(
    connection: Connection, series_id: int, settle_sec: float
) -> Sequence[asyncpg.Record]:
    """The next neighbours in the order logged that together need merging.

    A last chunk that is still small is taken in again, so that they do not pile up.
    """
    rows = await connection.fetch(
        """
        WITH first AS (
            SELECT min(logged) AS logged FROM chunks
            WHERE series_id = $1 AND coarse_x IS NULL
              AND received_at < now() - make_interval(secs => $2)
        ), before AS (
            SELECT max(chunks.logged) AS logged FROM chunks, first
            WHERE series_id = $1 AND chunks.logged < first.logged
        )
        SELECT id, logged, part, count, codec, x, value, time, coarse_x IS NOT NULL AS compacted,
               written_by, received_at
        FROM chunks
        WHERE series_id = $1
          AND logged >= (SELECT coalesce(before.logged, first.logged) FROM before, first)
          AND received_at < now() - make_interval(secs => $2)
        ORDER BY logged, part
        LIMIT 20000
        """,
        series_id,
        settle_sec,
    )
    while rows and rows[0]["compacted"] and rows[0]["count"] >= TARGET // 2:
        rows = rows[1:]
    run: list[asyncpg.Record] = []
    total = 0
    for row in rows:
        big = row["compacted"] and row["count"] >= TARGET // 2
        if big or total >= _MOST_AT_ONCE:
            break
        run.append(row)
        total += row["count"]
    return run


def _points(row: asyncpg.Record) -> Points:
    return decode_points(row["codec"], row["x"], row["value"], row["time"])


def _cuts(points: Points) -> range:
    return range(0, len(points), TARGET)


async def _replace(
    connection: Connection,
    series_id: int,
    run: Sequence[asyncpg.Record],
    parts: Sequence[Points],
) -> None:
    written_by = max(row["written_by"] for row in run)
    await connection.execute(
        "DELETE FROM chunks WHERE id = ANY ($1::bigint[])", [row["id"] for row in run]
    )
    await connection.executemany(
        """
        INSERT INTO chunks (series_id, logged, part, first_x, last_x, count, codec, written_by,
                            received_at, outline, sum_value, finite, x, value, time,
                            coarse_count, coarse_x, coarse_value, coarse_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
                $16, $17, $18, $19)
        """,
        [
            _row(series_id, place, written_by, run[-1]["received_at"], part)
            for place, part in zip(_places(run, len(parts)), parts, strict=True)
        ],
    )
    await connection.execute(
        "UPDATE compaction_horizon SET written_by = greatest(written_by, $1)", written_by
    )


def _places(run: Sequence[asyncpg.Record], parts: int) -> list[tuple[int, int]]:
    """Where the parts stand in the order logged: in the places of what they replace.

    There are more parts than places only where a large batch was one chunk above the target;
    the surplus follows as further parts of that chunk, before whatever was logged next.
    """
    places = [(row["logged"], row["part"]) for row in run]
    surplus = parts - len(places)
    if surplus > 0:
        large = next(at for at, row in enumerate(run) if row["count"] > TARGET)
        logged, part = places[large]
        places[large + 1 : large + 1] = [(logged, part + step + 1) for step in range(surplus)]
    return places[:parts]


def _row(
    series_id: int,
    place: tuple[int, int],
    written_by: int,
    received_at: object,
    points: Points,
) -> tuple[object, ...]:
    codec = choose_codec(len(points))
    rough = coarse(points)
    return (
        series_id,
        *place,
        int(points.x[0]),
        int(points.x[-1]),
        len(points),
        codec,
        written_by,
        received_at,
        encode_raw(whole_outline(points)),
        *sum_of_finite(points),
        encode(points.x, codec),
        encode(points.value, codec),
        None if points.time is None else encode(points.time, codec),
        len(rough),
        encode(rough.x, codec),
        encode(rough.value, codec),
        None if rough.time is None else encode(rough.time, codec),
    )

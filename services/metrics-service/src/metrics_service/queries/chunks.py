"""SQL on chunks, the points themselves: one function, one statement."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from servicekit.database import Connection

from metrics_service.models.points import Points


async def insert_chunks(
    connection: Connection,
    *,
    run_id: UUID,
    ordinal: int,
    added: Sequence[Points],
    series: Mapping[str, int],
) -> None:
    """Store each series' points of one batch; `series` gives the ids by key."""
    await connection.execute(
        """
        INSERT INTO chunks (run_id, ordinal, series_id, min_step, max_step, step, value, time)
        SELECT $1, $2, added.*
        FROM unnest(
            $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bytea[], $8::bytea[]
        ) AS added
        """,
        run_id,
        ordinal,
        [series[points.key] for points in added],
        [int(points.step.min()) for points in added],
        [int(points.step.max()) for points in added],
        [points.step.tobytes() for points in added],
        [points.value.tobytes() for points in added],
        [points.time.tobytes() for points in added],
    )


async def select_points(
    connection: Connection, *, run_id: UUID, key: str, from_step: int | None, to_step: int | None
) -> Points:
    """The points of a series in the order they were logged, of all chunks that touch the steps."""
    row = await connection.fetchrow(
        """
        SELECT string_agg(step, ''::bytea ORDER BY ordinal) AS step,
               string_agg(value, ''::bytea ORDER BY ordinal) AS value,
               string_agg(time, ''::bytea ORDER BY ordinal) AS time
        FROM chunks
        WHERE series_id = (SELECT id FROM series WHERE run_id = $1 AND key = $2)
          AND ($3::bigint IS NULL OR max_step >= $3)
          AND ($4::bigint IS NULL OR min_step <= $4)
        """,
        run_id,
        key,
        from_step,
        to_step,
    )
    if row is None or row["step"] is None:
        return Points.unpack(key, b"", b"", b"")
    return Points.unpack(key, row["step"], row["value"], row["time"])


async def select_logged(
    connection: Connection, *, run_id: UUID, after: int, upto: int
) -> list[Points]:
    """What the run's batches behind `after` up to `upto` hold, in the order it was logged."""
    rows = await connection.fetch(
        """
        SELECT series.key, chunks.step, chunks.value, chunks.time
        FROM chunks
        JOIN series ON series.id = chunks.series_id
        WHERE chunks.run_id = $1 AND chunks.ordinal > $2 AND chunks.ordinal <= $3
        ORDER BY chunks.ordinal, chunks.series_id
        """,
        run_id,
        after,
        upto,
    )
    return [Points.unpack(row["key"], row["step"], row["value"], row["time"]) for row in rows]

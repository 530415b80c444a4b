"""SQL on series and their summaries: one function, one statement."""

from collections.abc import Sequence
from uuid import UUID

from servicekit.database import Connection, fetch_all

from metrics_service.models.points import Points
from metrics_service.models.series import Metric


async def upsert_series(
    connection: Connection, *, run_id: UUID, added: Sequence[Points]
) -> dict[str, int]:
    """Add the points to the summaries of their series; answers each series' id by key.

    Steps decide what is first and last; of equal steps the earliest logged stays first and the
    latest logged becomes last. LEAST and GREATEST pass over the nulls of series that hold only
    NaN.
    """
    columns = zip(*(points.summary() for points in added), strict=True)
    rows = await connection.fetch(
        """
        INSERT INTO series AS old (
            run_id, key, count,
            first_step, first_value, first_time, last_step, last_value, last_time, min, max
        )
        SELECT $1, added.*
        FROM unnest(
            $2::text[], $3::bigint[],
            $4::bigint[], $5::double precision[], $6::timestamptz[],
            $7::bigint[], $8::double precision[], $9::timestamptz[],
            $10::double precision[], $11::double precision[]
        ) AS added
        ON CONFLICT ON CONSTRAINT series_key DO UPDATE SET
            count = old.count + excluded.count,
            first_value = CASE WHEN excluded.first_step < old.first_step
                THEN excluded.first_value ELSE old.first_value END,
            first_time = CASE WHEN excluded.first_step < old.first_step
                THEN excluded.first_time ELSE old.first_time END,
            first_step = LEAST(old.first_step, excluded.first_step),
            last_value = CASE WHEN excluded.last_step >= old.last_step
                THEN excluded.last_value ELSE old.last_value END,
            last_time = CASE WHEN excluded.last_step >= old.last_step
                THEN excluded.last_time ELSE old.last_time END,
            last_step = GREATEST(old.last_step, excluded.last_step),
            min = LEAST(old.min, excluded.min),
            max = GREATEST(old.max, excluded.max)
        RETURNING key, id
        """,
        run_id,
        *map(list, columns),
    )
    return {row["key"]: row["id"] for row in rows}


async def select_metrics(
    connection: Connection, *, run_id: UUID, part: str | None, after: str, limit: int
) -> list[Metric]:
    """The run's metrics by key, those that contain `part` in any case, continuing after a key."""
    return await fetch_all(
        connection,
        Metric,
        """
        SELECT key, count, first_step, first_value, first_time,
               last_step, last_value, last_time, min, max
        FROM series
        WHERE run_id = $1
          AND key > $2
          AND ($3::text IS NULL
               OR strpos(lower(key COLLATE "default"), lower($3 COLLATE "default")) > 0)
        ORDER BY key
        LIMIT $4
        """,
        run_id,
        after,
        part,
        limit,
    )

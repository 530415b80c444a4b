"""What arrived after its time: points of a range whose `time` lies behind a moment."""

from seriesstore.append import Connection
from seriesstore.codec import unpack


async def count_later(
    connection: Connection, series_id: int, *, low: int | None, high: int | None, after: int
) -> int:
    """How many points with low ≤ x ≤ high have a time behind `after`.

    Chunks that lie inside on both axes are counted without being decoded.
    """
    rows = await connection.fetch(
        """
        SELECT count, CASE WHEN NOT inside THEN points END AS points
        FROM chunks
        CROSS JOIN LATERAL (
            SELECT first_time > $4 AND ($2::bigint IS NULL OR first_x >= $2)
                   AND ($3::bigint IS NULL OR last_x <= $3) AS inside
        ) AS lies
        WHERE series_id = $1 AND last_time > $4
          AND ($2::bigint IS NULL OR last_x >= $2) AND ($3::bigint IS NULL OR first_x <= $3)
        """,
        series_id,
        low,
        high,
        after,
    )
    found = 0
    for row in rows:
        if row["points"] is None:
            found += row["count"]
            continue
        points = unpack(row["points"], row["count"]).sorted().between(low, high)
        if points.time is not None:
            found += int((points.time > after).sum())
    return found

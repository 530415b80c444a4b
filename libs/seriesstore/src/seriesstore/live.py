"""Following what is appended: each chunk once, in the order of its transaction.

A reader's place is a transaction number: everything written by earlier ones has
been seen. A chunk becomes visible when its transaction has ended and no earlier
one still runs, so a reader that continues from its place misses nothing and gets
nothing twice, whichever transaction was quicker.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from seriesstore.append import Connection
from seriesstore.codec import decode_points
from seriesstore.points import Points


@dataclass(frozen=True, slots=True)
class News:
    """What was appended since a place, and the place to go on from."""

    place: int
    points: list[tuple[UUID, str, Points]]
    complete: bool = True
    """False where the place lies before a compaction: read the series afresh."""


async def current_place(connection: Connection) -> int:
    """The place of a reader who has seen everything that is readable now."""
    return await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


async def read_news(
    connection: Connection,
    place: int,
    *,
    owner_ids: Sequence[UUID] | None = None,
    at_most: int = 2000,
) -> News:
    """The next chunks after `place`, of these owners or of all, in the order to pass them on.

    More than `at_most` chunks are cut between transactions; ask again from the new place.
    """
    rows = await connection.fetch(
        """
        WITH now AS (
            SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS place
        )
        SELECT now.place AS now, horizon.written_by AS merged, chunks.written_by, owner_id, key,
               codec, x, value, time
        FROM now
        CROSS JOIN compaction_horizon AS horizon
        LEFT JOIN (chunks JOIN series ON series.id = chunks.series_id)
               ON chunks.written_by >= $1 AND chunks.written_by < now.place
              AND ($2::uuid[] IS NULL OR owner_id = ANY ($2))
        ORDER BY chunks.written_by, chunks.logged, chunks.part
        LIMIT $3
        """,
        place,
        owner_ids,
        at_most + 1,
    )
    now, merged = rows[0]["now"], rows[0]["merged"]
    if place > now or place <= merged:
        return News(place=now, points=[], complete=False)
    if len(rows) > at_most:
        # The last transaction may be cut off; it comes with the next call, or whole when alone.
        cut = rows[-1]["written_by"]
        if rows[0]["written_by"] == cut:
            return await read_news(connection, place, owner_ids=owner_ids, at_most=at_most * 4)
        rows = [row for row in rows if row["written_by"] < cut]
        now = cut
    found = [
        (
            UUID(int=row["owner_id"].int),
            row["key"],
            decode_points(row["codec"], row["x"], row["value"], row["time"]),
        )
        for row in rows
        if row["written_by"] is not None
    ]
    return News(place=now, points=found)

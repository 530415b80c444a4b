"""SQL on how far the buffer was moved into the tables."""

from dataclasses import dataclass

from servicekit.database import Connection


@dataclass(frozen=True, slots=True)
class Place:
    """How far a shard was moved: the identity of its stream, and the place of the last record."""

    stream: str
    position: int


NOWHERE = Place("", 0)


async def lock_shard(connection: Connection, shard: int) -> bool:
    """Become the one who moves the shard, until `unlock_shard` or the connection's end."""
    return await connection.fetchval(
        "SELECT pg_try_advisory_lock(hashtextextended('telemetry.buffer ' || $1::text, 0))",
        str(shard),
    )


async def unlock_shard(connection: Connection, shard: int) -> None:
    """Let somebody else move the shard."""
    await connection.execute(
        "SELECT pg_advisory_unlock(hashtextextended('telemetry.buffer ' || $1::text, 0))",
        str(shard),
    )


async def select_shards(connection: Connection) -> list[int]:
    """The shards that there have ever been."""
    rows = await connection.fetch("SELECT shard FROM buffer_places ORDER BY shard")
    return [row["shard"] for row in rows]


async def upsert_place(connection: Connection, *, shard: int) -> Place:
    """How far the shard was moved; one that is new begins."""
    row = await connection.fetchrow(
        """
        INSERT INTO buffer_places AS known (shard, stream, position)
        VALUES ($1, $2, $3)
        ON CONFLICT (shard) DO UPDATE SET stream = known.stream
        RETURNING stream, position
        """,
        shard,
        NOWHERE.stream,
        NOWHERE.position,
    )
    assert row  # noqa: S101 - the statement always has one
    return Place(row["stream"], row["position"])


async def update_place(connection: Connection, *, shard: int, before: Place, after: Place) -> bool:
    """Go on from one place to another; false where somebody else has gone on from there."""
    changed = await connection.fetchval(
        """
        UPDATE buffer_places
        SET stream = $4, position = $5, moved_at = now()
        WHERE shard = $1 AND stream = $2 AND position = $3
        RETURNING true
        """,
        shard,
        before.stream,
        before.position,
        after.stream,
        after.position,
    )
    return bool(changed)

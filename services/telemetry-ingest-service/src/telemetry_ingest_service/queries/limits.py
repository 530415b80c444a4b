"""SQL on limits of signals: one function, one statement."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_all

from telemetry_ingest_service.models.limits import Crossing, SignalLimit


async def lock_limits(connection: Connection) -> bool:
    """Become the one process that looks, until `unlock_limits` or the connection's end."""
    return await connection.fetchval(
        "SELECT pg_try_advisory_lock(hashtextextended('telemetry.limits', 0))"
    )


async def unlock_limits(connection: Connection) -> None:
    """Let another process look."""
    await connection.execute("SELECT pg_advisory_unlock(hashtextextended('telemetry.limits', 0))")


async def has_published_limits(connection: Connection) -> bool:
    """Whether experiment-service's view is there."""
    return await connection.fetchval("SELECT to_regclass('experiment.signal_limits') IS NOT NULL")


async def insert_places(connection: Connection) -> None:
    """Begin with sensors on which limits are new: what they send from now on is looked at."""
    await connection.execute(
        """
        INSERT INTO limit_places (sensor_id, ordinal)
        SELECT l.sensor_id, coalesce((SELECT o.ordinal FROM owners o WHERE o.id = l.sensor_id), 0)
        FROM (SELECT DISTINCT sensor_id FROM experiment.signal_limits) AS l
        ON CONFLICT DO NOTHING
        """
    )


async def delete_places(connection: Connection) -> None:
    """Forget sensors and limits that are watched no more."""
    await connection.execute(
        """
        WITH gone AS (
            DELETE FROM limits_crossed
            WHERE watch_id NOT IN (SELECT watch_id FROM experiment.signal_limits)
        )
        DELETE FROM limit_places
        WHERE sensor_id NOT IN (SELECT sensor_id FROM experiment.signal_limits)
        """
    )


async def select_sensors_ahead(connection: Connection) -> dict[UUID, tuple[int, int]]:
    """The places of sensors that have sent since they were looked at, and how far they are.

    A place ahead of everything is from before a backup was restored: it means the end.
    """
    rows = await connection.fetch(
        """
        SELECT p.sensor_id, least(p.ordinal, o.ordinal) AS place, o.ordinal
        FROM limit_places p
        JOIN owners o ON o.id = p.sensor_id
        WHERE o.ordinal <> p.ordinal
        ORDER BY p.sensor_id
        """
    )
    return {row["sensor_id"]: (row["place"], row["ordinal"]) for row in rows}


async def select_limits(
    connection: Connection, sensor_ids: Collection[UUID]
) -> list[tuple[SignalLimit, bool]]:
    """The limits on the sensors' signals, each with whether it is past."""
    limits = await fetch_all(
        connection,
        SignalLimit,
        """
        SELECT watch_id, sensor_id, signal, direction, threshold, rearm_at, created_at
        FROM experiment.signal_limits
        WHERE sensor_id = ANY ($1::uuid[])
        ORDER BY watch_id
        """,
        sensor_ids,
    )
    rows = await connection.fetch(
        "SELECT watch_id FROM limits_crossed WHERE watch_id = ANY ($1::uuid[])",
        [limit.watch_id for limit in limits],
    )
    crossed = {row["watch_id"] for row in rows}
    return [(limit, limit.watch_id in crossed) for limit in limits]


async def update_limit_place(connection: Connection, *, sensor_id: UUID, ordinal: int) -> None:
    """Note up to which batch of a sensor was looked."""
    await connection.execute(
        "UPDATE limit_places SET ordinal = $2 WHERE sensor_id = $1", sensor_id, ordinal
    )


async def update_limits_crossed(
    connection: Connection, *, crossed: Collection[UUID], back: Collection[UUID]
) -> None:
    """Note which limits are past, and which are watched again."""
    await connection.execute(
        """
        WITH again AS (
            DELETE FROM limits_crossed WHERE watch_id = ANY ($2::uuid[])
        )
        INSERT INTO limits_crossed (watch_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING
        """,
        crossed,
        back,
    )


async def insert_crossings(connection: Connection, crossings: Sequence[Crossing]) -> None:
    """Keep crossings for who tells of them."""
    await connection.execute(
        """
        INSERT INTO crossings (watch_id, value, most, unit, taken_at)
        SELECT watch_id, value, most, unit, to_timestamp(taken_us / 1e6)
        FROM unnest($1::uuid[], $2::float8[], $3::float8[], $4::text[], $5::bigint[])
            AS c (watch_id, value, most, unit, taken_us)
        """,
        [one.watch_id for one in crossings],
        [one.value for one in crossings],
        [one.most for one in crossings],
        [one.unit for one in crossings],
        [one.taken_us for one in crossings],
    )


async def delete_old_crossings(connection: Connection, *, before: datetime) -> None:
    """Forget crossings from before a moment: they were told of long ago."""
    await connection.execute("DELETE FROM crossings WHERE found_at < $1", before)

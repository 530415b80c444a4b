"""SQL on what is known of sensors by what they send."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_all

from telemetry_ingest_service.models.activity import Heartbeat, SensorError

ERRORS_KEPT = 200
"""How many a sensor has at most."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a sensor sent at once."""

    sensor_id: UUID
    readings: int
    last_reading_us: int | None
    max_latency_us: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """Readings that were refused for one reason."""

    sensor_id: UUID
    signal: str
    reason: str
    count: int
    example: str


async def upsert_activity(connection: Connection, heard: Sequence[Heard], *, at: datetime) -> None:
    """Note who was heard, when, and how much came in this minute; the owners are locked."""
    by_sensor: dict[UUID, list[Heard]] = {}
    for one in heard:
        by_sensor.setdefault(one.sensor_id, []).append(one)
    ids = sorted(by_sensor)
    await connection.execute(
        """
        WITH heard AS (
            SELECT *
            FROM unnest(
                $1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[]
            ) AS heard (sensor_id, readings, last_us, latency_us, batches)
        ), beaten AS (
            INSERT INTO heartbeats AS old (sensor_id, minute, readings, batches, max_latency_us)
            SELECT sensor_id, date_trunc('minute', $6::timestamptz, 'UTC'), readings, batches,
                   latency_us
            FROM heard
            ON CONFLICT (sensor_id, minute) DO UPDATE SET
                readings = old.readings + excluded.readings,
                batches = old.batches + excluded.batches,
                max_latency_us = greatest(old.max_latency_us, excluded.max_latency_us)
        )
        INSERT INTO activity AS old (sensor_id, last_received_at, last_reading_at, readings)
        SELECT sensor_id, $6, to_timestamp(last_us / 1e6), readings FROM heard
        ON CONFLICT (sensor_id) DO UPDATE SET
            last_received_at = greatest(old.last_received_at, excluded.last_received_at),
            last_reading_at = greatest(old.last_reading_at, excluded.last_reading_at),
            readings = old.readings + excluded.readings
        """,
        ids,
        [sum(one.readings for one in by_sensor[id_]) for id_ in ids],
        [
            max((one.last_reading_us or 0 for one in by_sensor[id_]), default=0) or None
            for id_ in ids
        ],
        [max(one.max_latency_us for one in by_sensor[id_]) for id_ in ids],
        [len(by_sensor[id_]) for id_ in ids],
        at,
    )


async def upsert_errors(
    connection: Connection, mistakes: Sequence[Mistake], *, at: datetime
) -> None:
    """Count what was refused in this minute, by sensor, signal and reason."""
    together: dict[tuple[UUID, str, str], list[Mistake]] = {}
    for mistake in mistakes:
        key = mistake.sensor_id, mistake.signal, mistake.reason
        together.setdefault(key, []).append(mistake)
    keys = sorted(together)
    await connection.execute(
        """
        INSERT INTO errors AS old (sensor_id, minute, signal, reason, count, example, last_at)
        SELECT wrong.sensor_id, date_trunc('minute', $6::timestamptz, 'UTC'), wrong.signal,
               wrong.reason, wrong.count, wrong.example, $6
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[])
            AS wrong (sensor_id, signal, reason, count, example)
        ON CONFLICT (sensor_id, minute, signal, reason) DO UPDATE SET
            count = old.count + excluded.count,
            example = excluded.example,
            last_at = excluded.last_at
        """,
        [sensor_id for sensor_id, _, _ in keys],
        [signal for _, signal, _ in keys],
        [reason for _, _, reason in keys],
        [sum(one.count for one in together[key]) for key in keys],
        [together[key][-1].example for key in keys],
        at,
    )


async def delete_old_errors(connection: Connection, *, sensor_ids: Collection[UUID]) -> None:
    """Forget all but the last errors of each of the sensors."""
    await connection.execute(
        """
        DELETE FROM errors
        WHERE (sensor_id, minute, signal, reason) IN (
            SELECT wanted.sensor_id, old.minute, old.signal, old.reason
            FROM unnest($1::uuid[]) AS wanted (sensor_id)
            CROSS JOIN LATERAL (
                SELECT minute, signal, reason
                FROM errors
                WHERE errors.sensor_id = wanted.sensor_id
                ORDER BY minute DESC, signal DESC, reason DESC
                OFFSET $2
            ) AS old
        )
        """,
        sensor_ids,
        ERRORS_KEPT,
    )


async def select_errors(connection: Connection, *, sensor_id: UUID) -> list[SensorError]:
    """What was refused of a sensor lately, the last first."""
    return await fetch_all(
        connection,
        SensorError,
        """
        SELECT minute, signal, reason, count, example, last_at
        FROM errors
        WHERE sensor_id = $1
        ORDER BY minute DESC, signal DESC, reason DESC
        LIMIT $2
        """,
        sensor_id,
        ERRORS_KEPT,
    )


async def select_heartbeats(
    connection: Connection, *, sensor_id: UUID, since: datetime, until: datetime, most: int
) -> list[Heartbeat]:
    """The first minutes of a span in which the sensor sent, the earliest first."""
    return await fetch_all(
        connection,
        Heartbeat,
        """
        SELECT minute, readings, batches, max_latency_us
        FROM heartbeats
        WHERE sensor_id = $1 AND minute >= $2 AND minute < $3
        ORDER BY minute
        LIMIT $4
        """,
        sensor_id,
        since,
        until,
        most,
    )


async def delete_old_heartbeats(
    connection: Connection, *, before: datetime, at_most: int = 10_000
) -> int:
    """Forget heartbeats of minutes before a moment, some at a time; how many these were."""
    rows = await connection.fetch(
        """
        DELETE FROM heartbeats
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM heartbeats WHERE minute < $1 LIMIT $2))
        RETURNING 1
        """,
        before,
        at_most,
    )
    return len(rows)

"""Taking readings in: stored before they are answered, each request once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

import numpy as np
from prometheus_client import Counter, Histogram
from seriesstore.append import Batch, Receipt, append
from seriesstore.group import Full
from seriesstore.points import Points
from servicekit.database import Connection, Database
from servicekit.problems import NotFound, TooManyRequests, Unavailable

from telemetry_ingest_service.errors import SensorDecommissioned
from telemetry_ingest_service.models.readings import Accepted, Refusal, Sent, named
from telemetry_ingest_service.models.received import Received
from telemetry_ingest_service.operations.sensors import Sensors
from telemetry_ingest_service.queries.activity import (
    Heard,
    Mistake,
    delete_old_errors,
    upsert_activity,
    upsert_errors,
)

STORED = Counter("telemetry_readings_stored", "Readings that were stored.")
REPEATED = Counter("telemetry_batches_repeated", "Requests that had been stored before.")
REJECTED = Counter("telemetry_readings_rejected", "Readings that could not be taken.")
TURNED_AWAY = Counter(
    "telemetry_batches_turned_away", "Requests that were not taken: too much was waiting."
)
TOGETHER = Histogram(
    "telemetry_batches_together",
    "Requests that shared a transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
)

# When a full buffer may be tried again.
FULL_SEC = 2


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of it: how many readings stand in the store, and whether they did before."""

    accepted: int
    duplicate: bool
    set_aside: bool = False


class BufferFull(Exception):
    """As much waits in the buffer as it may hold."""


class Writer(Protocol):
    """What takes a request and answers once it is durable."""

    async def submit(self, item: Received) -> Stored:
        """Keep it.

        Raises:
            Full: too much waits already.
            BufferFull: see there.
        """
        ...


async def ingest(
    writer: Writer, sensors: Sensors, database: Database, sensor_id: UUID, sent: Sent
) -> Accepted:
    """Store what a sensor sent, and answer when it is durable.

    Raises:
        NotFound: the sensor is gone.
        SensorDecommissioned: it sends no more.
        Unavailable: more waits to be stored than the database keeps up with.
        TooManyRequests: the buffer is full.
    """
    sensor = await sensors.get(database, sensor_id)
    if sensor is None:
        raise NotFound
    if sensor.status != "active":
        raise SensorDecommissioned
    sent.refuse_signals(sensor.signals)
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    try:
        stored = await writer.submit(Received(sensor_id, sensor.project_id, sent, now))
    except Full as exc:
        TURNED_AWAY.inc()
        msg = "More readings wait to be stored than the database keeps up with."
        raise Unavailable(msg) from exc
    except BufferFull as exc:
        TURNED_AWAY.inc()
        msg = "As many readings wait to be stored as the buffer may hold."
        raise TooManyRequests(msg, retry_after=FULL_SEC) from exc
    return Accepted(
        accepted=stored.accepted,
        duplicate=stored.duplicate,
        set_aside=stored.set_aside,
        rejected=named(sent.refused),
        rejected_count=sent.refused_count,
    )


async def store_together(
    database: Database, requests: Sequence[Received]
) -> list[Stored | Exception]:
    """Store what several sensors sent in one transaction, in the order it came."""
    async with database.acquire() as connection, connection.transaction():
        receipts = await store(connection, requests, at=datetime.now(UTC))
    count_stored(requests, receipts)
    return [Stored(accepted=each.points, duplicate=not each.new) for each in receipts]


async def store(
    connection: Connection, requests: Sequence[Received], *, at: datetime
) -> list[Receipt]:
    """Store what sensors sent in the transaction of the caller, and note that they were heard."""
    receipts = await append(connection, [_batch(received) for received in requests])
    new = [
        received
        for received, receipt in zip(requests, receipts, strict=True)
        if receipt.new and received.sent.count
    ]
    if new:
        await upsert_activity(connection, list(map(_heard, new)), at=at)
    if mistakes := [
        _mistake(received.sensor_id, refusal)
        for received, receipt in zip(requests, receipts, strict=True)
        if receipt.new
        for refusal in received.sent.refused
    ]:
        await upsert_errors(connection, mistakes, at=at)
        wrong = {mistake.sensor_id for mistake in mistakes}
        await delete_old_errors(connection, sensor_ids=wrong)
    return receipts


def count_stored(requests: Sequence[Received], receipts: Sequence[Receipt]) -> None:
    """Measure what a commit has stored."""
    REJECTED.inc(
        sum(
            received.sent.refused_count
            for received, receipt in zip(requests, receipts, strict=True)
            if receipt.new
        )
    )
    STORED.inc(sum(receipt.points for receipt in receipts if receipt.new))
    REPEATED.inc(sum(not receipt.new for receipt in receipts))
    TOGETHER.observe(len(requests))


def _batch(received: Received) -> Batch:
    sent = received.sent
    return Batch(
        received.sensor_id,
        {
            signal: Points(t, sent.v[signal], np.full(len(t), received.received_us, np.int64))
            for signal, t in sent.t.items()
            if len(t)
        },
        sent.id,
        received.project_id,
    )


def _heard(received: Received) -> Heard:
    columns = [t for t in received.sent.t.values() if len(t)]
    return Heard(
        sensor_id=received.sensor_id,
        readings=received.sent.count,
        last_reading_us=max(int(t.max()) for t in columns),
        max_latency_us=max(0, received.received_us - min(int(t.min()) for t in columns)),
    )


def _mistake(sensor_id: UUID, refusal: Refusal) -> Mistake:
    return Mistake(
        sensor_id=sensor_id,
        signal=refusal.signal,
        reason=refusal.reason,
        count=len(refusal.places),
        example=refusal.example,
    )

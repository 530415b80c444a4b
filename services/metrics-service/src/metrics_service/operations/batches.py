"""Logging points."""

from datetime import UTC, datetime
from uuid import UUID

import numpy as np
from prometheus_client import Counter
from servicekit.database import Connection, Database

from metrics_service.errors import RunArchived
from metrics_service.models.batches import Accepted, NewBatch
from metrics_service.models.points import Points
from metrics_service.queries.batches import insert_batch, select_batch_points
from metrics_service.queries.chunks import insert_chunks
from metrics_service.queries.series import upsert_series

STORED = Counter("metrics_points_stored", "Points that were stored.")
REPEATED = Counter("metrics_batches_repeated", "Batches that had been stored before.")


class _Repeated(Exception):
    """The batch is there already; what this attempt did is taken back."""


async def log_batch(database: Database, run_id: UUID, batch: NewBatch) -> Accepted:
    """Store the points and bring the summaries up to date, once for each batch id of a run.

    Points without a time get that of their arrival. Batches of a run take their turns, so that
    their ordinals are seen in order.

    Raises:
        RunArchived: the run takes no more points.
    """
    added = Points.join(_points_of(batch))
    try:
        async with database.acquire() as connection, connection.transaction():
            await _store(connection, run_id, batch, added)
    except _Repeated:
        REPEATED.inc()
        async with database.acquire() as connection:
            points = await select_batch_points(connection, run_id=run_id, batch_id=batch.batch_id)
        return Accepted(accepted=points, duplicate=True)
    STORED.inc(batch.points)
    return Accepted(accepted=batch.points, duplicate=False)


async def _store(
    connection: Connection, run_id: UUID, batch: NewBatch, added: list[Points]
) -> None:
    turn = await insert_batch(
        connection, run_id=run_id, batch_id=batch.batch_id, points=batch.points
    )
    if turn.ordinal is None:
        raise RunArchived
    if not turn.is_new:
        raise _Repeated
    series = await upsert_series(connection, run_id=run_id, added=added)
    await insert_chunks(connection, run_id=run_id, ordinal=turn.ordinal, added=added, series=series)


def _points_of(batch: NewBatch) -> list[Points]:
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    return [
        Points(
            new.key,
            new.step,
            new.value,
            np.full(len(new.step), now, dtype=np.int64) if new.time is None else new.time,
        )
        for new in batch.series
    ]

"""Logging points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import numpy as np
from prometheus_client import Counter, Histogram
from seriesstore.append import Batch, append
from seriesstore.group import Full, GroupCommit
from seriesstore.points import Points, concatenate
from servicekit.database import Database
from servicekit.problems import NotFound, Problem, Unavailable

from metrics_service.errors import RunArchived
from metrics_service.models.batches import Accepted, NewBatch
from metrics_service.queries.runs import select_run_projects

STORED = Counter("metrics_points_stored", "Points that were stored.")
REPEATED = Counter("metrics_batches_repeated", "Batches that had been stored before.")
REFUSED = Counter("metrics_batches_refused", "Batches that were not taken: too much was waiting.")
TOGETHER = Histogram(
    "metrics_batches_together",
    "Batches that shared a transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
)

ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class Logged:
    """Points of a run by metric, in the order they were logged; every point has its time."""

    run_id: UUID
    points: Mapping[str, Points]
    batch_id: UUID | None = None

    @property
    def count(self) -> int:
        """How many points these are."""
        return sum(map(len, self.points.values()))


type Writer = GroupCommit[Logged, Accepted]
"""Where calls that come at the same time meet, to be stored by `store_together`."""


async def log_batch(writer: Writer, run_id: UUID, batch: NewBatch) -> Accepted:
    """Store the points and bring the summaries up to date, once for each batch id of a run.

    Points without a time get that of their arrival.

    Raises:
        RunArchived: the run takes no more points.
        NotFound: the run is gone.
        Unavailable: more waits to be stored than the database keeps up with.
    """
    return await log_points(writer, Logged(run_id, _by_key(batch), batch.batch_id))


async def log_points(writer: Writer, logged: Logged) -> Accepted:
    """`log_batch` for points that are columns already.

    Raises:
        RunArchived, NotFound, Unavailable: see there.
    """
    try:
        return await writer.submit(logged)
    except Full as exc:
        REFUSED.inc()
        msg = "More points wait to be stored than the database keeps up with."
        raise Unavailable(msg) from exc


async def store_together(database: Database, calls: Sequence[Logged]) -> list[Accepted | Exception]:
    """Store what several callers logged in one transaction, in the order they came.

    Batches of a run take their turns, so that their ordinals are seen in order.
    """
    async with database.acquire() as connection, connection.transaction():
        runs = await select_run_projects(connection, run_ids={call.run_id for call in calls})
        known = {run.run_id: run for run in runs}
        refusals: dict[UUID, Problem] = {
            run_id: NotFound() if run_id not in known else RunArchived()
            for run_id in {call.run_id for call in calls}
            if run_id not in known or known[run_id].status == ARCHIVED
        }
        taken = [call for call in calls if call.run_id not in refusals]
        receipts = await append(
            connection,
            [
                Batch(call.run_id, call.points, call.batch_id, known[call.run_id].project_id)
                for call in taken
            ],
        )
    STORED.inc(sum(receipt.points for receipt in receipts if receipt.new))
    REPEATED.inc(sum(not receipt.new for receipt in receipts))
    TOGETHER.observe(len(calls))
    answers = iter(
        Accepted(accepted=receipt.points, duplicate=not receipt.new) for receipt in receipts
    )
    return [refusals.get(call.run_id) or next(answers) for call in calls]


def _by_key(batch: NewBatch) -> dict[str, Points]:
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    parts: dict[str, list[Points]] = {}
    for new in batch.series:
        time = np.full(len(new.step), now, np.int64) if new.time is None else new.time
        parts.setdefault(new.key, []).append(Points(new.step, new.value, time))
    return {key: concatenate(points) for key, points in parts.items()}

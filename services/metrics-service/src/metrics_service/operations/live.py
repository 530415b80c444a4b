"""Following a run: what was logged, in the order it was logged."""

import re
from uuid import UUID

from servicekit.database import Database
from servicekit.problems import Invalid

from metrics_service.models.batches import MAX_POINTS
from metrics_service.models.live import LiveBatch
from metrics_service.models.points import Points
from metrics_service.models.series import LiveEvent, LivePoints
from metrics_service.queries.batches import BatchSize, select_batch_sizes
from metrics_service.queries.chunks import select_logged
from metrics_service.queries.runs import RunState, select_run_state

_BATCHES = 500
_ORDINAL = re.compile(r"[0-9]{1,18}")


async def read_state(database: Database, run_id: UUID) -> RunState | None:
    """How the run stands now; None where there is no such run."""
    async with database.acquire() as connection:
        return await select_run_state(connection, run_id)


async def first_position(database: Database, run_id: UUID, said: str | None) -> int:
    """Where a viewer begins: where it says that it was, else at the beginning.

    An id from before a restored backup lies ahead of everything; it means the end.

    Raises:
        Invalid: what it says is no event id of ours.
    """
    if said is None:
        return 0
    position = _parse(said)
    state = await read_state(database, run_id)
    return min(position, state.ordinal if state else 0)


def _parse(text: str) -> int:
    if not _ORDINAL.fullmatch(text):
        errors = [{"parameter": "after", "detail": "must be the id of an earlier event"}]
        raise Invalid(errors=errors)
    return int(text)


async def read_batch(
    database: Database, run_id: UUID, *, after: int, upto: int
) -> LiveBatch | None:
    """The next points behind `after`: whole batches up to `upto`, about as many as one holds."""
    async with database.acquire() as connection:
        sizes = await select_batch_sizes(
            connection, run_id=run_id, after=after, upto=upto, limit=_BATCHES
        )
        if not sizes:
            return None
        ordinal = _last_that_fits(sizes)
        logged = await select_logged(connection, run_id=run_id, after=after, upto=ordinal)
    return LiveBatch(after=after, ordinal=ordinal, data=_encode(logged))


def _last_that_fits(sizes: list[BatchSize]) -> int:
    points = 0
    last = sizes[0].ordinal
    for size in sizes:
        points += size.points
        if points > MAX_POINTS:
            break
        last = size.ordinal
    return last


def _encode(logged: list[Points]) -> bytes:
    series = [
        LivePoints(
            key=points.key,
            step=points.step.tolist(),
            value=points.value.tolist(),
            time=points.time.tolist(),
        )
        for points in Points.join(logged)
    ]
    return LiveEvent(series=series).model_dump_json().encode()

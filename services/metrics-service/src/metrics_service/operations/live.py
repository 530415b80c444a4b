"""Following a run: what was logged, in the order it was logged."""

import re
from collections.abc import Sequence
from uuid import UUID

from seriesstore.live import read_news
from seriesstore.points import Points
from servicekit.database import Database
from servicekit.problems import Invalid

from metrics_service.models.batches import MAX_POINTS
from metrics_service.models.live import LiveBatch
from metrics_service.models.series import LiveEvent, LivePoints
from metrics_service.queries.runs import RunState, select_run_states

_ORDINAL = re.compile(r"[0-9]{1,18}")


async def read_state(database: Database, run_id: UUID) -> RunState | None:
    """How the run stands now; None where there is no such run."""
    async with database.acquire() as connection:
        states = await select_run_states(connection, run_ids=[run_id])
    return states[0] if states else None


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
        news = await read_news(connection, run_id, after=after, upto=upto, at_most=MAX_POINTS)
    if news is None:
        return None
    return LiveBatch(after=after, ordinal=news.ordinal, data=_encode(news.points))


def _encode(logged: Sequence[tuple[str, Points]]) -> bytes:
    series = [
        LivePoints(
            key=key,
            step=points.x.tolist(),
            value=points.value.tolist(),
            time=[] if points.time is None else points.time.tolist(),
        )
        for key, points in logged
    ]
    return LiveEvent(series=series).model_dump_json().encode()

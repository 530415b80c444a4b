"""Following runs: what was logged, in the order it was logged."""

import re
from collections.abc import Collection, Sequence
from uuid import UUID

from seriesstore.live import read_news
from seriesstore.points import Points
from servicekit.database import Database
from servicekit.places import Places, UnknownPlace
from servicekit.problems import Invalid

from metrics_service.models.batches import MAX_POINTS
from metrics_service.models.live import LiveBatch, LivePoints
from metrics_service.queries.runs import RunState, select_run_states

_ORDINAL = re.compile(r"[0-9]{1,18}")


async def read_states(database: Database, run_ids: Collection[UUID]) -> dict[UUID, RunState]:
    """How the runs stand now; those that are gone are left out."""
    async with database.acquire() as connection:
        states = await select_run_states(connection, run_ids=run_ids)
    return {state.run_id: state for state in states}


async def first_position(database: Database, run_id: UUID, said: str | None) -> int:
    """Where a viewer begins: where it says that it was, else at the beginning.

    An id from before a restored backup lies ahead of everything; it means the end.

    Raises:
        Invalid: what it says is no event id of ours.
    """
    if said is None:
        return 0
    if not _ORDINAL.fullmatch(said):
        raise Invalid(
            errors=[{"parameter": "after", "detail": "must be the id of an earlier event"}]
        )
    states = await read_states(database, [run_id])
    return min(int(said), states[run_id].ordinal if run_id in states else 0)


async def first_places(database: Database, run_ids: Sequence[UUID], said: str | None) -> Places:
    """`first_position` for several runs.

    Raises:
        Invalid: what the viewer says is no event id of these runs, and names no ordinals.
    """
    try:
        places = Places.read(run_ids, said)
    except UnknownPlace as exc:
        detail = "must be the id of an earlier event for the same runs, or run:ordinal,run:ordinal"
        raise Invalid(errors=[{"parameter": "after", "detail": detail}]) from exc
    states = await read_states(database, run_ids)
    ends = {run_id: state.ordinal for run_id, state in states.items()}
    return Places(run_ids, {run: min(places[run], ends.get(run, 0)) for run in run_ids})


async def read_batch(
    database: Database, run_id: UUID, *, after: int, upto: int
) -> LiveBatch | None:
    """The next points behind `after`: whole batches up to `upto`, about as many as one holds."""
    async with database.acquire() as connection:
        news = await read_news(connection, run_id, after=after, upto=upto, at_most=MAX_POINTS)
    if news is None:
        return None
    series = [(key, _encode(key, points)) for key, points in news.points]
    return LiveBatch(after=after, ordinal=news.ordinal, series=series)


def _encode(key: str, points: Points) -> bytes:
    live = LivePoints(
        key=key,
        step=points.x.tolist(),
        value=points.value.tolist(),
        time=[] if points.time is None else points.time.tolist(),
    )
    return live.model_dump_json().encode()

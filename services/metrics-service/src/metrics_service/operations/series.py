"""Reading metrics: their summaries, and their series as pictures."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from seriesstore.points import EMPTY, Axis
from seriesstore.read import Picture, Window, read_pictures, snapshot
from seriesstore.summary import Summary, find_summaries, list_summaries, list_summaries_of
from servicekit.database import Connection, Database
from servicekit.pagination import Cursor, Page, page_of
from servicekit.problems import NotFound

from metrics_service.models.series import (
    Metric,
    MetricQuery,
    RunMetric,
    RunMetricList,
    RunSeries,
    RunSeriesList,
    RunSeriesQuery,
    Series,
    SeriesList,
    SeriesQuery,
    Span,
    SummaryQuery,
)
from metrics_service.queries.owners import OwnerState, select_owner_states
from metrics_service.queries.runs import select_run_projects

type MayRead = Callable[[UUID], Awaitable[bool]]
"""Whether the caller sees a project."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    run_id: UUID
    key: str
    state: OwnerState
    picture: Picture

    def columns(self) -> dict[str, Any]:
        points = self.picture.points
        return {
            "key": self.key,
            "step": points.x.tolist(),
            "value": points.value.tolist(),
            "time": [] if points.time is None else points.time.tolist(),
            "count": self.picture.count,
            "exact": self.picture.exact,
            "ordinal": self.state.ordinal,
            "origin": self.state.first_time,
        }


async def list_metrics(database: Database, run_id: UUID, query: MetricQuery) -> Page[Metric]:
    """One page of a run's metrics, by key."""
    after = Cursor.decode(query.cursor, sort="key").value_as(str) if query.cursor else ""
    async with database.acquire() as connection:
        summaries = await list_summaries(
            connection, run_id, contains=query.q or "", after=after, limit=query.limit + 1
        )
    return page_of(
        [Metric.of(summary) for summary in summaries],
        limit=query.limit,
        cursor=lambda metric: Cursor(sort="key", value=metric.key),
    )


async def read_series(database: Database, run_id: UUID, query: SeriesQuery) -> SeriesList:
    """The series of one run; a key that it never logged has no points."""
    pictures = await _draw(database, [run_id], query)
    return SeriesList(series=[Series(**drawn.columns()) for drawn in pictures])


async def read_series_of_runs(
    database: Database, query: RunSeriesQuery, may_read: MayRead
) -> RunSeriesList:
    """The series of several runs.

    Raises:
        NotFound: one of the runs is missing, or of a project that the caller does not see.
    """
    run_ids = await admit_runs(database, query.run_id, may_read)
    pictures = await _draw(database, run_ids, query)
    return RunSeriesList(
        series=[RunSeries(run_id=drawn.run_id, **drawn.columns()) for drawn in pictures]
    )


async def sum_up_runs(database: Database, query: SummaryQuery, may_read: MayRead) -> RunMetricList:
    """The metrics of several runs by key.

    Raises:
        NotFound: one of the runs is missing, or of a project that the caller does not see.
    """
    run_ids = await admit_runs(database, query.run_ids, may_read)
    async with database.acquire() as connection:
        summaries = await list_summaries_of(
            connection, run_ids, keys=query.keys, limit=query.limit + 1
        )
    return RunMetricList(
        items=[
            RunMetric.of(summary, run_id=summary.owner_id) for summary in summaries[: query.limit]
        ],
        complete=len(summaries) <= query.limit,
    )


async def admit_runs(
    database: Database, run_ids: Sequence[UUID], may_read: MayRead
) -> Sequence[UUID]:
    """The runs, each once, when the caller may see all of them.

    Raises:
        NotFound: one is missing, or of a project that the caller does not see.
    """
    wanted = list(dict.fromkeys(run_ids))
    async with database.acquire() as connection:
        found = await select_run_projects(connection, run_ids=wanted)
    project_of = {run.run_id: run.project_id for run in found}
    for run_id in wanted:
        if run_id not in project_of or not await may_read(project_of[run_id]):
            msg = f"There is no run {run_id}, or you may not see it."
            raise NotFound(msg)
    return wanted


async def _draw(database: Database, run_ids: Sequence[UUID], query: SeriesQuery) -> list[_Drawn]:
    """Every picture at one moment, so that each ordinal says exactly what it includes."""
    keys = list(dict.fromkeys(query.key))
    async with database.acquire() as connection, snapshot(connection):
        states = await select_owner_states(connection, run_ids=run_ids)
        found = await find_series(connection, run_ids, keys)
        windows = [
            window
            for summary in found.values()
            if (window := window_of(summary, query, states[summary.owner_id]))
        ]
        pictures = await read_pictures(
            connection, windows, at_most=query.points, axis=axis_of(query)
        )
    nothing = Picture(EMPTY, 0, exact=True)
    return [
        _Drawn(
            run_id,
            key,
            states.get(run_id, OwnerState(ordinal=0)),
            pictures.get(found[run_id, key].id, nothing) if (run_id, key) in found else nothing,
        )
        for run_id in run_ids
        for key in keys
    ]


async def find_series(
    connection: Connection, run_ids: Sequence[UUID], keys: Sequence[str]
) -> Mapping[tuple[UUID, str], Summary]:
    """The series by run and key, as far as there are any."""
    summaries = await find_summaries(connection, run_ids, keys)
    return {(summary.owner_id, summary.key): summary for summary in summaries}


def axis_of(span: Span) -> Axis:
    """Which column of the store the asked axis follows."""
    return "x" if span.x == "step" else "time"


def window_of(summary: Summary, span: Span, state: OwnerState) -> Window | None:
    """Which part of a series is asked for; None where no point can lie in it."""
    low, high = span.ends(state.first_time or 0)
    if low is not None and high is not None and low > high:
        return None
    return Window(summary.id, low, high)

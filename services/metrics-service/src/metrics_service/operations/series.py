"""Reading metrics: their summaries, and their series as pictures."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from servicekit.database import Database
from servicekit.pagination import Cursor, Page, page_of
from servicekit.problems import NotFound

from metrics_service.models.points import Points
from metrics_service.models.series import (
    Metric,
    MetricQuery,
    RunSeries,
    RunSeriesList,
    RunSeriesQuery,
    Series,
    SeriesList,
    SeriesQuery,
)
from metrics_service.operations.downsampling import by_step, downsample
from metrics_service.queries.chunks import select_points
from metrics_service.queries.runs import select_ordinals, select_projects
from metrics_service.queries.series import select_metrics

# From here on a picture takes long enough to be drawn beside the event loop.
_MANY = 50_000


async def list_metrics(database: Database, run_id: UUID, query: MetricQuery) -> Page[Metric]:
    """One page of a run's metrics, by key."""
    after = Cursor.decode(query.cursor, sort="key").value_as(str) if query.cursor else ""
    async with database.acquire() as connection:
        metrics = await select_metrics(
            connection, run_id=run_id, part=query.q, after=after, limit=query.limit + 1
        )
    return page_of(
        metrics, limit=query.limit, cursor=lambda metric: Cursor(sort="key", value=metric.key)
    )


async def read_series(database: Database, run_id: UUID, query: SeriesQuery) -> SeriesList:
    """The series of one run; a key that it never logged has no points."""
    found = await _read(database, [run_id], query)
    return SeriesList(series=[picture for _run_id, picture in found])


async def read_series_of_runs(
    database: Database, query: RunSeriesQuery, may_read: Callable[[UUID], Awaitable[bool]]
) -> RunSeriesList:
    """The series of several runs; `may_read` says of a project whether the caller sees it.

    Raises:
        NotFound: one of the runs is missing, or of a project that the caller does not see.
    """
    run_ids = list(dict.fromkeys(query.run_id))
    async with database.acquire() as connection:
        found = await select_projects(connection, run_ids=run_ids)
    project_of = {run.run_id: run.project_id for run in found}
    for run_id in run_ids:
        if run_id not in project_of or not await may_read(project_of[run_id]):
            msg = f"There is no run {run_id}, or you may not see it."
            raise NotFound(msg)
    pictures = await _read(database, run_ids, query)
    return RunSeriesList(
        series=[RunSeries(run_id=run_id, **dict(picture)) for run_id, picture in pictures]
    )


async def _read(
    database: Database, run_ids: Sequence[UUID], query: SeriesQuery
) -> list[tuple[UUID, Series]]:
    """Every run's pictures at one moment, so that each ordinal says exactly what it includes."""
    pictures: list[tuple[UUID, Series]] = []
    async with (
        database.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        ordinals = await select_ordinals(connection, run_ids=run_ids)
        for run_id in run_ids:
            for key in dict.fromkeys(query.key):
                points = await select_points(
                    connection,
                    run_id=run_id,
                    key=key,
                    from_step=query.from_step,
                    to_step=query.to_step,
                )
                draw = asyncio.to_thread if len(points) >= _MANY else _at_once
                picture = await draw(_draw, points, query, ordinals.get(run_id, 0))
                pictures.append((run_id, picture))
    return pictures


async def _at_once[**P, T](draw: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return draw(*args, **kwargs)


def _draw(points: Points, query: SeriesQuery, ordinal: int) -> Series:
    if query.from_step is not None:
        points = points.take(points.step >= query.from_step)
    if query.to_step is not None:
        points = points.take(points.step <= query.to_step)
    shown = downsample(by_step(points), query.points)
    return Series(
        key=points.key,
        step=shown.step.tolist(),
        value=shown.value.tolist(),
        time=shown.time.tolist(),
        count=len(points),
        exact=len(shown) == len(points),
        ordinal=ordinal,
    )

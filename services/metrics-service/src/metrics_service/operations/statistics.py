"""Exact figures of metrics: every value is read, one series after the other."""

import asyncio
from uuid import UUID

import numpy as np
from seriesstore.export import stream_pieces
from seriesstore.read import snapshot
from seriesstore.statistics import statistics
from seriesstore.summary import Summary
from servicekit.database import Connection, Database

from metrics_service.models.statistics import (
    MAX_POINTS,
    MetricStatistics,
    MetricStatisticsList,
    StatisticsQuery,
)
from metrics_service.operations.series import MayRead, admit_runs, find_series


async def read_statistics(
    database: Database, query: StatisticsQuery, may_read: MayRead
) -> MetricStatisticsList:
    """The figures of each metric of each run that logged it.

    Raises:
        NotFound: one of the runs is missing, or of a project that the caller does not see.
    """
    run_ids = await admit_runs(database, query.run_ids, may_read)
    keys = list(dict.fromkeys(query.keys))
    async with database.acquire() as connection, snapshot(connection):
        found = await find_series(connection, run_ids, keys)
        items = [
            await _figures(connection, place, summary, query.percentiles)
            for place, summary in found.items()
        ]
    return MetricStatisticsList(items=items)


async def _figures(
    connection: Connection, place: tuple[UUID, str], summary: Summary, percentiles: list[float]
) -> MetricStatistics:
    reason = None
    values = np.zeros(0)
    if summary.count > MAX_POINTS:
        reason = f"it has {summary.count:,} points, and at most {MAX_POINTS:,} are looked at"
    else:
        parts = [points.value async for points in stream_pieces(connection, summary.id)]
        values = np.concatenate(parts) if parts else values
    found = await asyncio.to_thread(statistics, values, percentiles)
    return MetricStatistics(
        run_id=place[0],
        key=place[1],
        count=summary.count,
        finite=found.finite,
        mean=found.mean,
        deviation=found.deviation,
        percentiles=found.percentiles,
        reason=reason,
    )

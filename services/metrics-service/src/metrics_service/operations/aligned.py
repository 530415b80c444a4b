"""Metrics of several runs on one grid."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import numpy as np
from seriesstore.aggregate import Intervals
from seriesstore.align import Aligned, read_aligned
from seriesstore.points import Integers
from seriesstore.read import Window, read_extent, snapshot
from servicekit.database import Database

from metrics_service.models.aligned import (
    AlignedMetric,
    AlignedMetrics,
    AlignedQuery,
    AlignedRun,
)
from metrics_service.operations.series import MayRead, admit_runs, find_series
from metrics_service.queries.owners import select_owner_states


async def read_aligned_metrics(
    database: Database, query: AlignedQuery, may_read: MayRead
) -> AlignedMetrics:
    """Each metric on the grid that its runs reach over.

    Raises:
        NotFound: one of the runs is missing, or of a project that the caller does not see.
    """
    run_ids = await admit_runs(database, query.run_ids, may_read)
    keys = list(dict.fromkeys(query.keys))
    axis = "x" if query.x == "step" else "time"
    async with database.acquire() as connection, snapshot(connection):
        states = await select_owner_states(connection, run_ids=run_ids)
        found = await find_series(connection, run_ids, keys)
        offsets = {
            place: (states[place[0]].first_time or 0) if query.x == "relative" else 0
            for place in found
        }
        extents = await read_extent(
            connection, [summary.id for summary in found.values()], axis=axis
        )
        grids: dict[str, Intervals] = {}
        for key in keys:
            ends = [
                (first - offsets[place], last - offsets[place])
                for place, summary in found.items()
                if place[1] == key and summary.id in extents
                for first, last in [extents[summary.id]]
            ]
            if ends:
                low, high = min(first for first, _ in ends), max(last for _, last in ends)
                grids[key] = Intervals.over(low, high, query.points)
        drawn = await read_aligned(
            connection,
            [
                (Window(summary.id), grids[place[1]], offsets[place])
                for place, summary in found.items()
                if place[1] in grids
            ],
            axis=axis,
        )
    of_runs = {place: drawn[summary.id] for place, summary in found.items() if summary.id in drawn}
    return AlignedMetrics(metrics=[_metric(key, grids.get(key), run_ids, of_runs) for key in keys])


def _metric(
    key: str,
    grid: Intervals | None,
    run_ids: Sequence[UUID],
    of_runs: Mapping[tuple[UUID, str], Aligned],
) -> AlignedMetric:
    if grid is None:
        return AlignedMetric(key=key, x=[], runs=[])
    series = {run_id: of_runs[run_id, key] for run_id in run_ids if (run_id, key) in of_runs}
    used = np.zeros(len(grid.edges), np.bool_)
    for one in series.values():
        used[one.place] = True
    ends = np.append(grid.edges[1:] - 1, np.int64(grid.high))
    places = np.cumsum(used) - 1
    shown = int(used.sum())
    return AlignedMetric(
        key=key,
        x=ends[used].tolist(),
        runs=[_run(run_id, one, places, shown) for run_id, one in series.items()],
    )


def _run(run_id: UUID, series: Aligned, places: Integers, shown: int) -> AlignedRun:
    # Columns that numpy made need no look at each of their numbers.
    return AlignedRun.model_construct(
        run_id=run_id,
        place=None if len(series.place) == shown else places[series.place].tolist(),
        last=series.last.tolist(),
        min=series.min.tolist(),
        max=series.max.tolist(),
        count=series.count,
        exact=series.exact,
    )

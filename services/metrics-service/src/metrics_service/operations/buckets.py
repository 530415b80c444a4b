"""Figures of series by interval: least, greatest, mean and count."""

from collections.abc import Mapping
from uuid import UUID

from seriesstore.aggregate import Aggregates, Intervals, aggregate
from seriesstore.read import read_extent, snapshot
from seriesstore.summary import Summary
from servicekit.database import Connection, Database

from metrics_service.models.series import BucketQuery, Buckets, BucketsList
from metrics_service.operations.series import MayRead, admit_runs, axis_of, find_series
from metrics_service.queries.owners import OwnerState, select_owner_states


async def read_buckets(database: Database, query: BucketQuery, may_read: MayRead) -> BucketsList:
    """The series of several runs by intervals that all of them share.

    Raises:
        NotFound: one of the runs is missing, or of a project that the caller does not see.
    """
    run_ids = await admit_runs(database, query.run_id, may_read)
    keys = list(dict.fromkeys(query.key))
    async with database.acquire() as connection, snapshot(connection):
        states = await select_owner_states(connection, run_ids=run_ids)
        found = await find_series(connection, run_ids, keys)
        ends = await _ends(connection, query, found, states)
        figures: dict[tuple[UUID, str], Aggregates] = {}
        if ends:
            intervals = Intervals.over(*ends, query.intervals)
            for place, summary in found.items():
                figures[place] = await aggregate(
                    connection,
                    summary.id,
                    intervals,
                    axis=axis_of(query),
                    offset=_offset(query, states[summary.owner_id]),
                )
    return BucketsList(
        low=ends[0] if ends else None,
        high=ends[1] if ends else None,
        series=[
            _buckets(run_id, key, figures.get((run_id, key))) for run_id in run_ids for key in keys
        ],
    )


def _offset(query: BucketQuery, state: OwnerState) -> int:
    return state.first_time or 0 if query.x == "relative" else 0


async def _ends(
    connection: Connection,
    query: BucketQuery,
    found: Mapping[tuple[UUID, str], Summary],
    states: Mapping[UUID, OwnerState],
) -> tuple[int, int] | None:
    """The range: as asked for, and at an open end as far as the series reach."""
    low, high = query.ends(0)
    if low is None or high is None:
        extents = await read_extent(
            connection, [summary.id for summary in found.values()], axis=axis_of(query)
        )
        reached = [
            (extent[0] - offset, extent[1] - offset)
            for summary in found.values()
            if (extent := extents.get(summary.id))
            for offset in [_offset(query, states[summary.owner_id])]
        ]
        if not reached:
            return None
        low = min(first for first, _ in reached) if low is None else low
        high = max(last for _, last in reached) if high is None else high
    return (low, high) if low <= high else None


def _buckets(run_id: UUID, key: str, figures: Aggregates | None) -> Buckets:
    if figures is None:
        return Buckets(run_id=run_id, key=key, x=[], count=[], min=[], max=[], mean=[])
    return Buckets(
        run_id=run_id,
        key=key,
        x=figures.x.tolist(),
        count=figures.count.tolist(),
        min=figures.min.tolist(),
        max=figures.max.tolist(),
        mean=figures.mean.tolist(),
    )

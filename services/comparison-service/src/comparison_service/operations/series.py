"""Metrics of runs on one grid, and statistics over groups of them."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import orjson

from comparison_service.models.numbers import Floats, column, numbers
from comparison_service.models.selection import FoundRun, Scalar
from comparison_service.models.series import (
    ComparedSeries,
    CurveColumn,
    GroupCurve,
    MetricCurves,
    RunCurve,
    SeriesComparison,
)
from comparison_service.operations.reading import Reading, together


async def compare_series(reading: Reading, asked: SeriesComparison) -> ComparedSeries:
    """Each metric on a grid that its runs share.

    Raises:
        NotFound: a run is missing, or of a project that the caller does not see.
        TooMuchToCompare, Unavailable: see `Reading.runs`, where runs are grouped.
    """
    runs, metrics = await together(_runs(reading, asked), reading.aligned(asked))
    groups = group_runs(runs, asked.group_by or [])
    return ComparedSeries(
        metrics=[_curves(metric, groups, asked) for metric in metrics or []],
        missing=reading.missing,
    )


async def _runs(reading: Reading, asked: SeriesComparison) -> list[FoundRun]:
    return [] if asked.group_by is None else await reading.runs(asked.run_ids)


def group_runs(
    runs: Sequence[FoundRun], keys: Sequence[str]
) -> list[tuple[dict[str, Scalar], list[UUID]]]:
    """Runs by the values of their params, in the order in which these come; missing is a value."""
    groups: dict[bytes, tuple[dict[str, Scalar], list[UUID]]] = {}
    for run in runs:
        label = {key: run.params[key] for key in keys if key in run.params}
        name = orjson.dumps(label, option=orjson.OPT_SORT_KEYS)
        groups.setdefault(name, (label, []))[1].append(run.id)
    return list(groups.values())


def _curves(
    metric: Mapping[str, Any],
    groups: Sequence[tuple[dict[str, Scalar], list[UUID]]],
    asked: SeriesComparison,
) -> MetricCurves:
    size = len(metric["x"])
    rows = {UUID(run["run_id"]): run for run in metric["runs"]}
    return MetricCurves(
        key=metric["key"],
        x=metric["x"],
        runs=[_curve(rows[run_id], size) for run_id in asked.run_ids if run_id in rows],
        groups=[
            _group(label, members, [_spread(rows[one], size) for one in members], asked)
            for label, run_ids in groups
            if (members := [run_id for run_id in run_ids if run_id in rows])
        ],
    )


def _curve(run: Mapping[str, Any], size: int) -> RunCurve:
    # Most runs have every place, and their columns are passed on as they came.
    return RunCurve.model_construct(
        run_id=UUID(run["run_id"]),
        last=_placed(run, "last", size),
        min=_placed(run, "min", size),
        max=_placed(run, "max", size),
        count=run["count"],
        exact=run["exact"],
    )


def _placed(run: Mapping[str, Any], name: str, size: int) -> CurveColumn:
    values: CurveColumn = run[name]
    if str in set(map(type, values)):  # what is not finite came as text
        values = numbers(values).tolist()
    if run["place"] is None:
        return values
    placed: CurveColumn = [None] * size
    for place, value in zip(run["place"], values, strict=True):
        placed[place] = value
    return placed


def _spread(run: Mapping[str, Any], size: int) -> Floats:
    values = numbers(run["last"])
    if run["place"] is not None:
        spread = np.full(size, np.nan)
        spread[run["place"]] = values
        values = spread
    return np.where(np.isfinite(values), values, np.nan)


def _group(
    label: dict[str, Scalar],
    run_ids: list[UUID],
    rows: Sequence[Floats],
    asked: SeriesComparison,
) -> GroupCurve:
    table = np.stack(rows)
    n = np.isfinite(table).sum(axis=0)
    # Places without any value are answered as null: numpy need not warn of them.
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        middle = np.nanmean if asked.center == "mean" else np.nanmedian
        center = middle(table, axis=0)
        low = high = center
        if asked.band == "std":
            spread = np.where(n > 1, np.nanstd(table, axis=0, ddof=1), 0.0)
            low, high = center - spread, center + spread
        elif asked.band == "minmax":
            low, high = np.nanmin(table, axis=0), np.nanmax(table, axis=0)
    return GroupCurve(
        label=label,
        run_ids=run_ids,
        center=column(center),
        low=column(low),
        high=column(high),
        n=n.tolist(),
    )

"""How params go with a metric: Pearson, Spearman, and eta squared for categories."""

import math
from collections.abc import Mapping, Sequence
from uuid import UUID

import numpy as np
import orjson

from comparison_service.models.correlations import Correlation, Correlations, CorrelationsQuery
from comparison_service.models.numbers import Floats, number
from comparison_service.models.selection import FoundRun, Scalar
from comparison_service.operations.reading import Reading, together

FEWEST = 3
MAX_KEYS = 2000


async def correlate(reading: Reading, asked: CorrelationsQuery) -> Correlations:
    """How each param of the runs goes with a figure of the metric.

    Raises:
        NotFound: a run is missing, or of a project that the caller does not see.
        TooMuchToCompare, Unavailable: see `Reading.runs`.
    """
    runs, metrics = await together(
        reading.runs(asked.run_ids), reading.metrics(asked.run_ids, [asked.metric])
    )
    name = "last_value" if asked.summary == "last" else asked.summary
    figures = {UUID(item["run_id"]): number(item[name]) for item in metrics or []}
    known = {
        run_id: value
        for run_id, value in figures.items()
        if value is not None and math.isfinite(value)
    }
    keys = sorted({key for run in runs for key in run.params})[:MAX_KEYS]
    items = [_correlation(key, runs, known) for key in keys]
    items.sort(key=_strength, reverse=True)
    return Correlations(
        metric=asked.metric,
        items=items,
        values={run.id: known.get(run.id) for run in runs},
        missing=reading.missing,
    )


def _strength(one: Correlation) -> float:
    if one.eta_squared is not None:
        return math.sqrt(one.eta_squared)
    known = [abs(value) for value in (one.pearson, one.spearman) if value is not None]
    return max(known, default=-1.0)


def _correlation(key: str, runs: Sequence[FoundRun], figures: Mapping[UUID, float]) -> Correlation:
    both = [run for run in runs if key in run.params and run.id in figures]
    pairs = [(run.params[key], figures[run.id]) for run in both]
    values = [value for value, _ in pairs]
    metric = np.array([figure for _, figure in pairs], dtype=np.float64)
    as_numbers = _numbers(values)
    kind = "category" if as_numbers is None else "number"
    distinct = len({orjson.dumps(value) for value in values})
    pearson = spearman = eta = None
    reason = _reason(len(pairs), distinct, metric, is_category=as_numbers is None)
    if reason is None and as_numbers is not None:
        pearson = _pearson(as_numbers, metric)
        spearman = _pearson(ranks(as_numbers), ranks(metric))
    elif reason is None:
        eta = eta_squared([orjson.dumps(value) for value in values], metric)
    return Correlation(
        key=key,
        kind=kind,
        pearson=pearson,
        spearman=spearman,
        eta_squared=eta,
        n=len(pairs),
        distinct=distinct,
        reason=reason,
    )


def _reason(n: int, distinct: int, metric: Floats, *, is_category: bool) -> str | None:
    if n < FEWEST:
        return f"fewer than {FEWEST} runs have both"
    if distinct == 1:
        return "the param is the same in all runs"
    if bool((metric == metric[0]).all()):
        return "the metric is the same in all runs"
    if is_category and distinct == n:
        return "every run has another value"
    return None


def _numbers(values: Sequence[Scalar]) -> Floats | None:
    """The values as numbers, also those that MLflow wrote as text; None if one is none."""
    found: list[float] = []
    for value in values:
        if value is None or isinstance(value, bool):
            return None
        try:
            one = float(value)
        except ValueError:
            return None
        if not math.isfinite(one):
            return None
        found.append(one)
    return np.array(found, dtype=np.float64) if found else None


def _pearson(one: Floats, other: Floats) -> float | None:
    # Scaled first: squares of large values would leave the range of a float.
    one, other = _centred(one), _centred(other)
    divisor = float(np.linalg.norm(one) * np.linalg.norm(other))
    if not divisor or not math.isfinite(divisor):
        return None
    return float(np.clip(np.dot(one, other) / divisor, -1, 1))


def _centred(values: Floats) -> Floats:
    values = values / (float(np.abs(values).max()) or 1.0)
    return values - values.mean()


def ranks(values: Floats) -> Floats:
    """The ranks from 1 on; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((ends - counts + 1 + ends) / 2)[inverse]


def eta_squared(categories: Sequence[bytes], metric: Floats) -> float | None:
    """The part of the metric's variance that lies between the categories (one-way ANOVA)."""
    centred = _centred(metric)
    whole = float(np.dot(centred, centred))
    if not whole:
        return None
    _, inverse = np.unique(np.array(categories, dtype=object).astype(str), return_inverse=True)
    counts = np.bincount(inverse)
    sums = np.bincount(inverse, weights=centred)
    return float(np.clip((sums**2 / counts).sum() / whole, 0, 1))

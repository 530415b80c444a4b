"""Exact figures of every value of a range: mean, deviation, percentiles."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seriesstore.points import Floats


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the finite values; everything but the counts is None without any.

    `deviation` is that of a sample, None for a single value. Percentiles lie between neighbours
    linearly (R-7, numpy's default), in the order in which they were asked for.
    """

    count: int
    finite: int
    mean: float | None
    deviation: float | None
    min: float | None
    max: float | None
    percentiles: list[float | None]


def statistics(values: Floats, percentiles: Sequence[float]) -> Statistics:
    """The figures of values in any order; percentiles are from 0 to 100."""
    known = values[np.isfinite(values)]
    if not len(known):
        none: list[float | None] = [None] * len(percentiles)
        return Statistics(len(values), 0, None, None, None, None, none)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(known.mean())
        deviation = float(known.std(ddof=1)) if len(known) > 1 else None
        found: list[float | None] = np.percentile(known, list(percentiles)).tolist()
    return Statistics(
        count=len(values),
        finite=len(known),
        mean=mean if np.isfinite(mean) else None,
        deviation=deviation if deviation is not None and np.isfinite(deviation) else None,
        min=float(known.min()),
        max=float(known.max()),
        percentiles=found if percentiles else [],
    )

"""How params go with a metric."""

from typing import Literal
from uuid import UUID

from pydantic import Field
from servicekit.fields import Answer, Body, Key

from comparison_service.models.selection import ComparedRunIds, Missing


class CorrelationsQuery(Body):
    """Which metric the params of which runs are held against."""

    run_ids: ComparedRunIds
    metric: Key
    summary: Literal["last", "min", "max"] = Field(
        default="last", description="Which figure of the metric."
    )


class Correlation(Answer):
    """How a param goes with the metric, over the runs that have both.

    Numbers: Pearson's r of the values and Spearman's rho of their ranks (equal ones share the mean
    of theirs), from -1 to 1. Anything else is a category: eta squared, the part of the metric's
    variance that lies between the categories, from 0 to 1. What cannot be said is null, and
    `reason` says why.
    """

    key: str
    kind: Literal["number", "category"]
    pearson: float | None
    spearman: float | None
    eta_squared: float | None
    n: int = Field(description="Runs that have the param and a finite figure of the metric.")
    distinct: int = Field(description="Different values among them.")
    reason: str | None


class Correlations(Answer):
    """Params by the strength of what they have to do with the metric; unknown ones last."""

    metric: str
    items: list[Correlation]
    values: dict[UUID, float | None] = Field(
        description="The figure of each run; null where it has none that is finite."
    )
    missing: list[Missing]

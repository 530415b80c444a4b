"""A comparison as a file."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from servicekit.fields import Key, Name, Text

from comparison_service.models.runs import RunsComparison
from comparison_service.models.selection import MAX_METRICS


def _each_once[T](given: list[T]) -> list[T]:
    return list(dict.fromkeys(given))


class ComparisonExport(RunsComparison):
    """Which runs, as in a comparison of runs; which metrics are drawn; which form the file has."""

    format: Literal["csv", "json", "html"] = Field(
        description="Tables as CSV, everything as JSON, or a report that needs nothing beside it."
    )
    title: Name = "Comparison"
    notes: Text = Field(default="", description="Stands at the head of a report, as it is.")
    metrics: Annotated[list[Key], Field(max_length=MAX_METRICS), AfterValidator(_each_once)] = (
        Field(
            default=[],
            description="Series of these metrics are drawn in a report, and part of JSON.",
        )
    )
    x: Literal["step", "time", "relative"] = "step"
    group_by: Annotated[list[Key], Field(max_length=5)] | None = None

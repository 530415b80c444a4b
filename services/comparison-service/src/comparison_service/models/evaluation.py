"""Evaluating rules: what is asked, and what came of each."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from servicekit.fields import Answer, Body, Key

from comparison_service.models.numbers import Number
from comparison_service.models.rules import RuleOrText
from comparison_service.models.selection import ComparedRunIds, Direction, Missing

MAX_RULES = 100


class Evaluation(Body):
    """Which runs must keep to which rules."""

    run_ids: ComparedRunIds
    rules: Annotated[list[RuleOrText], Field(min_length=1, max_length=MAX_RULES)]
    baseline_run_id: UUID | None = Field(
        default=None, description="Else each run's is the baseline of its experiment."
    )
    best: Annotated[dict[Key, Direction], Field(max_length=1000)] = Field(
        default={}, description="Which value of a metric is the better one, for the figure best."
    )
    values: Literal["raw", "physical"] = Field(
        default="physical",
        description="Readings of signals as they came, or converted; a signal without any profile"
        " stays as it came.",
    )


class RuleResult(Answer):
    """Whether a run keeps to a rule, with the numbers. What is missing fails, for its reason."""

    run_id: UUID
    rule: str = Field(description="As a line of text.")
    number: int = Field(description="Which of the rules, from 0 on.")
    passed: bool
    value: Number | str | bool | None
    baseline: Number | str | bool | None = Field(description="The baseline's figure, if needed.")
    baseline_run_id: UUID | None
    limit: Number | str | bool | None = Field(description="What the value was held against.")
    unit: str | None = Field(description="Of a signal.")
    reason: str | None = Field(description="Why it failed, where that is not plain from numbers.")


class EvaluationResult(Answer):
    """What came of each rule, run by run."""

    passed: bool = Field(description="Every run keeps to every rule.")
    results: list[RuleResult]
    missing: list[Missing]

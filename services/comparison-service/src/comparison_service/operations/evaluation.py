"""Whether runs keep to rules: each figure held against its limit, with the numbers."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from servicekit.database import Database

from comparison_service.models.evaluation import Evaluation, EvaluationResult, RuleResult
from comparison_service.models.rules import BaselineLimit, Operator, Rule
from comparison_service.models.selection import FoundRun, Scalar
from comparison_service.operations.baselines import baselines_of
from comparison_service.operations.figures import Figures, Known, read_figures
from comparison_service.operations.reading import Reading

_HOLDS: Mapping[Operator, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


async def evaluate(database: Database, reading: Reading, asked: Evaluation) -> EvaluationResult:
    """What came of each rule for each run; what is missing fails the rule.

    Raises:
        NotFound: a run is missing, or of a project that the caller does not see.
        TooMuchToCompare, Unavailable: see `Reading.runs`.
    """
    given = [asked.baseline_run_id] if asked.baseline_run_id else []
    runs = await reading.runs(list(dict.fromkeys([*asked.run_ids, *given])))
    baselines = await _baselines(database, runs, asked)
    known = {run.id for run in runs}
    if others := [one for one in dict.fromkeys(baselines.values()) if one not in known]:
        runs += await reading.runs(others)
    figures = await read_figures(reading, runs, asked.rules, asked.best, asked.values)
    results = [
        _result(number, rule, run_id, baselines.get(run_id), figures)
        for run_id in asked.run_ids
        for number, rule in enumerate(asked.rules)
    ]
    return EvaluationResult(
        passed=all(result.passed for result in results), results=results, missing=reading.missing
    )


async def _baselines(
    database: Database, runs: Sequence[FoundRun], asked: Evaluation
) -> Mapping[UUID, UUID]:
    """The baseline of each run, where a rule needs one."""
    if not any(rule.baseline for rule in asked.rules):
        return {}
    if asked.baseline_run_id:
        return dict.fromkeys(asked.run_ids, asked.baseline_run_id)
    of_experiments = await baselines_of(database, {run.experiment_id for run in runs})
    return {
        run.id: of_experiments[run.experiment_id]
        for run in runs
        if run.experiment_id in of_experiments
    }


def _result(
    number: int, rule: Rule, run_id: UUID, baseline_run_id: UUID | None, figures: Figures
) -> RuleResult:
    found = figures.of(rule, run_id)
    reason = found.reason
    reference: Scalar = None
    limit: Scalar = rule.value
    if rule.baseline:
        limit, reference, why = _limit(rule, rule.baseline, baseline_run_id, figures)
        reason = reason or why
    passed = False
    if reason is None:
        passed, reason = holds(found.value, rule.op, limit)
    return RuleResult(
        run_id=run_id,
        rule=rule.text(),
        number=number,
        passed=passed,
        value=found.value,
        baseline=reference,
        baseline_run_id=baseline_run_id if rule.baseline else None,
        limit=limit,
        unit=found.unit,
        reason=reason,
    )


def _limit(
    rule: Rule, limit: BaselineLimit, run_id: UUID | None, figures: Figures
) -> tuple[Scalar, Scalar, str | None]:
    """The limit, the baseline's figure, and why there is none."""
    if run_id is None:
        return None, None, "there is no baseline: name a run, or set one for the experiment"
    found: Known = figures.of(rule, run_id)
    if found.reason:
        return None, None, f"baseline: {found.reason}"
    value = as_number(found.value)
    if value is None:
        plain = limit == BaselineLimit()
        return found.value, found.value, None if plain else "baseline: it is no number"
    made = value * limit.factor + abs(value) * limit.percent / 100 + limit.offset
    return made, found.value, None


def as_number(value: Scalar) -> float | None:
    """A number, also where MLflow's clients wrote it as text."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def holds(value: Scalar, op: Operator, limit: Scalar) -> tuple[bool, str | None]:
    """Whether the value keeps to the limit, and why that cannot be said."""
    one, other = as_number(value), as_number(limit)
    if one is None or other is None or isinstance(limit, str):
        if op not in {"==", "!="}:
            return False, f"{value!r} and {limit!r} have no order"
        same = type(value) is type(limit) and value == limit
        return same if op == "==" else not same, None
    if math.isnan(one) or math.isnan(other):
        return False, "NaN keeps to no limit"
    return _HOLDS[op](one, other), None

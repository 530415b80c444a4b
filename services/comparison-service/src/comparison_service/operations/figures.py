"""The figures that rules speak of, read for all runs in a few calls."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from comparison_service.models.numbers import number
from comparison_service.models.rules import Rule
from comparison_service.models.selection import Direction, FoundRun, Scalar
from comparison_service.operations.metric_table import direction_of
from comparison_service.operations.reading import Reading, together

# What the summary of a metric does not know: every value is looked at.
_ALL_VALUES = ("mean", "std", "percentile")
_IN_SUMMARY = {
    "last": "last_value",
    "first": "first_value",
    "min": "min",
    "max": "max",
    "count": "count",
}
_OF_SIGNALS = ("min", "max", "mean", "std", "count", "percentile")


@dataclass(frozen=True, slots=True)
class Known:
    """A figure, or why there is none."""

    value: Scalar = None
    reason: str | None = None
    unit: str | None = None


@dataclass(slots=True)
class Figures:
    """What was read of the runs: metrics summed up, their statistics, those of their signals."""

    runs: Mapping[UUID, FoundRun]
    best: Mapping[str, Direction]
    summaries: Mapping[tuple[UUID, str], Mapping[str, Any]] | None
    statistics: Mapping[tuple[UUID, str], Mapping[str, Any]] | None
    percentiles: Sequence[float]
    signals: Mapping[tuple[UUID, str], Mapping[str, Any] | str] = field(
        default_factory=dict[tuple[UUID, str], Mapping[str, Any] | str]
    )
    away: str | None = None

    def of(self, rule: Rule, run_id: UUID) -> Known:
        """The figure that the rule speaks of."""
        if rule.of == "param":
            params = self.runs[run_id].params
            known = rule.name in params
            return Known(params.get(rule.name), None if known else f"no param {rule.name!r}")
        if rule.of != "signal":
            if self.summaries is None:
                return Known(reason=self._away("metrics"))
            if summary := self.summaries.get((run_id, rule.name)):
                return self._of_metric(rule, run_id, summary)
        if rule.of == "metric":
            return Known(reason=f"the run has no metric {rule.name!r}")
        return self._of_signal(rule, run_id)

    def _away(self, part: str) -> str:
        return f"{part} could not be read" + (f": {self.away}" if self.away else "")

    def _of_metric(self, rule: Rule, run_id: UUID, summary: Mapping[str, Any]) -> Known:
        if rule.figure in _ALL_VALUES:
            if self.statistics is None:
                return Known(reason=self._away("metrics"))
            return self._statistic(rule, self.statistics.get((run_id, rule.name)), None)
        name: str | None = _IN_SUMMARY.get(rule.figure)
        if rule.figure == "best":
            name = direction_of(rule.name, self.best)
        if name is None:
            return Known(reason="which value is best is not known: use min or max")
        value = number(summary[name])
        return Known(value, "every value is NaN" if value is None else None)

    def _of_signal(self, rule: Rule, run_id: UUID) -> Known:
        found = self.signals.get((run_id, rule.name))
        if found is None:
            kind = "signal" if rule.of == "signal" else "metric and no signal"
            return Known(reason=f"the run has no {kind} {rule.name!r}")
        if isinstance(found, str):
            return Known(reason=found)
        if rule.figure not in _OF_SIGNALS:
            return Known(reason=f"a signal has no figure {rule.figure}")
        return self._statistic(rule, found, found["unit"])

    def _statistic(self, rule: Rule, found: Mapping[str, Any] | None, unit: str | None) -> Known:
        if found is None:
            return Known(reason=f"nothing is known of {rule.name!r}")
        if found["reason"]:
            return Known(reason=found["reason"])
        if rule.figure == "count":
            return Known(float(found["count"]), unit=unit)
        if not found["finite"]:
            none = "no readings that convert" if found["count"] else "no readings"
            return Known(reason=none if unit is not None else "no value is finite", unit=unit)
        if rule.percentile is not None:
            value = found["percentiles"][self.percentiles.index(rule.percentile)]
        else:
            value = found["deviation" if rule.figure == "std" else rule.figure]
        return Known(value, None if value is not None else "it takes more values", unit)


async def read_figures(
    reading: Reading,
    runs: Sequence[FoundRun],
    rules: Sequence[Rule],
    best: Mapping[str, Direction],
    values: Literal["raw", "physical"],
) -> Figures:
    """What the rules need of the runs."""
    run_ids = [run.id for run in runs]
    percentiles = sorted({rule.percentile for rule in rules if rule.percentile is not None})
    of_metrics = [rule for rule in rules if rule.of in {"any", "metric"}]
    of_all = [rule for rule in of_metrics if rule.figure in _ALL_VALUES]
    summaries, statistics = await together(
        _metrics(reading, run_ids, of_metrics), _statistics(reading, run_ids, of_all, percentiles)
    )
    figures = Figures(
        runs={run.id: run for run in runs},
        best=best,
        summaries=summaries,
        statistics=statistics,
        percentiles=percentiles,
    )
    names = {rule.name for rule in rules if rule.of in {"any", "signal"} and "." in rule.name}
    wanted = [
        (run_id, name)
        for run_id in run_ids
        for name in sorted(names)
        if (run_id, name) not in (summaries or {})
    ]
    if wanted:
        figures.signals = await _signals(reading, wanted, percentiles, values)
    figures.away = reading.missing[0].reason if reading.missing else None
    return figures


async def _metrics(
    reading: Reading, run_ids: Sequence[UUID], rules: Sequence[Rule]
) -> dict[tuple[UUID, str], dict[str, Any]] | None:
    if not rules:
        return {}
    items = await reading.metrics(run_ids, sorted({rule.name for rule in rules}))
    return None if items is None else _by_place(items)


async def _statistics(
    reading: Reading, run_ids: Sequence[UUID], rules: Sequence[Rule], percentiles: Sequence[float]
) -> dict[tuple[UUID, str], dict[str, Any]] | None:
    if not rules:
        return {}
    names = sorted({rule.name for rule in rules})
    items = await reading.metric_statistics(run_ids, names, percentiles)
    return None if items is None else _by_place(items)


def _by_place(items: Iterable[dict[str, Any]]) -> dict[tuple[UUID, str], dict[str, Any]]:
    return {(UUID(item["run_id"]), item["key"]): item for item in items}


async def _signals(
    reading: Reading,
    wanted: Sequence[tuple[UUID, str]],
    percentiles: Sequence[float],
    values: Literal["raw", "physical"],
) -> dict[tuple[UUID, str], Mapping[str, Any] | str]:
    """The figures of each signal over all capture sessions of its run, or why there are none."""
    run_ids = list(dict.fromkeys(run_id for run_id, _ in wanted))
    sessions = await reading.captures_of_runs(run_ids)
    if sessions is None:
        return dict.fromkeys(wanted, "capture sessions could not be read")
    found: dict[tuple[UUID, str], Mapping[str, Any] | str] = {}
    items: list[dict[str, Any]] = []
    places: list[tuple[UUID, str]] = []
    for place in wanted:
        item = _signal_of(place, sessions)
        if isinstance(item, str):
            found[place] = item
        elif item:
            items.append(item)
            places.append(place)
    if items:
        answers = await reading.signal_statistics(items, percentiles, values)
        if answers is None:
            return found | dict.fromkeys(places, "readings could not be read")
        found |= dict(zip(places, answers, strict=True))
    return found


def _signal_of(
    place: tuple[UUID, str], sessions: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | str | None:
    """The signal of that name in the run's sessions; a text where several sensors have it."""
    run_id, name = place
    by_sensor: dict[tuple[str, str], list[str]] = {}
    for session in sessions:
        if session["run_id"] != str(run_id):
            continue
        for sensor in session["sensors"]:
            for signal in sensor["signals"]:
                if f"{sensor['name']}.{signal['name']}" == name:
                    key = sensor["sensor_id"], signal["name"]
                    by_sensor.setdefault(key, []).append(session["id"])
    if len(by_sensor) > 1:
        return f"several sensors of the run have a signal {name!r}"
    for (sensor_id, signal), session_ids in by_sensor.items():
        return {
            "sensor_id": sensor_id,
            "signal": signal,
            "capture_session_ids": session_ids[:100],
        }
    return None

"""Tables of metrics and files of runs: figures, the best, how far from the baseline."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from comparison_service.models.numbers import number
from comparison_service.models.runs import (
    ArtifactCell,
    ArtifactRow,
    ComparedFigure,
    Delta,
    MetricCell,
    MetricRow,
)
from comparison_service.models.selection import Direction

MAX_CELLS = 100_000
_LEAST = re.compile(r"(^|[^a-z])(loss|error|err|mae|mse|rmse|perplexity|ppl|latency)([^a-z]|$)")
_GREATEST = re.compile(
    r"(^|[^a-z])(accuracy|acc|f1|auc|auroc|precision|recall|score|map|iou|bleu|r2)([^a-z]|$)"
)


def direction_of(key: str, chosen: Mapping[str, Direction]) -> Direction | None:
    """Which value of a metric is the better one, as chosen or as its key tells."""
    if key in chosen:
        return chosen[key]
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", key).lower()
    if _LEAST.search(words):
        return "min"
    return "max" if _GREATEST.search(words) else None


def metric_rows(
    items: Iterable[Mapping[str, Any]],
    run_ids: Sequence[UUID],
    baseline: UUID | None,
    chosen: Mapping[str, Direction],
    summary: ComparedFigure,
) -> tuple[list[MetricRow], int]:
    """One row a metric, and how many rows were left out."""
    by_key: dict[str, dict[UUID, Mapping[str, Any]]] = {}
    for item in items:
        by_key.setdefault(item["key"], {})[UUID(item["run_id"])] = item
    rows = [
        _metric_row(key, found, run_ids, baseline, direction_of(key, chosen), summary)
        for key, found in by_key.items()
        if any(run_id in found for run_id in run_ids)
    ]
    rows.sort(key=lambda row: (not row.differs, row.key))
    kept = rows[: MAX_CELLS // len(run_ids)]
    return kept, len(rows) - len(kept)


def _metric_row(
    key: str,
    found: Mapping[UUID, Mapping[str, Any]],
    run_ids: Sequence[UUID],
    baseline: UUID | None,
    direction: Direction | None,
    summary: ComparedFigure,
) -> MetricRow:
    cells = [_cell(found.get(run_id), direction) for run_id in run_ids]
    figures = [figure(cell, summary) for cell in cells]
    reference = figure(_cell(found.get(baseline), direction), summary) if baseline else None
    return MetricRow(
        key=key,
        direction=direction,
        cells=cells,
        best_run_id=_best(figures, run_ids, direction),
        baseline=reference if reference is not None and math.isfinite(reference) else None,
        deltas=[_delta(value, reference) for value in figures],
        differs=len({str(value) for value in figures}) > 1,
    )


def _cell(item: Mapping[str, Any] | None, direction: Direction | None) -> MetricCell | None:
    if item is None:
        return None
    return MetricCell(
        count=item["count"],
        first=number(item["first_value"]) or 0.0,
        last=number(item["last_value"]) or 0.0,
        last_step=item["last_step"],
        min=number(item["min"]),
        min_step=item["min_step"],
        max=number(item["max"]),
        max_step=item["max_step"],
        best=number(item[direction]) if direction else None,
        best_step=item[f"{direction}_step"] if direction else None,
    )


def figure(cell: MetricCell | None, summary: ComparedFigure) -> float | None:
    """The figure of a cell that runs are compared by; the last where no value is the best one."""
    if cell is None:
        return None
    match summary:
        case "last":
            return cell.last
        case "min":
            return cell.min
        case "max":
            return cell.max
        case "best":
            return cell.last if cell.best_step is None else cell.best


def _best(
    figures: Sequence[float | None], run_ids: Sequence[UUID], direction: Direction | None
) -> UUID | None:
    known = [
        (value, place)
        for place, value in enumerate(figures)
        if value is not None and not math.isnan(value)
    ]
    if direction is None or not known:
        return None
    sign = 1 if direction == "min" else -1
    return run_ids[min(known, key=lambda one: (sign * one[0], one[1]))[1]]


def _delta(value: float | None, reference: float | None) -> Delta | None:
    if value is None or reference is None:
        return None
    absolute = value - reference
    if not math.isfinite(absolute):
        return Delta(absolute=None, relative=None)
    relative = absolute / abs(reference) if reference else None
    known = relative is not None and math.isfinite(relative)
    return Delta(absolute=absolute, relative=relative if known else None)


def artifact_rows(
    items: Iterable[Mapping[str, Any]], run_ids: Sequence[UUID]
) -> tuple[list[ArtifactRow], int]:
    """One row a path, and how many rows were left out."""
    by_path: dict[str, dict[UUID, ArtifactCell]] = {}
    for item in items:
        cell = ArtifactCell(id=UUID(item["id"]), sha256=item["sha256"], size=item["size"])
        by_path.setdefault(item["path"], {})[UUID(item["run_id"])] = cell
    rows = [
        ArtifactRow(
            path=path,
            cells=[cells.get(run_id) for run_id in run_ids],
            differs=len({one.sha256 for one in cells.values()}) > 1 or len(cells) < len(run_ids),
        )
        for path, cells in by_path.items()
    ]
    rows.sort(key=lambda row: (not row.differs, row.path))
    kept = rows[: MAX_CELLS // len(run_ids)]
    return kept, len(rows) - len(kept)

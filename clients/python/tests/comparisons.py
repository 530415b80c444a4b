"""The part of the test's server that compares runs."""

import math
from typing import Any

from files import missing


def answer(server: Any, what: str, body: Any) -> Any:
    """What comparison-service answers to one of its questions."""
    known = {"run_ids", "baseline_run_id"} | {"runs": {"best"}}.get(what, set())
    assert body.keys() <= known
    runs = [server.runs.get(run_id) or missing() for run_id in body["run_ids"]]
    return compared(server, runs, body) if what == "runs" else missing()


def compared(server: Any, runs: list[Any], body: Any) -> Any:
    baseline = body.get("baseline_run_id")
    summaries = [{each["key"]: each for each in server.summary(run["id"])} for run in runs]
    reference = server.summary(baseline) if baseline else []
    wanted = {each["key"]: each["last_value"] for each in reference}
    return {
        "runs": runs,
        "params": values([run["params"] for run in runs]),
        "tags": values([run["tags"] for run in runs]),
        "environment": [],
        "metrics": [
            metric(key, [each.get(key) for each in summaries], runs, wanted.get(key))
            for key in sorted({key for each in summaries for key in each})
        ],
        "artifacts": [],
        "baseline_run_id": baseline,
        "missing": [{"part": "artifacts", "run_id": None, "reason": "away"}],
        "omitted": {"params": 0, "tags": 3},
    }


def values(columns: list[Any]) -> list[Any]:
    keys = sorted({key for column in columns for key in column})
    rows = [
        {
            "key": key,
            "values": [column.get(key) for column in columns],
            "missing": [n for n, column in enumerate(columns) if key not in column],
            "differs": len({str(column.get(key)) for column in columns}) > 1,
        }
        for key in keys
    ]
    return sorted(rows, key=lambda row: not row["differs"])


def metric(key: str, found: list[Any], runs: list[Any], reference: float | None) -> Any:
    last = [None if each is None else each["last_value"] for each in found]
    cells = [
        None
        if each is None
        else {"last": each["last_value"], "min": each["min"], "max": each["max"], "best": None}
        for each in found
    ]
    finite = [value for value in last if value is not None and value != "NaN"]
    best = runs[last.index(min(finite))]["id"] if finite and key == "loss" else None
    return {
        "key": key,
        "direction": None,
        "cells": cells,
        "best_run_id": best,
        "baseline": reference,
        "deltas": [delta(value, reference) for value in last],
        "differs": len({str(value) for value in last}) > 1,
    }


def delta(value: Any, reference: Any) -> Any:
    if value in (None, "NaN") or reference in (None, "NaN"):
        return None
    absolute = value - reference
    relative = absolute / reference if reference and math.isfinite(absolute) else None
    return {"absolute": absolute, "relative": relative}

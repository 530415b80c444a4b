"""The part of the test's server that compares runs."""

import math
import re
from typing import Any

from files import Refusal, missing


def answer(server: Any, what: str, body: Any) -> Any:
    """What comparison-service answers to one of its questions."""
    known = {"run_ids", "baseline_run_id"} | {"evaluate": {"rules"}}.get(what, set())
    assert body.keys() <= known
    runs = [server.runs.get(run_id) or missing() for run_id in body["run_ids"]]
    match what:
        case "runs":
            return compared(server, runs, body)
        case "evaluate":
            return evaluated(server, runs, body)
    return missing()


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


def evaluated(server: Any, runs: list[Any], body: Any) -> Any:
    results = []
    for run in runs:
        for number, rule in enumerate(body["rules"]):
            text = rule if isinstance(rule, str) else f"{rule['figure']}({rule['name']})"
            found = re.fullmatch(r"(last|max)\((\w+)\) < (baseline|[\d.]+)", text)
            if found is None:
                said = [{"pointer": f"#/rules/{number}", "detail": "column 1: is no rule"}]
                raise Refusal(422, "validation", errors=said)
            known = {each["key"]: each for each in server.summary(run["id"])}.get(found[2])
            value = known and known["last_value"]
            limit = float(found[3]) if found[3] != "baseline" else 0.75
            passed = value is not None and value < limit
            results.append(
                {
                    "run_id": run["id"],
                    "rule": text,
                    "number": number,
                    "passed": passed,
                    "value": value,
                    "limit": limit,
                    "baseline": 0.75 if found[3] == "baseline" else None,
                    "baseline_run_id": body.get("baseline_run_id"),
                    "unit": None,
                    "reason": None if known else f"the run has no metric {found[2]}",
                }
            )
    passed = all(result["passed"] for result in results)
    return {"passed": passed, "results": results, "missing": server.unread}


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

"""What clients log, read column by column: a batch of 1,000 metrics costs no object each."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, cast
from uuid import UUID

import numpy as np
import orjson
from pydantic import TypeAdapter, ValidationError
from seriesstore.points import Floats, Integers, Points
from servicekit.mlflow import Id, InvalidParameter

from metrics_service.mlflow.limits import LATEST_MS, check_key, check_sizes

_ID = TypeAdapter[UUID](Id)
_INT64 = (-(2**63), 2**63 - 1)
_MICROSECONDS = 1000

type Entries = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Logged:
    """A call's metrics by key, and what of it belongs to experiment-service as it came."""

    run_id: UUID
    points: dict[str, Points]
    digest: UUID
    """The same for the same metrics: MLflow takes a repeat for the same points."""
    rest: dict[str, Any] = field(default_factory=dict[str, Any])


def to_batch(raw: bytes) -> Logged:
    """A batch, from the JSON of `runs/log-batch`.

    Raises:
        InvalidParameter: the first thing that does not fit.
    """
    body = _object(raw)
    run_id = to_run_id(body)
    metrics, params, tags = (_entries(body, name) for name in ("metrics", "params", "tags"))
    check_sizes(len(metrics), len(params), len(tags))
    rest: dict[str, Any] = {name: body[name] for name in ("params", "tags") if body.get(name)}
    if of_models := [metric for metric in metrics if metric.get("model_id")]:
        rest["metrics"] = of_models
    return Logged(run_id, *_columns(metrics, "metrics[{}]."), rest)


def to_metric(raw: bytes) -> Logged:
    """One metric, from the JSON of `runs/log-metric`.

    Raises:
        InvalidParameter: the first thing that does not fit.
    """
    body = _object(raw)
    run_id = to_run_id(body)
    rest: dict[str, Any] = {}
    if body.get("model_id"):
        names = ("key", "value", "timestamp", "step", "model_id", "dataset_name", "dataset_digest")
        rest["metrics"] = [{name: body[name] for name in names if body.get(name) is not None}]
    return Logged(run_id, *_columns([body], ""), rest)


def to_run_id(body: dict[str, Any]) -> UUID:
    """The run, which clients before MLflow 1 call `run_uuid`.

    Raises:
        InvalidParameter: there is none.
    """
    given = body.get("run_id") or body.get("run_uuid")
    if not given:
        msg = "Missing value for required parameter 'run_id'."
        raise InvalidParameter(msg)
    try:
        return _ID.validate_python(given)
    except ValidationError as exc:
        msg = f"Invalid value {str(given)[:300]!r} for parameter 'run_id' supplied."
        raise InvalidParameter(msg) from exc


def _columns(metrics: Entries, where: str) -> tuple[dict[str, Points], UUID]:
    keys = _keys(metrics, f"{where}key")
    values = _values(_column(metrics, "value"), f"{where}value")
    timestamps = _integers(_column(metrics, "timestamp"), f"{where}timestamp", (0, LATEST_MS))
    steps = _column(metrics, "step")
    if set(map(type, steps)) != {int}:
        steps = [0 if step is None or step == "" else step for step in steps]
    x = _integers(steps, f"{where}step", _INT64)
    parts = (orjson.dumps(keys), values.tobytes(), timestamps.tobytes(), x.tobytes())
    digest = UUID(bytes=hashlib.sha256(b"".join(parts)).digest()[:16])
    return _by_key(keys, Points(x, values, timestamps * _MICROSECONDS)), digest


def _column(metrics: Entries, name: str) -> list[object]:
    """One field of all metrics; None where it is left out."""
    try:
        return list(map(itemgetter(name), metrics))
    except KeyError:
        return [metric.get(name) for metric in metrics]


def _keys(metrics: Entries, where: str) -> list[str]:
    keys = _column(metrics, "key")
    if set(map(type, keys)) <= {str}:
        texts = cast("list[str]", keys)
        for key in dict.fromkeys(texts):
            check_key(key, where.format(texts.index(key)))
        return texts
    return [check_key(key, where.format(place)) for place, key in enumerate(keys)]


def _by_key(keys: Sequence[str], points: Points) -> dict[str, Points]:
    """The points of each key, in the order they came."""
    number_of = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    if len(number_of) < 2:  # noqa: PLR2004 - nothing to part
        return dict.fromkeys(number_of, points)
    numbers = np.array([number_of[key] for key in keys])
    together = points.take(np.argsort(numbers, kind="stable"))
    ends = np.cumsum(np.bincount(numbers)).tolist()
    starts = [0, *ends]
    return {
        key: together.take(slice(start, end))
        for key, start, end in zip(number_of, starts, ends, strict=False)
    }


def _values(given: list[object], where: str) -> Floats:
    if set(map(type, given)) <= {int, float}:
        try:
            return np.array(given, np.float64)
        except OverflowError:
            pass
    return np.array(_each(given, where, _to_float, "a 64-bit float"), np.float64)


def _integers(given: list[object], where: str, within: tuple[int, int]) -> Integers:
    low, high = within

    def convert(value: object) -> int:
        number = _to_int(value)
        if not low <= number <= high:
            raise ValueError
        return number

    if set(map(type, given)) <= {int}:
        try:
            column = np.array(given, np.int64)
        except OverflowError:
            pass
        else:
            if not len(column) or (column.min() >= low and column.max() <= high):
                return column
    said = f"an integer from {low} to {high}"
    return np.array(_each(given, where, convert, said), np.int64)


def _each[T](
    given: Sequence[object], where: str, convert: Callable[[object], T], said: str
) -> list[T]:
    """All of them converted, or an error that names the first that cannot be."""
    found: list[T] = []
    for place, value in enumerate(given):
        try:
            found.append(convert(value))
        except (ValueError, TypeError, OverflowError) as exc:
            name = where.format(place)
            if value is None or value == "":
                msg = f"Missing value for required parameter '{name}'."
            else:
                msg = f"Invalid value {repr(value)[:300]} for parameter '{name}': not {said}."
            raise InvalidParameter(msg) from exc
    return found


def _to_float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    return float(value)


def _to_int(value: object) -> int:
    """An integer as protobuf's JSON has it: a number, or a text of one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    number = int(value)
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    return number


def _object(raw: bytes) -> dict[str, Any]:
    try:
        given: object = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError as exc:
        msg = f"The body is not JSON: {exc}."
        raise InvalidParameter(msg) from exc
    if not isinstance(given, dict):
        msg = "The body must be a JSON object."
        raise InvalidParameter(msg)
    return cast("dict[str, Any]", given)


def _entries(body: dict[str, Any], name: str) -> Entries:
    given: object = body.get(name) or []
    if not isinstance(given, list):
        raise _no_list(name)
    entries = cast("list[object]", given)
    if set(map(type, entries)) - {dict}:
        raise _no_list(name)
    return cast("Entries", entries)


def _no_list(name: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid value for parameter '{name}': must be a list of objects.")

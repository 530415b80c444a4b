"""What clients log, read column by column: a batch of 1,000 metrics costs no object each."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, cast
from uuid import UUID

import numpy as np
import orjson
from pydantic import PlainValidator, TypeAdapter, ValidationError
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


def to_batch(given: object) -> Logged:
    """A batch, from the JSON of `runs/log-batch`.

    Raises:
        InvalidParameter: the first thing that does not fit.
    """
    body = _object(given, "request")
    run_id = to_run_id(body)
    metrics, params, tags = (_entries(body, name) for name in ("metrics", "params", "tags"))
    check_sizes(len(metrics), len(params), len(tags))
    rest: dict[str, Any] = {name: body[name] for name in ("params", "tags") if body.get(name)}
    if of_models := [metric for metric in metrics if metric.get("model_id")]:
        rest["metrics"] = of_models
    return Logged(run_id, *_columns(metrics, "metrics[{}]."), rest)


def to_metric(given: object) -> Logged:
    """One metric, from the JSON of `runs/log-metric`.

    Raises:
        InvalidParameter: the first thing that does not fit.
    """
    body = _object(given, "request")
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


type LoggedBatch = Annotated[
    Logged, PlainValidator(to_batch, json_schema_input_type=dict[str, Any])
]
type LoggedMetric = Annotated[
    Logged, PlainValidator(to_metric, json_schema_input_type=dict[str, Any])
]


def _columns(metrics: Entries, where: str) -> tuple[dict[str, Points], UUID]:
    keys = [metric.get("key") for metric in metrics]
    for key in dict.fromkeys(keys):
        check_key(key, f"{where.format(keys.index(key))}key")
    values = _values([metric.get("value") for metric in metrics], f"{where}value")
    timestamps = _integers(
        [metric.get("timestamp") for metric in metrics], f"{where}timestamp", (0, LATEST_MS)
    )
    steps = _integers([metric.get("step") or 0 for metric in metrics], f"{where}step", _INT64)
    names = cast("list[str]", keys)
    parts = (orjson.dumps(names), values.tobytes(), timestamps.tobytes(), steps.tobytes())
    digest = UUID(bytes=hashlib.sha256(b"".join(parts)).digest()[:16])
    return _by_key(names, Points(steps, values, timestamps * _MICROSECONDS)), digest


def _by_key(keys: Sequence[str], points: Points) -> dict[str, Points]:
    """The points of each key, in the order they came."""
    places: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    if len(places) == 1:
        return dict.fromkeys(places, points)
    return {key: points.take(np.array(where)) for key, where in places.items()}


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
            if value in {None, ""}:
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


def _object(given: object, where: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        msg = f"Invalid value for parameter '{where}': must be a JSON object."
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

"""What may be recorded, and the form it takes: metric numbers, params, tags.

numpy, torch, jax and their kin are recognised by what they can do, never by importing them.
"""

import json
import math
import operator
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias, cast

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_PLAIN = {"str": "text", "NoneType": "None", "bytes": "bytes"}

MAX_KEY_LENGTH = 250
MAX_PARAM_LENGTH = 8000
MAX_LABEL_LENGTH = 500
INT64 = 2**63

Scalar: TypeAlias = str | int | float | bool | None


class NotRecordable(TypeError):
    """A value of this kind cannot be recorded here; the message says what to give instead.

    about is the metric, or what else of the call is meant.
    """

    def __init__(self, message: str, about: str) -> None:
        super().__init__(message)
        self.about = about


def metric_value(key: str, value: object) -> float:
    """The float64 to store for one metric value.

    Takes ints, floats (NaN and infinities too), booleans, and anything with one element that
    knows `item()` or `__float__` (numpy, torch, jax, Decimal). Raises NotRecordable otherwise.
    """
    kind = type(value).__name__
    if value is None or isinstance(value, (str, bytes, list, tuple, set, frozenset)):
        raise NotRecordable(
            f"{key!r} is {_PLAIN.get(kind, 'a ' + kind)}; a metric is one number. "
            "Words belong into tags or config; log a list as one key per element.",
            key,
        )
    size = _size(value)
    if size is not None and size != 1:
        raise NotRecordable(
            f"{key!r} is a {kind} with {size} elements; a metric is one number. "
            "Log a summary such as .mean(), or one key per element.",
            key,
        )
    try:
        item = getattr(value, "item", None)
        return float(cast("Any", item() if callable(item) else value))
    except OverflowError:
        raise NotRecordable(f"{key!r} is too large for a float64", key) from None
    except (TypeError, ValueError):
        raise NotRecordable(f"{key!r} is a {kind}; a metric is one number", key) from None


def _size(value: object) -> int | None:
    """How many elements an array holds; None for what is no array."""
    for name in ("numel", "size"):
        known = getattr(value, name, None)
        try:
            count = known() if callable(known) else known
        except (TypeError, ValueError, RuntimeError):
            continue
        if isinstance(count, int):
            return count
    return None


def step_value(step: object) -> int:
    """The int64 step for what was given: an int, a whole float, or an integer scalar of an array
    library. Raises NotRecordable otherwise.
    """
    item = getattr(step, "item", None)
    value = item() if callable(item) else step
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        whole = operator.index(cast("Any", value))
    except TypeError:
        raise NotRecordable(
            f"step is {step!r}; a step is a whole number. Log an epoch fraction as a metric.",
            "step",
        ) from None
    if not -INT64 <= whole < INT64:
        raise NotRecordable(f"step {whole} does not fit into 64 bits", "step")
    return whole


def metric_key(key: object) -> str:
    """The text of a metric key: trimmed, NFC, 1 to 250 characters without control characters.
    Raises NotRecordable otherwise.
    """
    text = unicodedata.normalize("NFC", str(key)).strip()
    if not text:
        raise NotRecordable("a metric needs a name", "name")
    if len(text) > MAX_KEY_LENGTH:
        raise NotRecordable(
            f"the metric name {text[:40]!r}… has {len(text)} characters; "
            f"{MAX_KEY_LENGTH} are allowed",
            "name",
        )
    if _UNPRINTABLE.search(text):
        raise NotRecordable(f"the metric name {text!r} holds a control character", "name")
    return text


def flatten(values: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings, their keys joined by `/`."""
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from flatten(cast("Mapping[Any, Any]", value), f"{name}/")
        else:
            yield name, value


def as_mapping(config: object) -> Mapping[Any, Any]:
    """A config as a mapping: a dict, an argparse namespace, a dataclass or any object with
    attributes. Raises NotRecordable otherwise.
    """
    if isinstance(config, Mapping):
        return cast("Mapping[Any, Any]", config)
    fields = getattr(config, "__dataclass_fields__", None)
    if isinstance(fields, dict):
        return {name: getattr(config, name) for name in cast("dict[str, object]", fields)}
    try:
        return vars(config)
    except TypeError:
        raise NotRecordable(
            f"config is a {type(config).__name__}; give a dict, a namespace or a dataclass",
            "config",
        ) from None


def param_value(value: object) -> Scalar:
    """A param as a JSON scalar: numbers, booleans, text and None stay what they are, scalars of
    array libraries become numbers, lists become their JSON, anything else its `str()`.
    """
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, (int, float, str)):
        value = _unwrapped(value)
    if isinstance(value, int):
        return value if isinstance(value, bool) or -INT64 <= value < INT64 else str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(float(value))
    if isinstance(value, (list, tuple)):
        value = json.dumps(cast("list[object]", value), default=str, ensure_ascii=False)
    return _clip(str(value))


def _unwrapped(value: object) -> object:
    item = getattr(value, "item", None)
    if callable(item) and _size(value) == 1:
        try:
            return item()
        except (TypeError, ValueError, RuntimeError):
            return value
    to_list = getattr(value, "tolist", None)
    return to_list() if callable(to_list) else value


def _clip(text: str) -> str:
    clean = storable(text)
    return clean if len(clean) <= MAX_PARAM_LENGTH else clean[: MAX_PARAM_LENGTH - 1] + "…"


def storable(text: str) -> str:
    """Text without what no server takes: NUL and half surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def label(text: object, most: int = MAX_LABEL_LENGTH) -> str:
    """One line: trimmed, control characters become blanks, at most so many characters."""
    line = _UNPRINTABLE.sub(" ", unicodedata.normalize("NFC", str(text))).strip()
    return line if len(line) <= most else line[: most - 1] + "…"


def params(config: object) -> dict[str, Scalar]:
    """A config as flat params, nested keys joined by `/`."""
    return {
        label(key, MAX_KEY_LENGTH): param_value(value)
        for key, value in flatten(as_mapping(config))
        if str(key).strip()
    }


def tags(given: Mapping[str, object] | Iterable[str]) -> dict[str, str | None]:
    """Tags as key and value: a list of words becomes keys with an empty value, None removes."""
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Mapping):
        items = cast("Mapping[str, object]", given).items()
    else:
        items = [(word, "") for word in given]
    return {
        label(key, MAX_KEY_LENGTH): None if value is None else label(value)
        for key, value in items
        if str(key).strip()
    }


def wire_float(value: float) -> float | str:
    """A metric value as JSON has it: NaN and the infinities as text."""
    if value - value == 0.0:
        return value
    if value != value:  # noqa: PLR0124 - the one test for NaN that needs no import
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def json_object(value: object) -> dict[str, Any]:
    """A JSON object as it is; {} for anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}

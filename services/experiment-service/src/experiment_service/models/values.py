"""The small values that experiments and runs are made of: tags, params, free JSON."""

import math
from collections.abc import Mapping
from typing import Annotated

import orjson
from pydantic import AfterValidator, Field, JsonValue, PlainValidator, WithJsonSchema
from servicekit.fields import Key, Label

MAX_TAGS = 200
MAX_PARAMS = 10_000
MAX_PARAM_TEXT = 10_000
MAX_PARAMS_BYTES = 1 << 20
MAX_JSON_BYTES = 64 << 10

_INTEGERS = range(-(2**63), 2**63)


def _param(value: object) -> object:
    match value:
        case bool() | None:
            return value
        case int() if value not in _INTEGERS:
            msg = "a whole number must fit into 64 bits; send it as text otherwise"
            raise ValueError(msg)
        case float() if not math.isfinite(value):
            msg = "a number must be finite; send it as text otherwise"
            raise ValueError(msg)
        case str() if len(value) > MAX_PARAM_TEXT:
            msg = f"a text may have at most {MAX_PARAM_TEXT} characters"
            raise ValueError(msg)
        case int() | float() | str():
            return value
        case _:
            msg = "a param is a text, a number, true, false or null"
            raise ValueError(msg)


def json_size(value: Mapping[str, object]) -> int:
    """How many bytes of JSON the value makes."""
    return len(orjson.dumps(value))


def is_storable(value: dict[str, JsonValue]) -> bool:
    """Whether free JSON has at most 64 KiB and no whole number beyond 64 bits."""
    try:
        return len(orjson.dumps(value)) <= MAX_JSON_BYTES
    except TypeError:
        return False


def _storable(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if not is_storable(value):
        msg = "may hold at most 64 KiB of JSON, and no whole number beyond 64 bits"
        raise ValueError(msg)
    return value


type ParamValue = Annotated[
    str | int | float | bool | None,
    PlainValidator(_param),
    WithJsonSchema({"type": ["string", "number", "boolean", "null"]}),
]
"""A JSON scalar: text to 10,000 characters, a finite number, a boolean, or null."""

type Params = Annotated[dict[Key, ParamValue], Field(max_length=MAX_PARAMS)]
"""Params by key."""

type Tags = Annotated[dict[Key, Label], Field(max_length=MAX_TAGS)]
"""Tags by key."""

type TagChanges = Annotated[dict[Key, Label | None], Field(max_length=2 * MAX_TAGS)]
"""Tags to set; null removes one."""

type JsonObject = Annotated[dict[str, JsonValue], AfterValidator(_storable)]
"""Free JSON, at most 64 KiB."""


def same_param(one: object, other: object) -> bool:
    """Whether two params are the same JSON value: 1 and 1.0 are, 1, true and "1" are not."""
    kinds = {type(one), type(other)}
    return one == other and (len(kinds) == 1 or kinds == {int, float})


def merge_patch(target: JsonValue, patch: JsonValue) -> JsonValue:
    """JSON merge patch (RFC 7396, section 2): null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def merge_tags(tags: Mapping[str, str], changes: Mapping[str, str | None] | None) -> dict[str, str]:
    """The tags after a merge patch: null removes one, or all of them."""
    if changes is None:
        return {}
    merged: dict[str, str | None] = {**tags, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def name_key(name: str) -> str:
    """The name as it is compared and sorted: without regard to case."""
    return name.casefold()

"""The records of a spool.

A record's first byte says what it is: METRICS is followed by the very body that is posted (with its
batch id), READINGS likewise (packed, with its producer and sequence), ACTION by a JSON object with
`do`: params, tags, notes, input or finish.
"""

import json
import uuid
from typing import Any, TypeAlias, cast

from runbench.values import wire_float

METRICS = b"M"
ACTION = b"A"
READINGS = b"R"

Series: TypeAlias = dict[str, tuple[list[int], list[float], list[int]]]


def metrics_record(series: Series) -> bytes:
    """The record of one batch: for each key its steps, values and times (µs since 1970)."""
    return METRICS + dump({"batch_id": str(uuid.uuid4()), "series": series_columns(series)})


def series_columns(series: Series) -> list[dict[str, Any]]:
    """The columns of a batch as they are posted."""
    return [
        {"key": key, "step": steps, "value": [wire_float(value) for value in values], "time": times}
        for key, (steps, values, times) in series.items()
    ]


def action_record(do: str, **content: object) -> bytes:
    """The record of anything but metrics."""
    return ACTION + dump({"do": do, **content})


def is_end(payload: bytes) -> bool:
    """Whether this is the record of a run's end."""
    return payload[:1] == ACTION and describe(payload)["do"] == "finish"


def describe(payload: bytes) -> dict[str, Any]:
    """A record as readable JSON."""
    return cast("dict[str, Any]", json.loads(payload[1:]))


def dump(content: object) -> bytes:
    """Compact JSON."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()

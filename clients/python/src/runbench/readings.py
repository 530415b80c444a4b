"""A sensor's readings: the forms in which they may be given, and the records they become.

Times are µs since 1970 UTC. numpy, pandas and their kin are recognised by what they can do, never
by importing them.
"""

import math
import struct
import sys
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, cast

from runbench.recorder import Content
from runbench.records import READINGS
from runbench.values import NotRecordable, metric_value

MEDIA_TYPE = "application/x-runbench-readings"
MAGIC = b"RBR1"
BATCH_READINGS = 10_000
FIRST_TIME = 631_152_000_000_000
AHEAD_MICROS = 24 * 3600 * 1_000_000
MAX_SIGNAL_LENGTH = 100

_HEAD = struct.Struct("<4sIQHH")
_SERIES = struct.Struct("<HHI")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NUMBERS = "iufb"

Times: TypeAlias = "array[int]"
Values: TypeAlias = "array[float]"


def micros(moment: object) -> int:
    """A time as µs since 1970: None is now, a float is seconds as `time.time()` gives them, an int
    is µs, a datetime bears its zone. Raises NotRecordable.
    """
    if moment is None:
        return time.time_ns() // 1000
    kind = type(moment)
    if kind is float:
        return _from_seconds(cast("float", moment))
    if kind is int:
        return cast("int", moment)
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise NotRecordable("a time without a zone means nothing to others; give UTC", "time")
        return (moment - _EPOCH) // _MICROSECOND
    if hasattr(moment, "dtype") and hasattr(moment, "reshape"):
        return time_column(cast("Any", moment).reshape(1))[0]
    if kind is bool or not isinstance(moment, (int, float)):
        raise NotRecordable(
            f"{kind.__name__!r} is no time; give seconds (float), µs (int) or a datetime", "time"
        )
    return _from_seconds(float(moment)) if isinstance(moment, float) else int(moment)


def _from_seconds(seconds: float) -> int:
    if not abs(seconds) < 1e12:
        raise NotRecordable(
            f"{seconds!r} are no seconds since 1970; µs are given as an int", "time"
        )
    return round(seconds * 1e6)


def time_column(moments: Any) -> Times:
    """Many times as `micros` takes them; numpy arrays of float64, int64 or datetime64 as they are.
    Raises NotRecordable.
    """
    moments = _bare(moments)
    kind = _kind(moments)
    if kind is not None:
        return _copied_times(moments, kind)
    return array("q", map(micros, moments))


def _copied_times(moments: Any, kind: str) -> Times:
    made = array("q")
    if kind == "M":
        moments = moments.astype("datetime64[us]")
    elif kind == "f":
        moments = (moments.astype("float64") * 1e6).round()
        if not bool((abs(moments) < 1e18).all()):
            raise NotRecordable("there are times that are no seconds since 1970", "time")
    elif kind not in "iu":
        raise NotRecordable(f"an array of {moments.dtype} holds no times", "time")
    made.frombytes(moments.astype("int64").tobytes())
    return made


def value_column(signal: str, values: Any) -> Values:
    """Many values as float64; NaN marks a gap. Raises NotRecordable."""
    values = _bare(values)
    kind = _kind(values)
    if kind is not None and kind in _NUMBERS:
        made = array("d")
        made.frombytes(values.astype("float64").tobytes())
        return made
    return array("d", [_value(signal, value) for value in values])


def _value(signal: str, value: object) -> float:
    if value is None:
        return math.nan
    return value if type(value) is float else metric_value(signal, value)


def _bare(column: Any) -> Any:
    """The numpy array within a column of pandas or polars, else what was given."""
    if hasattr(column, "to_numpy"):
        return column.to_numpy()
    return column if _kind(column) else list(column)


def _kind(column: Any) -> str | None:
    kind = getattr(getattr(column, "dtype", None), "kind", None)
    if kind is None or not hasattr(column, "tobytes"):
        return None
    if len(column.shape) != 1:
        raise NotRecordable(f"a column is one-dimensional, not {column.shape}", "shape")
    return str(kind)


def checked(
    signal: str, times: Times, values: Values, refuse: Callable[[int, str], None]
) -> tuple[Times, Values]:
    """The readings that can be stored; refuse is told how many cannot, and why."""
    if len(times) != len(values):
        raise NotRecordable(
            f"{signal!r}: {len(times)} times and {len(values)} values; one value a time", "length"
        )
    if not times:
        return times, values
    last = time.time_ns() // 1000 + AHEAD_MICROS
    bad_times = min(times) < FIRST_TIME or max(times) > last
    if not bad_times and math.inf not in values and -math.inf not in values:
        return times, values
    sound = (array("q"), array("d"))
    odd = infinite = 0
    for moment, value in zip(times, values, strict=True):
        if not FIRST_TIME <= moment <= last:
            odd += 1
        elif math.isinf(value):
            infinite += 1
        else:
            sound[0].append(moment)
            sound[1].append(value)
    if odd:
        refuse(
            odd,
            f"{signal!r} has times before 1990 or more than a day ahead (times are seconds as a "
            "float or µs as an int)",
        )
    if infinite:
        refuse(infinite, f"{signal!r} has infinite values (NaN marks a gap)")
    return sound


class Packer:
    """Puts readings into batches, numbered for one producer."""

    def __init__(self, producer: str) -> None:
        self.producer = producer
        self._sequence = 0

    def __call__(self, contents: Iterable[Content | bytes]) -> Iterator[tuple[bytes, int]]:
        """Readings as records, each with how many it holds."""
        series: dict[str, tuple[Times, Values]] = {}
        held = 0
        for content in contents:
            signal, times, values = cast("tuple[str, Times, Values]", content)
            at = 0
            while at < len(times):
                end = min(len(times), at + BATCH_READINGS - held)
                column = series.get(signal)
                if column is None:
                    series[signal] = (times[at:end], values[at:end])
                else:
                    column[0].extend(times[at:end])
                    column[1].extend(values[at:end])
                held += end - at
                at = end
                if held >= BATCH_READINGS:
                    yield self._record(series), held
                    series, held = {}, 0
        if held:
            yield self._record(series), held

    def _record(self, series: dict[str, tuple[Times, Values]]) -> bytes:
        self._sequence += 1
        return READINGS + packed(self.producer, self._sequence, series)


def packed(producer: str, sequence: int, series: Mapping[str, tuple[Times, Values]]) -> bytes:
    """A request of MEDIA_TYPE, as the API documentation lays it out; all little-endian."""
    name = producer.encode()
    parts = [_HEAD.pack(MAGIC, len(series), sequence, len(name), 0), name]
    for signal, (times, values) in series.items():
        named = signal.encode()
        parts += [_SERIES.pack(len(named), 0, len(times)), named]
        parts += [_little_endian(times), _little_endian(values)]
    return b"".join(parts)


def unpacked(body: bytes) -> dict[str, tuple[Times, Values]]:
    """The readings of what `packed` made, by signal."""
    _, count, _, at, _ = _HEAD.unpack_from(body)
    at += _HEAD.size
    found: dict[str, tuple[Times, Values]] = {}
    for _ in range(count):
        length, _, readings = _SERIES.unpack_from(body, at)
        at += _SERIES.size
        signal = body[at : at + length].decode()
        at += length
        times, values = array("q"), array("d")
        for column in (times, values):
            column.frombytes(body[at : at + 8 * readings])
            at += 8 * readings
            if sys.byteorder == "big":
                column.byteswap()
        found[signal] = (times, values)
    return found


def _little_endian(column: "array[Any]") -> bytes:
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()

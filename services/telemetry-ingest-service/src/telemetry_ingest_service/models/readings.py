"""What sensors send: readings in columns or rows, each mistake named by its place.

A request is read at once into arrays. What its form gets wrong refuses the whole of it; a
reading that cannot be one is left out by its place, and the rest is taken.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import time
from typing import Annotated, Any, cast
from uuid import UUID, uuid5

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import Field
from seriesstore.points import Floats, Integers
from servicekit.bodies import escape_pointer
from servicekit.fields import Answer, Body, NotFinite
from servicekit.problems import Invalid, Malformed

MAX_READINGS_OF_SIGNAL = 10_000
MAX_READINGS = 50_000
MAX_SIGNALS = 1_000
MAX_NAMED = 100
EARLIEST_US = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
CLOCK_AHEAD = timedelta(hours=24)

_BATCHES = UUID("6e6f8b0a-7b0a-5c55-9d0c-1f6a9f5a2f10")
_NAN = float("nan")
_NOT_FINITE = {"NaN": _NAN, "Infinity": float("inf"), "-Infinity": float("-inf")}
_TOP = frozenset({"batch_id", "producer", "sequence", "series", "readings"})

TOO_EARLY = "before 1990; times are microseconds since 1970"
TOO_LATE = "more than a day ahead of the server's clock"
NOT_FINITE = "infinite"
NOT_A_TIME = "not a time: microseconds since 1970, or RFC 3339"
NOT_A_NUMBER = "not a number"
UNKNOWN_SIGNAL = "the sensor has no such signal"


class SignalReadings(Body):
    """Readings of one signal, as columns: item i of each belongs to reading i."""

    signal: Annotated[str, Field(min_length=1, max_length=200)]
    t: Annotated[
        list[int | str],
        Field(max_length=MAX_READINGS_OF_SIGNAL, description="µs since 1970, or RFC 3339."),
    ]
    v: Annotated[
        list[float | NotFinite | None],
        Field(max_length=MAX_READINGS_OF_SIGNAL, description="Raw values; null is a gap."),
    ]


class Reading(Body):
    """One reading."""

    signal: Annotated[str, Field(min_length=1, max_length=200)]
    t: int | str = Field(description="µs since 1970, or RFC 3339.")
    v: float | NotFinite | None = Field(description="The raw value; null is a gap.")


class NewReadings(Body):
    """Readings of one sensor, as `series` of columns or as `readings`, one a row.

    `batch_id`, or `producer` and `sequence`, make a repeat of the same request harmless.
    """

    batch_id: UUID | None = None
    producer: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    sequence: Annotated[int | None, Field(ge=0, lt=2**63)] = None
    series: list[SignalReadings] | None = Field(default=None, max_length=MAX_SIGNALS)
    readings: list[Reading] | None = Field(default=None, max_length=MAX_READINGS)


class Rejected(Answer):
    """A reading that was not taken; without an index, all of its signal."""

    signal: str
    index: int | None = Field(description="Among those of its signal, or among the rows.")
    reason: str


class Accepted(Answer):
    """What became of the readings."""

    accepted: int = Field(
        description="Readings that are stored, or will be: nothing that ends now loses them."
    )
    duplicate: bool = Field(
        description="They were stored by an earlier request; false where that is not known yet."
    )
    set_aside: bool = Field(
        default=False,
        description="They cannot be stored, and are kept aside where members of the project see"
        " them; sending them again changes nothing.",
    )
    rejected: list[Rejected] = Field(description="The first 100 of those that were not taken.")
    rejected_count: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Readings of a signal that cannot be taken for one reason, by their places."""

    signal: str
    reason: str
    places: Integers
    example: str


@dataclass(slots=True)
class Sent:
    """A request as columns by signal, and what of it cannot be taken."""

    id: UUID | None = None
    t: dict[str, Integers] = field(default_factory=dict[str, Integers])
    v: dict[str, Floats] = field(default_factory=dict[str, Floats])
    refused: list[Refusal] = field(default_factory=list[Refusal])
    sequence: int | None = None

    @property
    def count(self) -> int:
        """How many readings can be taken."""
        return sum(map(len, self.t.values()))

    @property
    def refused_count(self) -> int:
        """How many cannot."""
        return sum(len(refusal.places) for refusal in self.refused)

    def add(self, signal: str, t: Integers, v: Floats, places: Integers | None = None) -> None:
        """Take the readings that can be one; `places` are those among the rows of a request."""
        latest = _latest_us()
        # Nearly always all of them can, which is found out without a mask for each reason.
        if len(t) and (t.min() < EARLIEST_US or t.max() > latest or np.isinf(v).any()):
            t, v = self._sort_out(signal, t, v, places, latest)
        if signal in self.t:
            t = np.concatenate([self.t[signal], t])
            v = np.concatenate([self.v[signal], v])
        self.t[signal], self.v[signal] = t, v

    def _sort_out(
        self, signal: str, t: Integers, v: Floats, places: Integers | None, latest: int
    ) -> tuple[Integers, Floats]:
        where = np.arange(len(t)) if places is None else places
        wrong = {
            TOO_EARLY: t < EARLIEST_US,
            TOO_LATE: t > latest,
            NOT_FINITE: np.isinf(v),
        }
        keep = np.ones(len(t), np.bool_)
        for reason, mask in wrong.items():
            new = np.flatnonzero(mask & keep)
            if len(new):
                keep[new] = False
                example = f"t={t[new[0]]}, v={v[new[0]]}"
                self.refused.append(Refusal(signal, reason, where[new], example))
        return t[keep], v[keep]

    def refuse_signals(self, known: frozenset[str]) -> None:
        """Leave out the signals that the sensor does not have."""
        for signal in self.t.keys() - known:
            places = np.arange(len(self.t.pop(signal)))
            del self.v[signal]
            self.refused.append(Refusal(signal, UNKNOWN_SIGNAL, places, signal))


def read_json(raw: bytes) -> Sent:
    """A request in JSON.

    Raises:
        Malformed: it is not JSON.
        Invalid: its form is not that of `NewReadings`.
    """
    try:
        body: object = orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        msg = f"The body is not JSON: {exc}."
        raise Malformed(msg) from exc
    if not isinstance(body, dict):
        raise _invalid("#", "must be an object")
    given = cast("dict[str, Any]", body)
    if unknown := given.keys() - _TOP:
        raise Invalid(
            errors=[
                {"pointer": f"#/{escape_pointer(name)}", "detail": "is no field of readings"}
                for name in sorted(unknown)
            ]
        )
    sent = Sent(batch_name(given.get("batch_id"), given.get("producer"), given.get("sequence")))
    sent.sequence = given.get("sequence")
    series, readings = given.get("series"), given.get("readings")
    if (series is None) == (readings is None):
        raise _invalid("#", "must have either series or readings")
    if series is not None:
        _read_columns(sent, _list(series, "#/series", MAX_SIGNALS))
    else:
        _read_rows(sent, _list(readings, "#/readings", MAX_READINGS))
    return sent


def batch_name(batch_id: object, producer: object, sequence: object) -> UUID | None:
    """What makes a request the same as an earlier one of its sensor.

    Raises:
        Invalid: none of the forms it may have.
    """
    if batch_id is not None:
        if producer is not None or sequence is not None:
            raise _invalid("#/batch_id", "goes without producer and sequence")
        try:
            return UUID(cast("str", batch_id))
        except (ValueError, AttributeError, TypeError) as exc:
            raise _invalid("#/batch_id", "must be a UUID") from exc
    if producer is None and sequence is None:
        return None
    if not isinstance(producer, str) or not 0 < len(producer) <= 200:  # noqa: PLR2004
        raise _invalid("#/producer", "must be a text of 1 to 200 characters beside sequence")
    if type(sequence) is not int or not 0 <= sequence < 2**63:
        raise _invalid("#/sequence", "must be an integer from 0 to 2^63 - 1 beside producer")
    return uuid5(_BATCHES, f"{sequence} {producer}")


def _read_columns(sent: Sent, series: list[Any]) -> None:
    total = 0
    for number, part in enumerate(series):
        pointer = f"#/series/{number}"
        if not isinstance(part, dict):
            raise _invalid(pointer, "must be an object")
        columns = cast("dict[str, Any]", part)
        if columns.keys() != {"signal", "t", "v"}:
            raise _invalid(pointer, "must have signal, t and v, and nothing else")
        signal = _signal(columns["signal"], f"{pointer}/signal")
        t = _list(columns["t"], f"{pointer}/t", MAX_READINGS_OF_SIGNAL)
        v = _list(columns["v"], f"{pointer}/v", MAX_READINGS_OF_SIGNAL)
        if len(t) != len(v):
            raise _invalid(pointer, f"the columns must be of equal length: {len(t)} and {len(v)}")
        total += len(t)
        if total > MAX_READINGS:
            raise _invalid("#/series", f"a request takes at most {MAX_READINGS} readings")
        _take(sent, signal, t, v)


def _read_rows(sent: Sent, rows: list[Any]) -> None:
    places: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, dict) or row.keys() != {"signal", "t", "v"}:
            raise _invalid(f"#/readings/{number}", "must have signal, t and v, and nothing else")
        reading = cast("dict[str, Any]", row)
        signal = reading["signal"]
        if not isinstance(signal, str) or signal not in places:
            places[_signal(signal, f"#/readings/{number}/signal")] = []
        places[signal].append(number)
    for signal, numbers in places.items():
        if len(numbers) > MAX_READINGS_OF_SIGNAL:
            detail = f"at most {MAX_READINGS_OF_SIGNAL} readings of {signal!r} at once"
            raise _invalid("#/readings", detail)
        _take(
            sent,
            signal,
            [rows[number]["t"] for number in numbers],
            [rows[number]["v"] for number in numbers],
            np.array(numbers),
        )


def _take(
    sent: Sent, signal: str, t: list[Any], v: list[Any], places: Integers | None = None
) -> None:
    times, no_times = _column(t, np.int64, frozenset({int}), to_time)
    values, no_values = _column(v, np.float64, frozenset({int, float, type(None)}), _to_value)
    if not no_times and not no_values:
        sent.add(signal, times, values, places)
        return
    where = np.arange(len(t)) if places is None else places
    keep = np.ones(len(t), np.bool_)
    for wrong, reason, column in ((no_times, NOT_A_TIME, t), (no_values, NOT_A_NUMBER, v)):
        new = [place for place in wrong if keep[place]]
        if new:
            keep[new] = False
            example = str(column[new[0]])[:100]
            sent.refused.append(Refusal(signal, reason, where[new], example))
    sent.add(signal, times[keep], values[keep], where[keep])


def _column[N: np.generic](
    items: list[Any],
    kind: type[N],
    plain: frozenset[type],
    convert: Callable[[object], Any],
) -> tuple[NDArray[N], list[int]]:
    """The items as an array, and the places of those that are none (0 stands there)."""
    if set(map(type, items)) <= plain:
        try:
            return np.array(items, kind), []
        except OverflowError:
            pass
    found: list[Any] = []
    wrong: list[int] = []
    for place, item in enumerate(items):
        try:
            found.append(kind(convert(item)))
        except (ValueError, TypeError, OverflowError):
            found.append(kind(0))
            wrong.append(place)
    return np.array(found, kind), wrong


def to_time(item: object) -> int:
    """µs since 1970 of a number of them, or of RFC 3339 text.

    Raises:
        ValueError, TypeError: it is neither.
    """
    if type(item) is int:
        return item
    if isinstance(item, str):
        moment = datetime.fromisoformat(item)
        if moment.tzinfo is None:
            raise ValueError
        return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    raise TypeError


def _to_value(item: object) -> float:
    if item is None:
        return _NAN
    if type(item) in {int, float}:
        return float(cast("float", item))
    if isinstance(item, str):
        return _NOT_FINITE[item] if item in _NOT_FINITE else float("x")
    raise TypeError


def _signal(given: object, pointer: str) -> str:
    if not isinstance(given, str) or not 0 < len(given) <= 200 or "\0" in given:  # noqa: PLR2004
        raise _invalid(pointer, "must be the name of a signal")
    return given


def _list(given: object, pointer: str, most: int) -> list[Any]:
    if not isinstance(given, list):
        raise _invalid(pointer, "must be a list")
    items = cast("list[Any]", given)
    if len(items) > most:
        raise _invalid(pointer, f"takes at most {most} items; these are {len(items)}")
    return items


def _invalid(pointer: str, detail: str) -> Invalid:
    return Invalid(errors=[{"pointer": pointer, "detail": detail}])


def _latest_us() -> int:
    return int((time() + CLOCK_AHEAD.total_seconds()) * 1_000_000)


def named(refused: Sequence[Refusal]) -> list[Rejected]:
    """The first of what was refused, reading by reading."""
    found: list[Rejected] = []
    for refusal in refused:
        if refusal.reason == UNKNOWN_SIGNAL:
            found.append(Rejected(signal=refusal.signal, index=None, reason=refusal.reason))
            continue
        found += [
            Rejected(signal=refusal.signal, index=place, reason=refusal.reason)
            for place in refusal.places[:MAX_NAMED].tolist()
        ]
    return found[:MAX_NAMED]

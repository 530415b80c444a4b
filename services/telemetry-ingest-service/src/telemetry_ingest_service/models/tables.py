"""Reading CSV and Parquet as readings, piece by piece, whatever stands in them.

Two forms are known by their columns. *Wide*: a time and one column a signal. *Long*: a time, a
`signal` and a value; so our own exports are read. The time is called `time`, `t` or `timestamp`.
"""
# pyarrow says little about its types; what comes out of it is checked by the tests.
# pyright: basic, reportMissingTypeStubs=false, reportAttributeAccessIssue=false

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet
from seriesstore.points import Floats, Integers
from servicekit.problems import Invalid

from telemetry_ingest_service.models.imports import MAX_COLUMNS, MAX_ROWS, TimeUnit
from telemetry_ingest_service.models.readings import (
    NOT_A_NUMBER,
    NOT_A_TIME,
    Refusal,
    Sent,
    to_time,
)

MAGIC = b"PAR1"
BLOCK_BYTES = 1 << 20
PIECE_READINGS = 40_000
MAX_GROUP_BYTES = 1 << 30

TIMES = ("time", "t", "timestamp")
VALUES = ("raw", "value", "v")
# What our exports have beside the readings.
BESIDE = frozenset({"sensor_id", "received_at", "physical", "unit", "late"})
_PER_SECOND: dict[TimeUnit, int] = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_EARLIEST_SEC, _LATEST_SEC = 631_152_000, 4_102_444_800  # 1990 and 2100
_TEXT_BYTES = 100


@dataclass(slots=True)
class Form:
    """Which columns are what."""

    time: str
    columns: dict[str, str] = field(default_factory=dict[str, str])
    long: tuple[str, str] | None = None
    sensor: str | None = None
    ignored: list[str] = field(default_factory=list[str])


def form_of(names: list[str], signals: frozenset[str], *, ignore_unknown: bool) -> Form:
    """What a header means to a sensor.

    Raises:
        Invalid: it has no time, columns of the same name, or names that are no signals.
    """
    if len(names) > MAX_COLUMNS:
        raise _invalid(f"A file takes at most {MAX_COLUMNS} columns; this has {len(names)}.")
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise _invalid(f"Columns need different names; these are there twice: {_shown(twice)}.")
    time = next((name for name in TIMES if name in names and name not in signals), None)
    if time is None:
        raise _invalid(f"There is no column of times: {', '.join(TIMES)}. {_found(names)}")
    rest = [name for name in names if name != time]
    value = next((name for name in VALUES if name in rest), None)
    if "signal" in rest and "signal" not in signals:
        if value is None:
            raise _invalid(
                f"There is no column of raw values: {', '.join(VALUES)}. {_found(names)}"
            )
        ignored = [name for name in rest if name not in {"signal", value}]
        sensor = "sensor_id" if "sensor_id" in rest else None
        unknown = [name for name in ignored if name not in BESIDE]
        if unknown and not ignore_unknown:
            raise _invalid(f"Beside time, signal and {value} there is: {_shown(unknown)}.")
        return Form(time, long=("signal", value), sensor=sensor, ignored=ignored)
    unknown = [name for name in rest if name not in signals]
    if unknown and not ignore_unknown:
        raise _invalid(
            f"The sensor has no such signals: {_shown(unknown)}. It has: {_shown(sorted(signals))}."
        )
    known = {name: name for name in rest if name in signals}
    if not known:
        raise _invalid(f"No column is a signal of the sensor. {_found(names)}")
    return Form(time, known, ignored=unknown)


class Table:
    """An open file of rows."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            Invalid: it is neither CSV nor Parquet, or too large once it is unpacked.
        """
        with path.open("rb") as file:
            self._is_parquet = file.read(len(MAGIC)) == MAGIC
        self._path = path
        try:
            self._source = self._open_parquet() if self._is_parquet else self._open_csv()
            self.names: list[str] = list(self._source.schema.names)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, UnicodeDecodeError) as exc:
            raise _invalid(f"The file cannot be read: {_plain(exc)}") from exc

    def batches(self, columns: list[str], rows: int) -> Generator[pa.RecordBatch]:
        """The columns, at most so many rows at a time.

        Raises:
            Invalid: from here on it cannot be read.
        """
        try:
            for batch in self._batches(columns, rows):
                for start in range(0, batch.num_rows, rows):
                    yield batch.slice(start, rows)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as exc:
            raise _invalid(f"The file cannot be read: {_plain(exc)}") from exc

    def close(self) -> None:
        """Let go of the file."""
        self._source.close()

    def _batches(self, columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
        if isinstance(self._source, _Parquet):
            yield from self._source.file.iter_batches(min(rows, 65_536), columns=columns)
            return
        for batch in self._source:
            yield batch.select(columns)

    def _open_csv(self) -> "csv.CSVStreamingReader":
        # All as text, so that one odd cell costs its reading and not its column.
        with self._path.open("rb") as file:
            head = file.readline(BLOCK_BYTES)
        if head.count(b",") > MAX_COLUMNS:
            raise _invalid(f"A file takes at most {MAX_COLUMNS} columns.")
        names = csv.read_csv(
            pa.BufferReader(head), convert_options=csv.ConvertOptions(strings_can_be_null=False)
        ).column_names
        return csv.open_csv(
            self._path,
            read_options=csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )

    def _open_parquet(self) -> "_Parquet":
        file = parquet.ParquetFile(self._path, memory_map=False)
        about = file.metadata
        if about.num_rows > MAX_ROWS:
            raise _invalid(f"A file takes at most {MAX_ROWS} rows; this has {about.num_rows}.")
        groups = (about.row_group(number) for number in range(about.num_row_groups))
        if any(group.total_byte_size > MAX_GROUP_BYTES for group in groups):
            raise _invalid("A row group may unpack to 1 GiB at most; write smaller ones.")
        return _Parquet(file)


@dataclass(slots=True)
class _Parquet:
    file: parquet.ParquetFile

    @property
    def schema(self) -> pa.Schema:
        return self.file.schema_arrow

    def close(self) -> None:
        self.file.close()


@dataclass(slots=True)
class Reader:
    """Goes through a table and makes requests of it, as if the sensor had sent them."""

    table: Table
    form: Form
    time_unit: TimeUnit
    rows: int = 0
    signals: set[str] = field(default_factory=set[str])
    _sensor: str | None = None

    def pieces(self) -> Iterator[Sent]:
        """The readings, with the rows of what cannot be taken.

        Raises:
            Invalid: the file breaks off, or is of several sensors.
        """
        form = self.form
        columns = [form.time, *form.columns, *(form.long or ()), *filter(None, [form.sensor])]
        for batch in self.table.batches(
            columns, max(1, PIECE_READINGS // max(1, len(form.columns)))
        ):
            sent = Sent()
            where = np.arange(self.rows, self.rows + batch.num_rows)
            self._check_sensor(batch)
            times, good = self._times(batch.column(form.time))
            if form.long:
                self._long(sent, batch, times, good, where)
            else:
                for column in form.columns:
                    self._add(sent, column, times, good, batch.column(column), where)
            self.rows += batch.num_rows
            if self.rows > MAX_ROWS:
                raise _invalid(f"A file takes at most {MAX_ROWS} rows.")
            self.signals |= sent.t.keys()
            yield sent

    def _long(
        self, sent: Sent, batch: pa.RecordBatch, times: Integers, good: Any, where: Integers
    ) -> None:
        signal, value = self.form.long or ("", "")
        named = batch.column(signal)
        if not pa.types.is_dictionary(named.type):
            named = _as_text(named).dictionary_encode()
        codes = named.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        values = batch.column(value)
        for code in np.unique(codes):
            rows = np.flatnonzero(codes == code)
            name = str(named.dictionary[int(code)].as_py() or "") if code >= 0 else ""
            part = values.take(pa.array(rows))
            self._add(sent, name[:200], times[rows], good[rows], part, where[rows])

    def _add(
        self, sent: Sent, signal: str, times: Integers, good: Any, column: Any, where: Integers
    ) -> None:
        values, numbers = _values(column)
        for wrong, reason in ((~good, NOT_A_TIME), (good & ~numbers, NOT_A_NUMBER)):
            if len(rows := np.flatnonzero(wrong)):
                example = f"row {where[rows[0]]}"
                sent.refused.append(Refusal(signal, reason, where[rows], example))
        keep = good & numbers
        sent.add(signal, times[keep], values[keep], where[keep])

    def _check_sensor(self, batch: pa.RecordBatch) -> None:
        if self.form.sensor is None:
            return
        for sensor in pc.unique(_as_text(batch.column(self.form.sensor))).to_pylist():
            if self._sensor not in {None, sensor}:
                raise _invalid("The file has readings of several sensors; import them one by one.")
            self._sensor = sensor

    def _times(self, column: Any) -> tuple[Integers, Any]:
        """Times in µs since 1970, and which of them are times at all."""
        kind = column.type
        if pa.types.is_timestamp(kind):
            whole = column.cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64())
            return whole.fill_null(0).to_numpy(zero_copy_only=False), _there(column)
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            return self._since_1970(column, _there(column))
        text = pc.utf8_trim_whitespace(_as_text(column))
        digits = pc.match_substring_regex(text.slice(0, 1), r"^-?[0-9]+(\.[0-9]*)?$")
        if len(text) and digits[0].as_py():
            try:
                return self._since_1970(text, _there(text))
            except pa.ArrowInvalid:
                return self._one_by_one(text, self._number)
        try:
            moments = text.cast(pa.timestamp("us", tz="UTC"))
            return moments.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False), _there(
                text
            )
        except pa.ArrowInvalid:
            return self._one_by_one(text, to_time)

    def _since_1970(self, column: Any, there: Any) -> tuple[Integers, Any]:
        try:
            numbers = column.cast(pa.int64())
            exact = True
        except pa.ArrowInvalid:
            numbers, exact = column.cast(pa.float64()), False
        first = next((one for one in numbers.slice(0, 1_000).to_pylist() if one), 0)
        unit = self._unit(float(first))
        found = numbers.fill_null(0).to_numpy(zero_copy_only=False)
        if exact:
            factor = max(1, _PER_SECOND["us"] // unit)
            good = np.abs(found) < 2**62 // factor
            us = np.where(good, found, 0) * factor // max(1, unit // _PER_SECOND["us"])
            return us.astype(np.int64), there & good
        good = np.isfinite(found) & (np.abs(found) < 2.0**62)
        us = np.rint(np.where(good, found, 0.0) / unit * 1e6)
        good &= np.abs(us) < 2.0**62
        return np.where(good, us, 0).astype(np.int64), there & good

    def _number(self, cell: str) -> int:
        value = float(cell)
        return round(value / self._unit(value) * 1e6)

    def _unit(self, first: float) -> int:
        """How many of the unit are a second; from the first number on it is settled."""
        if self.time_unit == "auto":
            for unit, count in _PER_SECOND.items():
                if _EARLIEST_SEC * count <= abs(first) <= _LATEST_SEC * count:
                    self.time_unit = unit
                    break
            else:
                raise _invalid(
                    f"The first time, {first:g}, is no time since 1970 in s, ms, µs or ns; say"
                    " time_unit."
                )
        return _PER_SECOND[self.time_unit]

    def _one_by_one(self, text: Any, convert: Callable[[str], int]) -> tuple[Integers, Any]:
        found = np.zeros(len(text), np.int64)
        good = np.ones(len(text), np.bool_)
        for place, cell in enumerate(text.to_pylist()):
            try:
                found[place] = convert(cell or "")
            except (ValueError, TypeError, OverflowError):
                good[place] = False
        return found, good


def _values(column: Any) -> tuple[Floats, Any]:
    """Raw values, NaN for a gap, and which of them are numbers or gaps."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        values = column.cast(pa.float64(), safe=False).fill_null(np.nan)
        return values.to_numpy(zero_copy_only=False), np.ones(len(column), np.bool_)
    text = pc.utf8_trim_whitespace(_as_text(column)).fill_null("")
    text = pc.if_else(pc.equal(text, ""), "nan", text)
    try:
        values = text.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return values, np.ones(len(text), np.bool_)
    except pa.ArrowInvalid:
        pass
    found = np.full(len(text), np.nan)
    good = np.ones(len(text), np.bool_)
    for place, cell in enumerate(text.to_pylist()):
        try:
            found[place] = float(cell)
        except ValueError:
            good[place] = False
    return found, good


def _as_text(column: Any) -> Any:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_nested(column.type):
        raise _invalid("A column holds lists or structures; readings are plain numbers.")
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def _there(column: Any) -> Any:
    return column.is_valid().to_numpy(zero_copy_only=False)


def _invalid(detail: str) -> Invalid:
    return Invalid(detail)


def _found(names: list[str]) -> str:
    return f"The file has: {_shown(names)}."


def _shown(names: list[str]) -> str:
    shown = ", ".join(name[:_TEXT_BYTES] for name in names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"  # noqa: PLR2004


def _plain(exc: Exception) -> str:
    text = str(exc).split("\n", 1)[0]
    return text if len(text) <= 2 * _TEXT_BYTES else f"{text[: 2 * _TEXT_BYTES]}…"

"""`runbench forward`: lines of CSV from a pipe, a file or a serial line become readings."""

import csv
import math
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from runbench import settings
from runbench.cli.output import FAILED, USAGE, AsJson, as_json, fail, note
from runbench.sensor import Sensor

TIME_NAMES = ("time", "t", "timestamp", "ts", "datetime")
READINGS_A_FLUSH = 20_000
MOST_TOLD = 5
# Numbers without a point, by size: seconds, milliseconds, microseconds, nanoseconds.
_SIZES = ((1e11, 1_000_000, 1), (1e14, 1_000, 1), (1e17, 1, 1), (1e20, 1, 1000))


class _Lines:
    """Turns lines into readings; remembers what it could not read."""

    def __init__(self, names: list[str], time_column: str | None) -> None:
        self.names = names
        self.time_at = next(
            (n for n, name in enumerate(names) if _is_time(name, time_column)), None
        )
        self.sent = self.bad = 0

    def pass_on(self, rows: Iterable[tuple[int, list[str]]], rig: Sensor) -> None:
        """Send every line that can be read. What comes from a file waits for the disk, and for the
        server while the spool is half full.
        """
        limit = settings.load().spool_limit
        flushed = 0
        for number, row in rows:
            try:
                moment, found = self.read(row)
            except ValueError as error:
                self.bad += 1
                if self.bad <= MOST_TOLD:
                    note(f"line {number}: {error}; skipped")
                continue
            for name, value in found:
                rig.send(name, moment, value)
            self.sent += len(found)
            if self.sent - flushed >= READINGS_A_FLUSH:
                flushed = self.sent
                rig.flush()
                while rig.unsent_bytes > limit // 2 and not rig.trouble:
                    rig.flush(sent=True, timeout=60)

    def read(self, row: list[str]) -> tuple[int | None, list[tuple[str, float]]]:
        """The time and the values of one line. Raises ValueError."""
        if len(row) != len(self.names):
            raise ValueError(f"{len(row)} fields, not {len(self.names)}")
        moment = None if self.time_at is None else parsed_time(row[self.time_at])
        found = [
            (name, _number(name, text))
            for n, (name, text) in enumerate(zip(self.names, row, strict=True))
            if n != self.time_at and text.strip()
        ]
        return moment, found


def forward(
    path: Annotated[
        Path | None,
        typer.Argument(help="A file or a device such as /dev/ttyUSB0. Default: stdin."),
    ] = None,
    *,
    token: Annotated[
        str | None,
        typer.Option("--token", envvar="RUNBENCH_SENSOR_TOKEN", help="The sensor's token."),
    ] = None,
    signal: Annotated[
        list[str] | None,
        typer.Option(
            "--signal",
            "-s",
            help="Names of the columns in order (repeatable), where no header says them; "
            "a time column is called time.",
        ),
    ] = None,
    time_column: Annotated[
        str | None,
        typer.Option("--time", help=f"The column of times. Default: {', '.join(TIME_NAMES)}."),
    ] = None,
    delimiter: Annotated[str, typer.Option("--delimiter", "-d", help="Such as ';'.")] = ",",
    json: AsJson = False,
) -> None:
    """Send lines of CSV as readings of one sensor, until the stream ends.

    Columns are named by the first line, or by --signal. Without a time column a reading has the
    time at which its line arrived. Times are RFC 3339 or numbers since 1970 in s, ms, µs or ns;
    an empty field is left out, `nan` marks a gap. A line that cannot be read is skipped and
    counted.
    """
    if not token:
        fail("no sensor token: give --token or set RUNBENCH_SENSOR_TOKEN", USAGE)
    if len(delimiter) != 1:
        fail("a delimiter is one character", USAGE)
    with ExitStack() as open_files:
        source: Iterable[str] = sys.stdin
        if path is not None:
            source = open_files.enter_context(
                path.open(encoding="utf-8-sig", errors="replace", newline="")
            )
        rows = _rows(source, delimiter)
        lines = _Lines(signal or _header(rows), time_column)
        if time_column and lines.time_at is None:
            fail(f"there is no column {time_column!r} among {', '.join(lines.names)}", USAGE)
        rig = Sensor(token)
        try:
            lines.pass_on(rows, rig)
        except KeyboardInterrupt:
            pass
        finally:
            whole = rig.close()
    told = {
        "readings": lines.sent,
        "refused": rig.refused,
        "dropped": rig.dropped,
        "bad_lines": lines.bad,
    }
    if json:
        as_json({**told, "arrived": whole})
    else:
        note(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in told.items()))
    if not whole or (lines.bad and not lines.sent):
        raise typer.Exit(FAILED)


def parsed_time(text: str) -> int:
    """µs since 1970 of an RFC 3339 time or of a number of s, ms, µs or ns. Raises ValueError."""
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(f"{text!r} has no zone; write Z for UTC") from None
        return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1e6)
    for below, times, over in _SIZES:
        if abs(number) < below:
            whole = int(text) if text.lstrip("+-").isdigit() else None
            return whole * times // over if whole is not None else round(number * times / over)
    raise ValueError(f"{text!r} is no time")


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} is {text.strip()[:40]!r}, no number") from None


def _is_time(name: str, given: str | None) -> bool:
    return name == given if given else name.strip().casefold() in TIME_NAMES


def _header(rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    row = next((row for _, row in rows), None)
    if not row:
        fail("there is nothing to send: the stream is empty", FAILED)
    names = [name.strip() for name in row]
    if any(not name or _is_number(name) for name in names):
        fail("the first line names no columns; give them with --signal", USAGE)
    if len(set(names)) != len(names):
        fail("two columns have the same name", USAGE)
    return names


def _is_number(text: str) -> bool:
    try:
        return not math.isnan(float(text))
    except ValueError:
        return False


def _rows(source: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that hold something, numbered. Each is read by itself, so that the noise of a
    serial line (a quote, a NUL) spoils no other.
    """
    for number, line in enumerate(source, 1):
        bare = line.replace("\0", "").strip("\r\n")
        if bare.strip():
            try:
                yield number, next(csv.reader([bare], delimiter=delimiter, strict=True))
            except csv.Error:
                yield number, []

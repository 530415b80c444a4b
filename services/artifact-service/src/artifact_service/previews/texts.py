"""Bytes as text, whatever their encoding, and text as rows of cells."""

import codecs
import csv
import io
import re
from collections.abc import Iterator

from pydantic import JsonValue

from artifact_service.models.previews import PreviewColumn, PreviewTable

MAX_COLUMNS = 200
MAX_CELL = 500

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CYRILLIC = re.compile(rb"[\xc0-\xff]{3,}")
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,14})")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")


def decode(content: bytes, *, whole: bool) -> str:
    """The text; a character that is cut at the end of what is not the whole is left out.

    The encoding is that of the byte order mark, UTF-8 where it fits, UTF-16 where every second byte
    is zero, else Windows-1251 where it looks like words in Cyrillic letters, else Windows-1252.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _decode(content.removeprefix(mark), encoding, whole=whole)
    if content[1::2].count(0) > 0.4 * len(content):
        return _decode(content, "utf-16-le", whole=whole)
    if content[0::2].count(0) > 0.4 * len(content):
        return _decode(content, "utf-16-be", whole=whole)
    try:
        return codecs.getincrementaldecoder("utf-8")("strict").decode(content, final=whole)
    except UnicodeDecodeError:
        words = sum(len(word) for word in _CYRILLIC.findall(content))
        high = len(content) - len(content.translate(None, bytes(range(128, 256))))
        return content.decode("cp1251" if words > high / 2 else "cp1252", "replace")


def _decode(content: bytes, encoding: str, *, whole: bool) -> str:
    return codecs.getincrementaldecoder(encoding)("replace").decode(content, final=whole)


def table_of(
    text: str, *, tabs: bool, rows: int, offset: int, whole: bool
) -> tuple[PreviewTable, bool, str | None]:
    """Rows of a text whose first row names the columns; whether there are more; what is wrong.

    Of a text that is not the whole the last row is left out: it may be cut.
    """
    found: list[list[str]] = []
    count, wrong = 0, None
    reader = _rows(text, "\t" if tabs else _delimiter(text))
    none: list[str] = []
    names = none
    last: list[str] | None = None
    width = 0
    try:
        names = next(reader, none)
        width = len(names)
        for cells in reader:
            if last is not None and offset <= count - 1 < offset + rows:
                found.append(last)
            last, count = cells, count + 1
            width = max(width, len(cells))
    except csv.Error as exc:
        wrong = f"Row {count + 2} cannot be read: {exc}."
        whole, last = False, None
    if last is not None and whole and offset <= count - 1 < offset + rows:
        found.append(last)
    shown = min(width, MAX_COLUMNS)
    if width > shown:
        wrong = wrong or f"The first {shown} of {width} columns are shown."
    columns = [_column(number, names, found) for number in range(shown)]
    table = PreviewTable(
        columns=columns,
        rows=[
            [_cell(cells, column, number) for number, column in enumerate(columns)]
            for cells in found
        ],
        row_count=count if whole else None,
    )
    return table, not whole or count > offset + rows, wrong


def clip(text: str) -> str:
    """A cell's text, cut where it is too long to be shown."""
    return text if len(text) <= MAX_CELL else text[:MAX_CELL] + "…"


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        if cells:
            yield cells


def _delimiter(text: str) -> str:
    first = text[: 64 << 10].partition("\n")[0]
    return max(",;\t|", key=first.count) if any(one in first for one in ",;\t|") else ","


def _column(number: int, names: list[str], rows: list[list[str]]) -> PreviewColumn:
    name = clip(names[number]) if number < len(names) else f"column {number + 1}"
    values = [cells[number] for cells in rows if number < len(cells) and cells[number]]
    if values and all(_INTEGER.fullmatch(value) for value in values):
        return PreviewColumn(name=name, type="integer")
    if values and all(_NUMBER.fullmatch(value) for value in values):
        return PreviewColumn(name=name, type="number")
    return PreviewColumn(name=name, type="text")


def _cell(cells: list[str], column: PreviewColumn, number: int) -> JsonValue:
    if number >= len(cells):
        return None
    value = cells[number]
    if column.type == "integer" and value:
        return int(value)
    if column.type == "number" and value:
        value_read = float(value)
        return value_read if abs(value_read) != float("inf") else value
    return clip(value)

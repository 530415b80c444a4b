"""Figures, pictures and tables as files. Libraries are recognised by what their objects can do, and
none is imported that the script does not use.
"""

import csv
import dataclasses
import importlib.util
import io
import json
import math
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, TypeAlias, cast

from runbench.values import NotRecordable

DPI = 150

Columns: TypeAlias = dict[str, list[Any]]

_PICTURES = (".png", ".svg", ".pdf", ".jpg", ".jpeg", ".webp")


def figure(made: Any, name: str) -> tuple[str, bytes]:
    """A figure as a file: its name with an end, and its content. Raises NotRecordable."""
    if not hasattr(made, "savefig") and hasattr(getattr(made, "figure", None), "savefig"):
        made = made.figure  # the axes of one
    ending = PurePosixPath(name).suffix.lower()
    if hasattr(made, "savefig"):
        if ending not in _PICTURES:
            name, ending = f"{name}.png", ".png"
        file = io.BytesIO()
        made.savefig(file, format=ending[1:], bbox_inches="tight", dpi=DPI)
        return name, file.getvalue()
    if ending == ".html" and callable(getattr(made, "to_html", None)):
        return name, str(made.to_html()).encode()
    if callable(getattr(made, "to_json", None)):
        text = str(made.to_json())
        kind = ".vl.json" if '"$schema"' in text and "vega" in text else ".plotly.json"
        return (name if ending == ".json" else name + kind), text.encode()
    raise NotRecordable(
        f"{name!r} is a {type(made).__name__}; give a figure of matplotlib, plotly or altair, or "
        "log the file that it was saved to",
        name,
    )


def image(given: Any, name: str) -> tuple[str, bytes]:
    """A picture as a file: its name with an end, and its content. Raises NotRecordable."""
    ending = PurePosixPath(name).suffix.lower()
    if callable(getattr(given, "save", None)) and hasattr(given, "mode"):
        if ending not in _PICTURES:
            name, ending = f"{name}.png", ".png"
        file = io.BytesIO()
        given.save(file, format={".jpg": "JPEG"}.get(ending, ending[1:].upper()))
        return name, file.getvalue()
    return (name if ending == ".png" else f"{name}.png"), _png(_pixels(given, name))


def _pixels(given: Any, name: str) -> Any:
    """The picture as uint8 of height, width, colours."""
    try:
        import numpy as np  # noqa: PLC0415 - arrays come from where it is
    except ImportError:
        raise NotRecordable(f"{name!r}: pictures that are no files need numpy", name) from None
    detached = given.detach().cpu() if hasattr(given, "detach") else given
    array: Any = np.asarray(detached)
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4):
        array = array.transpose(1, 2, 0)  # torch puts the colours first
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4) or not array.size:
        raise NotRecordable(
            f"{name!r} has the shape {array.shape}; a picture is height × width, or with 1, 3 or 4 "
            "colours",
            name,
        )
    if array.dtype.kind == "f":
        array = np.nan_to_num(array).clip(0.0, 1.0) * 255 + 0.5
    elif array.dtype.kind == "b":
        array = array * 255
    elif array.dtype.kind not in "iu":
        raise NotRecordable(f"{name!r} holds {array.dtype}; a picture is numbers", name)
    return array.clip(0, 255).astype(np.uint8)


def _png(pixels: Any) -> bytes:
    height, width, colours = pixels.shape
    lines = b"".join(b"\x00" + pixels[row].tobytes() for row in range(height))
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[colours]
    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)

    def chunk(tag: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(data, zlib.crc32(tag)))
        return struct.pack(">I", len(data)) + tag + data + check

    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 6)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def table(given: Any, name: str, columns: Sequence[str] | None) -> tuple[str, bytes]:
    """A table as a file: its name with an end, and its content. Raises NotRecordable."""
    ending = PurePosixPath(name).suffix.lower()
    if ending not in (".parquet", ".csv", ".json"):
        ending = ".parquet" if _has_pyarrow() else ".csv"
        name += ending
    if ending == ".parquet":
        if not _has_pyarrow():
            raise NotRecordable(f"{name!r}: Parquet needs pyarrow; end the name in .csv", name)
        return name, _parquet(given, columns, name)
    found = _columns(given, columns, name)
    if ending == ".json":
        rows = [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
        return name, json_bytes(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(found)
    for row in zip(*found.values(), strict=True):
        writer.writerow([_cell(value) for value in row])
    return name, text.getvalue().encode()


def _has_pyarrow() -> bool:
    return importlib.util.find_spec("pyarrow") is not None


def _parquet(given: Any, columns: Sequence[str] | None, name: str) -> bytes:
    arrow: Any = importlib.import_module("pyarrow")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    if isinstance(given, arrow.Table):
        made = given
    elif callable(getattr(given, "to_arrow", None)):
        made = given.to_arrow()
    elif hasattr(given, "columns") and hasattr(given, "dtypes"):
        made = arrow.Table.from_pandas(given)
    else:
        found = _columns(given, columns, name)
        made = arrow.table({key: _array(arrow, values) for key, values in found.items()})
    file = io.BytesIO()
    parquet.write_table(made, file, compression="zstd")
    return file.getvalue()


def _array(arrow: Any, values: list[Any]) -> Any:
    """One column; what is of several kinds becomes text, so that nothing is lost."""
    try:
        return arrow.array(values)
    except (arrow.ArrowException, TypeError, ValueError, OverflowError):
        return arrow.array([None if value is None else str(_cell(value)) for value in values])


def _columns(given: Any, names: Sequence[str] | None, name: str) -> Columns:
    """Any table as columns of one length. Raises NotRecordable."""
    if callable(getattr(given, "to_pydict", None)):
        return given.to_pydict()
    if hasattr(given, "columns") and callable(getattr(given, "to_dict", None)):
        if not hasattr(given, "notna"):  # polars
            return given.to_dict(as_series=False)
        if type(given.index).__name__ != "RangeIndex":
            given = given.reset_index()
        known = given.astype(object).where(given.notna(), None)
        return {str(key): list(values) for key, values in known.to_dict("list").items()}
    if isinstance(given, Mapping):
        found = cast("Mapping[Any, Iterable[Any]]", given)
        made = {str(key): _listed(values) for key, values in found.items()}
        if len({len(values) for values in made.values()}) > 1:
            raise NotRecordable(f"{name!r}: its columns are of different lengths", name)
        return made
    rows = _listed(given)
    if rows and all(isinstance(row, Mapping) for row in rows):
        keys = names or list(dict.fromkeys(key for row in rows for key in row))
        return {str(key): [row.get(key) for row in rows] for key in keys}
    if names is None:
        raise NotRecordable(f"{name!r}: plain rows need the names of their columns", name)
    if any(len(row) != len(names) for row in rows):
        raise NotRecordable(f"{name!r}: a row has not as many cells as there are columns", name)
    return {str(key): [row[place] for row in rows] for place, key in enumerate(names)}


def _listed(values: Any) -> list[Any]:
    return values.tolist() if callable(getattr(values, "tolist", None)) else list(values)


def _cell(value: Any) -> Any:
    return json_bytes(value).decode() if isinstance(value, (dict, list, tuple)) else value


def json_bytes(value: Any) -> bytes:
    """A value as JSON with what Python and numpy have beside it; NaN and infinities as text."""
    return json.dumps(_plain(value), ensure_ascii=False, indent=1).encode()


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float, bool)):
        return _finite(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in cast("Mapping[Any, Any]", value).items()}
    given: Any = value
    if callable(getattr(given, "tolist", None)):
        return _plain(given.tolist())
    if isinstance(given, (list, tuple, set, frozenset)):
        return [_plain(inner) for inner in cast("Iterable[Any]", given)]
    return str(given)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value

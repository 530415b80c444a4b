"""Reads some rows of a Parquet file in a process of its own, which may be killed.

It has no files and no credentials: it asks for bytes of the file by a line on its output, `offset
length`, and gets just these on its input. The last line begins with `=` and is the answer in JSON.
How much memory and time it may take is set before it reads the first byte.
"""

import io
import json
import math
import resource
import sys
from importlib import import_module
from typing import Any, override

MEMORY_BYTES = 1536 << 20
CPU_SEC = 8
MAX_COLUMNS = 200
MAX_CELL = 500
BATCH_ROWS = 1024
_EXACT = 2**53


class Asked(io.RawIOBase):
    """The file, by asking for its parts."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._at = 0

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def tell(self) -> int:
        return self._at

    @override
    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = (0, self._at, self._size)[whence] + offset
        return self._at

    @override
    def read(self, size: int = -1) -> bytes:
        length = max(0, min(self._size - self._at, size if size >= 0 else self._size))
        if not length:
            return b""
        sys.stdout.write(f"{self._at} {length}\n")
        sys.stdout.flush()
        content = sys.stdin.buffer.read(length)
        if len(content) < length:
            sys.exit(1)
        self._at += length
        return content


def main() -> None:
    """Answer for the arguments: size of the file, how many rows, how many to pass over."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SEC, CPU_SEC))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    size, rows, offset = (int(argument) for argument in sys.argv[1:4])
    try:
        answer = read(Asked(size), rows, offset)
    except MemoryError:
        answer = {"reason": "It takes too much memory to be read."}
    except Exception as exc:
        answer = {"reason": f"It cannot be read: {str(exc)[:200]}"}
    sys.stdout.write("=" + json.dumps(answer, allow_nan=False) + "\n")
    sys.stdout.flush()


def read(source: Asked, rows: int, offset: int) -> dict[str, Any]:
    """Columns, rows and how many rows there are in all."""
    pa: Any = import_module("pyarrow")  # here, within the limits
    pq: Any = import_module("pyarrow.parquet")

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    file = pq.ParquetFile(pa.PythonFile(source, mode="r"), buffer_size=1 << 20, pre_buffer=False)
    schema = file.schema_arrow
    names = list(schema.names)[:MAX_COLUMNS]
    shown = [schema.field(number) for number in range(len(names))]
    groups: list[int] = []
    begin = passed = 0
    for number in range(file.metadata.num_row_groups):
        end = begin + int(file.metadata.row_group(number).num_rows)
        if end <= offset:
            passed = end
        elif begin < offset + rows:
            groups.append(number)
        begin = end
    offset -= passed
    cells: list[list[Any]] = []
    batches = file.iter_batches(
        batch_size=BATCH_ROWS, row_groups=groups, columns=names, use_threads=False
    )
    for batch in batches if groups else ():
        skipped = min(offset, batch.num_rows)
        offset -= skipped
        part = batch.slice(skipped, rows - len(cells))
        columns = [
            [cell(value) for value in part.column(number).to_pylist()]
            for number in range(part.num_columns)
        ]
        cells += [list(row) for row in zip(*columns, strict=True)]
        if len(cells) >= rows:
            break
    answer: dict[str, Any] = {
        "columns": [{"name": clip(field.name), "type": clip(str(field.type))} for field in shown],
        "rows": cells,
        "row_count": int(file.metadata.num_rows),
    }
    if len(schema.names) > len(names):
        answer["reason"] = f"The first {len(names)} of {len(schema.names)} columns are shown."
    return answer


def cell(value: Any) -> Any:
    """A value as JSON has it; what JSON has no word for as text."""
    match value:
        case None | bool():
            return value
        case int():
            return value if abs(value) <= _EXACT else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case str():
            return clip(value)
        case bytes():
            return value[:32].hex() + ("…" if len(value) > 32 else "")  # noqa: PLR2004
        case _:
            return clip(str(value))


def clip(text: str) -> str:
    """The text, cut where it is too long to be shown."""
    return text if len(text) <= MAX_CELL else text[:MAX_CELL] + "…"


if __name__ == "__main__":
    main()

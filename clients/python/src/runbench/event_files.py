"""Runs of TensorBoard: the scalars of event files, read without TensorBoard.

A file is TFRecord: length (uint64), masked CRC-32C of it, data, masked CRC-32C of that, all
little-endian. The data is an `Event` message (tensorflow/core/util/event.proto): wall_time = 1,
step = 2, summary = 5 with value = 1 of tag = 1, simple_value = 2, tensor = 8.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from runbench.history import BadSource, PastRun, Points
from runbench.values import NotRecordable, metric_key

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DT_FLOAT, _DT_DOUBLE = 1, 2
_LARGEST = 1 << 30


def read_tensorboard(folder: str) -> list[PastRun]:
    """The runs below a log folder: each folder with event files is one. Raises BadSource."""
    root = Path(folder).expanduser().absolute()
    if not root.is_dir():
        raise BadSource(f"{root} is no folder")
    folders = sorted({path.parent for path in root.rglob("*tfevents*") if path.is_file()})
    if not folders:
        raise BadSource(f"{root} holds no event files (events.out.tfevents.…)")
    return [_run(root, place) for place in folders]


def _run(root: Path, folder: Path) -> PastRun:
    name = folder.relative_to(root).as_posix()
    name = root.name if name == "." else name
    return PastRun(
        source=f"tensorboard:{root.name}/{name}",
        experiment=root.name,
        name=name,
        status="succeeded",
        points=lambda: _points(folder),
        tags={"import.folder": str(folder)},
    )


def _points(folder: Path) -> Iterator[Points]:
    found: dict[str, Points] = {}
    for path in sorted(folder.glob("*tfevents*")):
        for tag, step, value, seconds in read_scalars(path):
            try:
                key = metric_key(tag)
            except NotRecordable:
                continue
            points = found.setdefault(key, Points(key, [], [], []))
            points.step.append(step)
            points.value.append(value)
            points.time.append(round(seconds * 1e6))
    yield from found.values()


def read_scalars(path: Path) -> Iterator[tuple[str, int, float, float]]:
    """The scalars of one file in its order: tag, step, value, seconds since 1970. Ends before a
    record that is torn, as the last one of a file that is being written may be. Raises BadSource
    for a damaged record.
    """
    for event in _records(path):
        seconds, step, summary = 0.0, 0, b""
        try:
            for number, value in _fields(event):
                if number == 1 and isinstance(value, bytes):
                    seconds = struct.unpack("<d", value)[0]
                elif number == 2 and isinstance(value, int):
                    step = value - (1 << 64) if value >> 63 else value
                elif number == 5 and isinstance(value, bytes):
                    summary = value
            scalars = [_scalar(value) for number, value in _fields(summary) if number == 1]
        except (IndexError, struct.error, UnicodeDecodeError):
            raise BadSource(f"{path} holds an event that is none") from None
        for tag, scalar in filter(None, scalars):
            yield tag, step, scalar, seconds


def _records(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while len(head := file.read(12)) == 12:
            length, checksum = struct.unpack("<QI", head)
            if length > _LARGEST or _masked(head[:8]) != checksum:
                raise BadSource(f"{path} is damaged at byte {file.tell() - 12}")
            data, foot = file.read(length), file.read(4)
            if len(foot) < 4:
                return
            if _masked(data) != struct.unpack("<I", foot)[0]:
                raise BadSource(f"{path} is damaged at byte {file.tell() - 4 - length}")
            yield data


def _scalar(message: int | bytes) -> tuple[str, float] | None:
    tag, scalar = "", None
    for number, value in _fields(message if isinstance(message, bytes) else b""):
        if not isinstance(value, bytes):
            continue
        if number == 1:
            tag = value.decode()
        elif number == 2:
            scalar = struct.unpack("<f", value)[0]
        elif number == 8:
            scalar = _tensor(value)
    return None if scalar is None else (tag, scalar)


def _tensor(message: bytes) -> float | None:
    """The only element of a tensor: dtype = 1, content = 4, float_val = 5, double_val = 6."""
    kind, content = 0, b""
    for number, value in _fields(message):
        if number == 1 and isinstance(value, int):
            kind = value
        elif number in (4, 5, 6) and isinstance(value, bytes):
            content = value
    form = {_DT_FLOAT: "<f", _DT_DOUBLE: "<d"}.get(kind)
    if form is None or len(content) != struct.calcsize(form):
        return None
    return struct.unpack(form, content)[0]


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message: number and value. Raises IndexError for a broken one."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        size = 8 if kind == _FIXED64 else 4
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind not in (_FIXED64, _FIXED32):
            raise IndexError
        if at + size > len(message):
            raise IndexError
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise IndexError


def _table() -> list[int]:
    table: list[int] = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


_CRC = _table()


def _masked(data: bytes) -> int:
    """The CRC-32C (Castagnoli) of data, masked as TFRecord has it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF

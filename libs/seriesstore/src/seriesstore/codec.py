# pcodec comes without types; what comes out of it is checked by the property tests.
# pyright: basic, reportMissingTypeStubs=false, reportAttributeAccessIssue=false
"""Columns as bytes: raw where they are short, compressed where it pays.

A pack is one byte that says which columns follow x and value (1: time, 2: ordinal),
then each column: its codec (one byte), its length in bytes (four, little-endian),
its bytes. So every column names its codec, and what an older version wrote stays
readable. All codecs keep every bit of a float64, NaN payloads included.

pcodec (https://github.com/pcodec/pcodec) is for numbers what no general codec is;
where it loses (values that repeat in no order of size) or is not installed, the
bytes are shuffled by significance and go through zstd.
"""

import struct
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seriesstore.points import Floats, Integers, Points

try:
    from pcodec import ChunkConfig, standalone
except ImportError:  # a platform without its wheel
    standalone = None

RAW, PCODEC, ZSTD = 0, 1, 2
_TIME, _ORDINAL = 1, 2
_HEAD: Final = struct.Struct("<BI")
_ITEM: Final = 8

# Below this, headers outweigh what compression saves, and it costs more than a copy.
RAW_BELOW: Final = 256
SMALL: Final = 48
_THOROUGH: Final = 8
_ZSTD_LEVEL: Final = 3


class UnknownCodec(Exception):
    """The chunk was written by a newer version with a codec that this one lacks."""


def pack(points: Points, *, thorough: bool) -> bytes:
    """Points as bytes; `thorough` for what is kept for good, quickly and larger otherwise."""
    columns: list[Integers | Floats] = [points.x, points.value]
    flags = 0
    if points.time is not None:
        flags |= _TIME
        columns.append(points.time)
    if points.ordinal is not None:
        flags |= _ORDINAL
        columns.append(points.ordinal)
    least = SMALL if thorough else RAW_BELOW
    parts = [bytes([flags])]
    for column in columns:
        codec, data = RAW, _plain(column)
        if len(points) >= least:
            codec, data = _smallest(column, data, thorough=thorough)
        parts += [_HEAD.pack(codec, len(data)), data]
    return b"".join(parts)


def pack_raw(count: int, *columns: bytes) -> bytes:
    """What `pack` writes for few points, of columns that are bytes already: x, value, time."""
    head = _HEAD.pack(RAW, count * _ITEM)
    flags = b"\x01" if len(columns) > 2 else b"\x00"  # noqa: PLR2004
    return flags + head + head.join(columns)


def unpack(data: bytes, count: int, *, times: bool = True, ordinals: bool = False) -> Points:
    """The `count` points that `pack` wrote; times and ordinals only where they are asked for.

    Raises:
        UnknownCodec: see there.
    """
    flags, at = data[0], 1
    x, at = _column(data, at, count, np.int64)
    value, at = _column(data, at, count, np.float64)
    time = ordinal = None
    if flags & _TIME and (times or (ordinals and flags & _ORDINAL)):
        time, at = _column(data, at, count, np.int64)
    if ordinals and flags & _ORDINAL:
        ordinal, at = _column(data, at, count, np.int64)
    return Points(x, value, time if times else None, ordinal)


def pack_outline(points: Points) -> bytes:
    """A few points as one string: 24 bytes each, time 0 where there is none."""
    table = np.zeros((3, len(points)), "<i8")
    table[0] = points.x
    table[1] = points.value.view(np.int64)
    if points.time is not None:
        table[2] = points.time
    return table.T.tobytes()


def unpack_outlines(data: bytes, *, timed: bool) -> Points:
    """What `pack_outline` wrote, of one chunk or of many in a row."""
    table = np.frombuffer(data, "<i8").reshape(-1, 3)
    value = np.ascontiguousarray(table[:, 1]).view(np.float64)
    return Points(
        np.ascontiguousarray(table[:, 0]),
        value,
        np.ascontiguousarray(table[:, 2]) if timed else None,
    )


def _plain(column: Integers | Floats) -> bytes:
    return column.astype(column.dtype.newbyteorder("<"), copy=False).tobytes()


def _smallest(column: Integers | Floats, plain: bytes, *, thorough: bool) -> tuple[int, bytes]:
    candidates = [(RAW, plain)]
    if standalone:
        config = ChunkConfig(compression_level=_THOROUGH if thorough else 1)
        candidates.append(
            # From the bytes, which lie aligned in memory; a column out of a pack may not.
            (PCODEC, standalone.simple_compress(np.frombuffer(plain, column.dtype), config))
        )
    if thorough or not standalone:
        candidates.append((ZSTD, _zstd(plain)))
    return min(candidates, key=lambda candidate: len(candidate[1]))


def _zstd(plain: bytes) -> bytes:
    shuffled = np.frombuffer(plain, np.uint8).reshape(-1, _ITEM).T.tobytes()
    return pa.Codec("zstd", compression_level=_ZSTD_LEVEL).compress(shuffled, asbytes=True)


def _column(
    data: bytes, at: int, count: int, kind: type[np.int64 | np.float64]
) -> tuple[NDArray, int]:
    codec, length = _HEAD.unpack_from(data, at)
    at += _HEAD.size
    end = at + length
    if codec == RAW:
        return np.frombuffer(data, kind, count, at), end
    if codec == PCODEC:
        if standalone is None:
            msg = "pcodec is not installed here."
            raise UnknownCodec(msg)
        return standalone.simple_decompress(data[at:end]), end
    if codec == ZSTD:
        plain = pa.Codec("zstd").decompress(data[at:end], count * _ITEM, asbytes=True)
        rows = np.frombuffer(plain, np.uint8).reshape(_ITEM, count).T
        return np.ascontiguousarray(rows).view(kind).reshape(count), end
    raise UnknownCodec(str(codec))

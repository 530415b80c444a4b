# pcodec comes without types; what comes out of it is checked by the property tests.
# pyright: basic, reportMissingTypeStubs=false, reportAttributeAccessIssue=false
"""Columns as bytes: raw where they are short, pcodec where compression pays.

pcodec (https://github.com/pcodec/pcodec) is lossless on every bit of a float64,
NaN payloads included. The codec's number is stored with each chunk, so that data
written by an older version stay readable.
"""

from typing import cast

import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone

from seriesstore.points import Floats, Integers, Points

RAW = 0
PCODEC = 1

# Below this, pcodec's header outweighs what it saves, and it costs more than a copy.
RAW_BELOW = 48
LEVEL = 4

_CONFIG = ChunkConfig(compression_level=LEVEL)
_INT = np.dtype("<i8")
_FLOAT = np.dtype("<f8")


class UnknownCodec(Exception):
    """The chunk was written by a newer version with a codec that this one lacks."""


def choose_codec(count: int) -> int:
    """The codec for a chunk of `count` points."""
    return RAW if count < RAW_BELOW else PCODEC


def encode(column: Integers | Floats, codec: int) -> bytes:
    """A column of int64 or float64 as bytes."""
    if codec == RAW:
        return column.astype(column.dtype.newbyteorder("<"), copy=False).tobytes()
    return standalone.simple_compress(np.ascontiguousarray(column), _CONFIG)


def decode_points(codec: int, x: bytes, value: bytes, time: bytes | None) -> Points:
    """Points from the columns that `encode` wrote.

    Raises:
        UnknownCodec: see there.
    """
    return Points(
        cast("Integers", _decode(x, codec, _INT)),
        cast("Floats", _decode(value, codec, _FLOAT)),
        None if time is None else cast("Integers", _decode(time, codec, _INT)),
    )


def encode_raw(points: Points) -> bytes:
    """A few points as one string: 24 bytes each, time 0 where there is none."""
    table = np.zeros((3, len(points)), _INT)
    table[0] = points.x
    table[1] = points.value.view(np.int64)
    if points.time is not None:
        table[2] = points.time
    return table.T.tobytes()


def decode_raw(data: bytes, *, timed: bool) -> Points:
    """What `encode_raw` wrote, of one chunk or of many in a row."""
    table = np.frombuffer(data, _INT).reshape(-1, 3)
    value = np.ascontiguousarray(table[:, 1]).view(np.float64)
    return Points(
        np.ascontiguousarray(table[:, 0]),
        value,
        np.ascontiguousarray(table[:, 2]) if timed else None,
    )


def _decode(data: bytes, codec: int, kind: np.dtype[np.generic]) -> NDArray[np.generic]:
    if codec == RAW:
        return np.frombuffer(data, kind)
    if codec == PCODEC:
        decoded = standalone.simple_decompress(data)
        return np.empty(0, kind) if decoded is None else cast("NDArray[np.generic]", decoded)
    raise UnknownCodec(str(codec))

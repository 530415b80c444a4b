"""Readings packed as bytes: what a sensor of a high rate sends instead of JSON.

All numbers are little-endian. A head of 20 bytes: `RBR1`, how many series (uint32), the sequence
(uint64), how long the producer's name is (uint16), and two bytes of 0; then the producer's name in
UTF-8. Without a producer the sequence is 0, and a repeat is not known to be one. Then each series:
how long the signal's name is (uint16), two bytes of 0, how many readings (uint32), the signal's
name in UTF-8, all times (int64, µs since 1970), and all values (float64; NaN is a gap).
"""

from struct import Struct

import numpy as np
from servicekit.problems import Invalid, Malformed

from telemetry_ingest_service.models.readings import (
    MAX_READINGS,
    MAX_READINGS_OF_SIGNAL,
    MAX_SIGNALS,
    Sent,
    batch_name,
)

MEDIA_TYPE = "application/x-runbench-readings"

_MAGIC = b"RBR1"
_HEAD = Struct("<4sIQHH")
_SERIES = Struct("<HHI")
_BYTES_OF_READING = 16
_MOST_NAME_BYTES = 800


class _Bytes:
    """Bytes that are read in their order."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    def skip(self, length: int) -> int:
        """Where the next `length` bytes begin."""
        at, self.at = self.at, self.at + length
        if self.at > len(self.raw):
            msg = f"The packed readings end at byte {len(self.raw)}, amid what begins at {at}."
            raise Malformed(msg)
        return at

    def text(self, length: int) -> str:
        at = self.skip(length)
        try:
            text = self.raw[at : self.at].decode()
        except UnicodeDecodeError as exc:
            msg = f"The name at byte {at} is not UTF-8."
            raise Malformed(msg) from exc
        if "\0" in text:
            msg = f"The name at byte {at} holds the NUL character."
            raise Malformed(msg)
        return text


def read_packed(raw: bytes) -> Sent:
    """A request in packed form.

    Raises:
        Malformed: the bytes are not laid out so.
        Invalid: more readings than a request takes.
    """
    given = _Bytes(raw)
    magic, count, sequence, producer_bytes, zero = _HEAD.unpack_from(raw, given.skip(_HEAD.size))
    if magic != _MAGIC or zero:
        msg = "Packed readings begin with RBR1 and a head of 20 bytes."
        raise Malformed(msg)
    if count > MAX_SIGNALS:
        raise _too_many(f"takes at most {MAX_SIGNALS} series; these are {count}")
    producer = given.text(producer_bytes)
    if sequence and not producer:
        msg = "A sequence needs a producer."
        raise Malformed(msg)
    name = batch_name(None, producer, sequence) if producer else None
    sent = Sent(name, sequence=sequence if producer else None)
    total = 0
    for _ in range(count):
        total += _read_series(sent, given)
        if total > MAX_READINGS:
            raise _too_many(f"a request takes at most {MAX_READINGS} readings")
    if given.at < len(raw):
        msg = f"The packed readings go on after their last series, at byte {given.at}."
        raise Malformed(msg)
    return sent


def _read_series(sent: Sent, given: _Bytes) -> int:
    begin = given.skip(_SERIES.size)
    name_bytes, zero, count = _SERIES.unpack_from(given.raw, begin)
    if zero or not 0 < name_bytes <= _MOST_NAME_BYTES:
        msg = (
            f"No series begins at byte {begin}: a signal's name has 1 to {_MOST_NAME_BYTES} bytes."
        )
        raise Malformed(msg)
    if count > MAX_READINGS_OF_SIGNAL:
        detail = f"takes at most {MAX_READINGS_OF_SIGNAL} readings of a signal; these are {count}"
        raise _too_many(detail)
    signal = given.text(name_bytes)
    at = given.skip(count * _BYTES_OF_READING)
    t = np.frombuffer(given.raw, "<i8", count, at).astype(np.int64)
    v = np.frombuffer(given.raw, "<f8", count, at + 8 * count).astype(np.float64)
    sent.add(signal, t, v)
    return count


def _too_many(detail: str) -> Invalid:
    return Invalid(errors=[{"pointer": "#", "detail": detail}])

"""A request as it is kept until it is stored: what a sensor sent, and when it arrived.

As bytes, all numbers little-endian: a head of 72 bytes (`RBB1`, how many signals, then sensor,
project and name of the batch as 16 bytes each, when it was received in µs since 1970, how many
bytes the refusals have, and 0); of each signal the length of its name (uint16), 0 (uint16), how
many readings (uint32), its name in UTF-8, padded to 8 bytes with zeros, all times (int64) and all
values (float64); then what was refused, as JSON. The first 64 bytes are the same in every version,
so that whoever cannot read the rest still knows whose it is.
"""

import struct
from dataclasses import dataclass
from struct import Struct
from uuid import UUID

import numpy as np
import orjson

from telemetry_ingest_service.models.readings import Refusal, Sent

_MAGIC, _ANY_MAGIC = b"RBB1", b"RBB"
_HEAD = Struct("<4sI16s16s16sqII")
_SERIES = Struct("<HHI")
_ITEM = 8
NO_NAME = UUID(int=0)


class Unreadable(Exception):
    """The bytes are no record, or one of a version that is not known here."""


@dataclass(frozen=True, slots=True)
class Received:
    """What a sensor sent, and when it arrived here (µs since 1970)."""

    sensor_id: UUID
    project_id: UUID
    sent: Sent
    received_us: int

    @property
    def weight(self) -> int:
        """How much of a transaction it takes: its readings, and what a request costs beside."""
        return self.sent.count + 20


@dataclass(frozen=True, slots=True)
class Label:
    """Whose a record is, which any version says."""

    sensor_id: UUID
    project_id: UUID
    batch_id: UUID | None
    received_us: int


def pack_record(received: Received) -> bytes:
    """The request as bytes."""
    sent = received.sent
    refused = b""
    if sent.refused:
        refused = orjson.dumps(
            [[each.signal, each.reason, len(each.places), each.example] for each in sent.refused]
        )
    head = _HEAD.pack(
        _MAGIC,
        len(sent.t),
        received.sensor_id.bytes,
        received.project_id.bytes,
        (sent.id or NO_NAME).bytes,
        received.received_us,
        len(refused),
        0,
    )
    parts = [head]
    for signal, t in sent.t.items():
        name = signal.encode()
        parts.append(_SERIES.pack(len(name), 0, len(t)))
        parts.append(name.ljust(_padded(len(name)), b"\0"))
        parts.append(t.astype("<i8", copy=False).tobytes())
        parts.append(sent.v[signal].astype("<f8", copy=False).tobytes())
    return b"".join([*parts, refused])


def read_label(raw: bytes) -> Label:
    """Whose the record is.

    Raises:
        Unreadable: it is none.
    """
    if not raw.startswith(_ANY_MAGIC) or len(raw) < _HEAD.size:
        msg = "These bytes are no record of readings."
        raise Unreadable(msg)
    _, _, sensor, project, name, received_us, _, _ = _HEAD.unpack_from(raw)
    batch_id = UUID(bytes=name)
    return Label(
        UUID(bytes=sensor),
        UUID(bytes=project),
        None if batch_id == NO_NAME else batch_id,
        received_us,
    )


def unpack_record(raw: bytes) -> Received:
    """The request that `pack_record` wrote; its columns are views of the bytes.

    Raises:
        Unreadable: see there.
    """
    label = read_label(raw)
    if not raw.startswith(_MAGIC):
        msg = f"This program knows no records of the kind {raw[:4]!r}."
        raise Unreadable(msg)
    try:
        sent = _read_columns(raw, label.batch_id)
    except (struct.error, ValueError, TypeError, IndexError) as exc:
        msg = f"The record is damaged: {exc}"
        raise Unreadable(msg) from exc
    return Received(label.sensor_id, label.project_id, sent, label.received_us)


def _read_columns(raw: bytes, batch_id: UUID | None) -> Sent:
    sent = Sent(batch_id)
    _, signals, _, _, _, _, refused_bytes, _ = _HEAD.unpack_from(raw)
    at = _HEAD.size
    for _ in range(signals):
        length, _, count = _SERIES.unpack_from(raw, at)
        at += _SERIES.size
        signal = raw[at : at + length].decode()
        at += _padded(length)
        sent.t[signal] = np.frombuffer(raw, "<i8", count, at)
        at += count * _ITEM
        sent.v[signal] = np.frombuffer(raw, "<f8", count, at)
        at += count * _ITEM
    if len(raw) != at + refused_bytes:
        msg = f"{len(raw)} bytes where {at + refused_bytes} are said"
        raise ValueError(msg)
    if refused_bytes:
        for signal, reason, count, example in orjson.loads(raw[at:]):
            # Only how many there were is of interest by now.
            places = np.broadcast_to(np.int64(0), (count,))
            sent.refused.append(Refusal(signal, reason, places, example))
    return sent


def _padded(length: int) -> int:
    return -(-length // _ITEM) * _ITEM

"""Part `telemetry`, what leaves again: live to somebody who looks, and as a file."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import orjson
import psutil
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.load import HEAD_END, Channel, LoadFailed, Target, Timing

# 10,000 readings a second.
SENDERS, PER_SECOND, EACH = 20, 10, 50
OPENED_SEC, SETTLED_SEC = 1.0, 2.0
PIECE = 1 << 20
SAMPLE_SEC = 0.02


type MakeBatch = Callable[[int, NDArray[np.int64], NDArray[np.float64]], bytes]
"""The request of a sensor's readings."""


async def measure_live(
    viewer: Target, sensor_ids: list[str], channels: list[Target], make: MakeBatch, seconds: float
) -> Timing:
    """From when the service received a reading until the viewer of all sensors has it.

    A sensor sends ten times a second, so that the oldest reading of an event says the most.
    """
    asked = "&".join(f"sensor_id={sensor_id}" for sensor_id in sensor_ids)
    found: list[float] = []
    seen = 0

    async def look() -> None:
        nonlocal seen
        async for data in events(viewer, f"/api/v1/telemetry/stream?{asked}"):
            arrived = time.time()
            for series in orjson.loads(data)["series"]:
                waited = arrived - series["first_received_at"] / 1e6
                found.extend([waited] * series["count"])
                seen += series["count"]

    async def send(number: int, target: Target, ends: float) -> int:
        channel = Channel(target)
        sent = 0
        due = time.time() + number / len(channels) / PER_SECOND
        while due < ends:
            await asyncio.sleep(max(0.0, due - time.time()))
            due += 1 / PER_SECOND
            now = int(time.time() * 1e6)
            times = np.arange(now - 1_000_000 // PER_SECOND, now, 1_000_000 // PER_SECOND // EACH)
            await channel.ask(make(number, times[:EACH], np.sin(times[:EACH] / 1e6)))
            sent += EACH
        channel.close()
        return sent

    looking = asyncio.create_task(look())
    await asyncio.sleep(OPENED_SEC)
    ends = time.time() + seconds
    began = time.perf_counter()
    sent = sum(await asyncio.gather(*(send(n, target, ends) for n, target in enumerate(channels))))
    took = time.perf_counter() - began
    deadline = time.monotonic() + SETTLED_SEC * 5
    while seen < sent and time.monotonic() < deadline and not looking.done():  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    looking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await looking
    if seen != sent:
        raise LoadFailed(f"the viewer was shown {seen} of {sent} readings")
    return Timing(found, sent / took)


async def events(target: Target, path: str) -> AsyncGenerator[bytes]:
    """The data of server-sent events, one after the other."""
    left = b""
    async for piece in download(target, path):
        *lines, left = (left + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:]


async def download(target: Target, path: str) -> AsyncGenerator[bytes]:
    """The pieces of an answer that comes in chunks (RFC 9112, section 7.1)."""
    where = urlsplit(target.address)
    reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=PIECE)
    try:
        writer.write(target.request("GET", path))
        head = await reader.readuntil(HEAD_END)
        if not head.startswith(b"HTTP/1.1 200"):
            raise LoadFailed(head.decode())
        while size := int(await reader.readuntil(b"\r\n"), 16):
            piece = await reader.readexactly(size + 2)
            yield piece[:-2]
    finally:
        writer.close()


@dataclass(frozen=True, slots=True)
class Exported:
    """A file: how long it took (s), and by how much the service grew meanwhile."""

    seconds: float
    file_bytes: int
    grown_bytes: int


async def measure_export(
    viewer: Target, sensor_ids: list[str], pid: int, readings: int, folder: Path
) -> Exported:
    """All readings of the sensors as one Parquet file, which is read back and counted."""
    asked = "&".join(f"sensor_id={sensor_id}" for sensor_id in sensor_ids)
    path = f"/api/v1/telemetry/export?format=parquet&values=raw&{asked}"
    service = psutil.Process(pid)
    before = most = _memory(service)
    file = folder / "export.parquet"

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, _memory(service))
            await asyncio.sleep(SAMPLE_SEC)

    watching = asyncio.create_task(watch())
    began = time.perf_counter()
    with file.open("wb") as out:
        async for piece in download(viewer, path):
            out.write(piece)
    took = time.perf_counter() - began
    watching.cancel()
    rows = pq.ParquetFile(file).metadata.num_rows  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    size = file.stat().st_size
    file.unlink()
    if rows != readings:
        raise LoadFailed(f"the export holds {rows} of {readings} readings")
    return Exported(took, size, most - before)


def _memory(process: psutil.Process) -> int:
    return process.memory_info().rss

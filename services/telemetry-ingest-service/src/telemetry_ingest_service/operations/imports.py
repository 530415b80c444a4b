"""Storing a file of readings: piece by piece, each once, however often the file is sent."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

from seriesstore.group import Full
from servicekit.database import Database
from servicekit.problems import NotFound, Unavailable

from telemetry_ingest_service.errors import SensorDecommissioned
from telemetry_ingest_service.models.imports import Imported, ImportQuery
from telemetry_ingest_service.models.readings import MAX_NAMED, Rejected, Sent, named
from telemetry_ingest_service.models.received import Received
from telemetry_ingest_service.models.tables import Reader, Table, form_of
from telemetry_ingest_service.operations.ingest import BufferFull, Stored, Writer
from telemetry_ingest_service.operations.sensors import Sensors

AT_ONCE = 2
"""Files that a process reads at the same time; each takes a core and some tens of megabytes."""
PATIENCE_SEC = 20.0
AGAIN_SEC = 0.2
_FILES = UUID("c34f0f6e-2a1d-5d7e-8e53-7d6f7a1b9c20")

_running = asyncio.Semaphore(AT_ONCE)


async def import_file(
    writer: Writer,
    sensors: Sensors,
    database: Database,
    sensor_id: UUID,
    query: ImportQuery,
    save: Callable[[], Awaitable[tuple[Path, str]]],
) -> Imported:
    """Store what a file holds; `save` receives it and answers its place and SHA-256.

    Readings count as received now. Where this breaks off, what was stored stays, and the same file
    sent again stores the rest.

    Raises:
        NotFound, SensorDecommissioned: there is nobody to store it for.
        Invalid: it cannot be read, from some row on.
        Unavailable: too much is being stored.
    """
    sensor = await sensors.get(database, sensor_id)
    if sensor is None:
        raise NotFound
    if sensor.status != "active":
        raise SensorDecommissioned
    async with _turn():
        path, digest = await save()
        table = await asyncio.to_thread(Table, path)
        try:
            form = form_of(table.names, sensor.signals, ignore_unknown=query.ignore_unknown)
            reader = Reader(table, form, query.time_unit)
            accepted = duplicates = refused_count = set_aside = 0
            refused: list[Rejected] = []
            async with aclosing(_pieces(reader)) as pieces:
                async for number, sent in _numbered(pieces):
                    sent.refuse_signals(sensor.signals)
                    sent.id = uuid5(_FILES, f"{digest} {number}")
                    stored = await _store(writer, sensor_id, sensor.project_id, sent)
                    if stored.set_aside:
                        set_aside += sent.count
                    else:
                        accepted += sent.count
                    duplicates += sent.count if stored.duplicate else 0
                    refused_count += sent.refused_count
                    refused += named(sent.refused)[: MAX_NAMED - len(refused)]
        finally:
            await asyncio.to_thread(table.close)
    return Imported(
        sensor_id=sensor_id,
        rows=reader.rows,
        accepted=accepted,
        duplicates=duplicates,
        signals=sorted(reader.signals & sensor.signals),
        ignored=form.ignored,
        rejected=refused,
        rejected_count=refused_count,
        set_aside=set_aside,
    )


@asynccontextmanager
async def _turn() -> AsyncGenerator[None]:
    if _running.locked():
        msg = f"{AT_ONCE} files are being imported here already."
        raise Unavailable(msg, retry_after=5)
    async with _running:
        yield


async def _pieces(reader: Reader) -> AsyncGenerator[Sent]:
    """The pieces, each made while the event loop does other things."""
    pieces = reader.pieces()
    while (sent := await asyncio.to_thread(next, pieces, None)) is not None:
        yield sent


async def _numbered(pieces: AsyncGenerator[Sent]) -> AsyncGenerator[tuple[int, Sent]]:
    number = 0
    async for sent in pieces:
        yield number, sent
        number += 1


async def _store(writer: Writer, sensor_id: UUID, project_id: UUID, sent: Sent) -> Stored:
    """Wait in line like everybody else; a file is patient, but not for ever."""
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    try:
        async with asyncio.timeout(PATIENCE_SEC):
            while True:
                try:
                    return await writer.submit(Received(sensor_id, project_id, sent, now))
                except (Full, BufferFull):
                    await asyncio.sleep(AGAIN_SEC)
    except TimeoutError as exc:
        msg = "More readings wait to be stored than the database keeps up with; send it again."
        raise Unavailable(msg) from exc

"""Every reading of a part as a file that is written while it is sent."""
# pyarrow says little about its types; what comes out of it is checked by reading it back.
# pyright: basic, reportMissingTypeStubs=false

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from uuid import UUID

import pyarrow as pa
from seriesstore.export import stream_pieces, write_table
from seriesstore.points import Points
from seriesstore.read import snapshot
from servicekit.database import Connection, Database
from servicekit.outbox import note
from servicekit.problems import Unavailable

from telemetry_ingest_service.models.audited import (
    CAPTURE_EXPORTED,
    SENSOR_EXPORTED,
    SessionExportData,
    part_of,
)
from telemetry_ingest_service.models.series import ExportQuery, FileQuery, SessionExportQuery
from telemetry_ingest_service.operations.converting import Converter, converters
from telemetry_ingest_service.operations.series import (
    MayRead,
    Part,
    part_of_session,
    see_sensors,
)
from telemetry_ingest_service.queries.reading import (
    select_profiles,
    select_series,
    select_signals,
    select_window,
    to_us,
)

MOST_AT_ONCE = 4
"""An export holds a connection as long as its reader takes; the others must not run out of them."""

_running = asyncio.Semaphore(MOST_AT_ONCE)

_TEXT = pa.dictionary(pa.int32(), pa.string())
_TIME = pa.timestamp("us", tz="UTC")


@asynccontextmanager
async def export_sensors(
    database: Database, query: ExportQuery, may_read: MayRead
) -> AsyncGenerator[AsyncGenerator[bytes]]:
    """The pieces of a file of sensors' readings; that it was taken is noted before they go out.

    Raises:
        NotFound: a sensor is missing, or the caller may not see it.
        Unavailable: as many exports as may run are running.
    """
    projects = await see_sensors(database, query.sensor_id, may_read)
    sensor_ids = list(projects)
    async with _turn(), database.acquire() as connection:
        known = converters(await select_profiles(connection, sensor_ids))
        part = Part(sensor_ids, query.low, query.high, known)
        told = part_of(query)
        await note(
            connection,
            [
                SENSOR_EXPORTED.event(told, project_id=project_id, subject_id=sensor_id)
                for sensor_id, project_id in projects.items()
            ],
        )
        async with aclosing(_file(connection, part, query, stopped=None)) as pieces:
            yield pieces


@asynccontextmanager
async def export_session(
    database: Database, project_id: UUID, capture_session_id: UUID, query: SessionExportQuery
) -> AsyncGenerator[AsyncGenerator[bytes]]:
    """The pieces of a file of what a capture session holds, its late readings marked.

    That it was taken is noted before they go out.

    Raises:
        NotFound: it is gone, or a sensor is none of its own.
        Unavailable: as many exports as may run are running.
    """
    async with _turn(), database.acquire() as connection:
        part = await part_of_session(connection, capture_session_id, query)
        window = await select_window(connection, capture_session_id)
        stop = window and window.stopped_at
        stopped = to_us(stop) if stop else None
        told = SessionExportData(**dict(part_of(query)), sensor_ids=query.sensor_id)
        event = CAPTURE_EXPORTED.event(told, project_id=project_id, subject_id=capture_session_id)
        await note(connection, [event])
        async with aclosing(_file(connection, part, query, stopped=stopped)) as pieces:
            yield pieces


@asynccontextmanager
async def _turn() -> AsyncGenerator[None]:
    if _running.locked():
        msg = f"{MOST_AT_ONCE} exports are running here already."
        raise Unavailable(msg, retry_after=5)
    async with _running:
        yield


async def _file(
    connection: Connection, part: Part, query: FileQuery, *, stopped: int | None
) -> AsyncGenerator[bytes]:
    fields = [("sensor_id", _TEXT), ("signal", _TEXT), ("time", _TIME), ("received_at", _TIME)]
    if query.values != "physical":
        fields.append(("raw", pa.float64()))
    if query.values != "raw":
        fields.append(("physical", pa.float64()))
    fields += [("unit", _TEXT), ("late", pa.bool_())]
    schema = pa.schema(fields)

    async def batches() -> AsyncGenerator[pa.RecordBatch]:
        if part.low is not None and part.high is not None and part.low > part.high:
            return
        async with snapshot(connection):
            units = await select_signals(connection, part.sensor_ids)
            rows = await select_series(connection, part.sensor_ids)
            names = {
                "sensor_id": [str(row["owner_id"]) for row in rows],
                "signal": [row["key"] for row in rows],
                "unit": [
                    units.get((row["owner_id"], row["key"]), "")
                    if query.values == "raw"
                    else part.converters.of(row["owner_id"], row["key"]).unit(
                        units.get((row["owner_id"], row["key"]), "")
                    )
                    for row in rows
                ],
            }
            for number, row in enumerate(rows):
                if query.signal and row["key"] not in query.signal:
                    continue
                converter = part.converters.of(row["owner_id"], row["key"])
                pieces = stream_pieces(connection, row["id"], low=part.low, high=part.high)
                async for points in pieces:
                    yield await asyncio.to_thread(
                        _batch, points, number, names, converter, schema, stopped
                    )

    async for piece in write_table(batches(), schema, form=query.format):
        yield piece


def _batch(
    points: Points,
    number: int,
    names: dict[str, Sequence[str]],
    converter: Converter,
    schema: pa.Schema,
    stopped: int | None,
) -> pa.RecordBatch:
    count = len(points)
    place = pa.array([number], pa.int32()).take(pa.array([0] * count, pa.int32()))
    received = pa.array(points.time, pa.int64())
    columns: dict[str, pa.Array] = {
        name: pa.DictionaryArray.from_arrays(place, pa.array(texts, pa.string()))
        for name, texts in names.items()
    }
    columns["time"] = pa.array(points.x, pa.int64()).cast(_TIME)
    columns["received_at"] = received.cast(_TIME)
    columns["raw"] = pa.array(points.value, pa.float64(), from_pandas=False)
    if "physical" in schema.names:
        physical, codes = converter.convert(points.x, points.value)
        columns["physical"] = pa.array(physical, pa.float64(), mask=codes != 0)
    late: object = [False] * count
    if stopped is not None and points.time is not None:
        late = points.time > stopped
    columns["late"] = pa.array(late, pa.bool_())
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)

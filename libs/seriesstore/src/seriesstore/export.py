# pyarrow says little about its types; what comes out of it is checked by reading it back.
# pyright: basic, reportMissingTypeStubs=false
"""Exports as streams: Parquet, Arrow IPC or CSV at constant memory, sorted by x."""

import asyncio
import io
from collections.abc import AsyncGenerator, Buffer, Sequence
from typing import Literal, override

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from seriesstore.append import Connection
from seriesstore.codec import unpack
from seriesstore.points import EMPTY, Points, concatenate
from seriesstore.read import snapshot
from seriesstore.summary import Summary

type Format = Literal["parquet", "arrow", "csv"]

_ROWS = 1 << 16
_PREFETCH = 64


async def stream_points(
    connection: Connection, series_id: int, *, low: int | None = None, high: int | None = None
) -> AsyncGenerator[Points]:
    """All points of a range by x, piece by piece, inside the caller's `snapshot`.

    Chunks are read by their first x; what may still be preceded by a later chunk
    is held back, so memory is bounded by how far chunks overlap.
    """
    held: list[tuple[tuple[int, int], Points]] = []
    async for row in connection.cursor(
        """
        SELECT first_ordinal, part, count, points, first_x
        FROM chunks
        WHERE series_id = $1
          AND ($2::bigint IS NULL OR last_x >= $2)
          AND ($3::bigint IS NULL OR first_x <= $3)
        ORDER BY first_x, first_ordinal, part
        """,
        series_id,
        low,
        high,
        prefetch=_PREFETCH,
    ):
        ready, held = _split(held, row["first_x"])
        if len(ready):
            yield ready
        points = unpack(row["points"], row["count"]).sorted().between(low, high)
        held.append(((row["first_ordinal"], row["part"]), points))
    if len(rest := _join(held)):
        yield rest


async def export(
    connection: Connection,
    summaries: Sequence[Summary],
    *,
    form: Format,
    names: tuple[str, str, str, str] = ("key", "x", "value", "time"),
    low: int | None = None,
    high: int | None = None,
) -> AsyncGenerator[bytes]:
    """Series one after the other as one table (key, x, value, time), in pieces of bytes.

    `names` are the column names. Values are exact in every format; NaN and ±Inf are
    written as themselves.
    """
    schema = pa.schema(
        [
            (names[0], pa.dictionary(pa.int32(), pa.string())),
            (names[1], pa.int64()),
            (names[2], pa.float64()),
            (names[3], pa.timestamp("us", tz="UTC")),
        ]
    )
    keys = pa.array([summary.key for summary in summaries], pa.string())

    async def batches() -> AsyncGenerator[pa.RecordBatch]:
        async with snapshot(connection):
            for number, summary in enumerate(summaries):
                pieces = stream_pieces(connection, summary.id, low=low, high=high)
                async for points in pieces:
                    yield await asyncio.to_thread(_table, points, number, keys, schema)

    async for piece in write_table(batches(), schema, form=form):
        yield piece


async def stream_pieces(
    connection: Connection, series_id: int, *, low: int | None = None, high: int | None = None
) -> AsyncGenerator[Points]:
    """`stream_points` in pieces that are worth a batch of a table: some 65,000 points."""
    pending = EMPTY
    async for points in stream_points(connection, series_id, low=low, high=high):
        pending = concatenate([pending, points]) if len(pending) else points
        if len(pending) >= _ROWS:
            yield pending
            pending = EMPTY
    if len(pending):
        yield pending


async def write_table(
    batches: AsyncGenerator[pa.RecordBatch], schema: pa.Schema, *, form: Format
) -> AsyncGenerator[bytes]:
    """A table as a file, in pieces of bytes that are ready when its batches are."""
    sink = _Pipe()
    writer = _writer(form, sink, schema)
    async for batch in batches:
        # Encoding takes milliseconds: it is done beside the event loop.
        await asyncio.to_thread(writer.write_batch, batch)
        if piece := sink.drain():
            yield piece
    writer.close()
    yield sink.drain()


def _split(
    held: list[tuple[tuple[int, int], Points]], before: int
) -> tuple[Points, list[tuple[tuple[int, int], Points]]]:
    """What lies before x, in order, and what has to wait."""
    ready = [(place, points.between(None, before - 1)) for place, points in held]
    waiting = [(place, points.between(before, None)) for place, points in held]
    return _join(ready), [(place, points) for place, points in waiting if len(points)]


def _join(parts: list[tuple[tuple[int, int], Points]]) -> Points:
    return concatenate([points for _, points in sorted(parts, key=lambda part: part[0])]).sorted()


def _table(points: Points, number: int, keys: pa.Array, schema: pa.Schema) -> pa.RecordBatch:
    count = len(points)
    indices = pa.array([number], pa.int32()).take(pa.array([0] * count, pa.int32()))
    time = (
        pa.nulls(count, schema.field(3).type)
        if points.time is None
        else pa.array(points.time, pa.int64()).cast(schema.field(3).type)
    )
    columns = [
        pa.DictionaryArray.from_arrays(indices, keys),
        pa.array(points.x, pa.int64()),
        pa.array(points.value, pa.float64(), from_pandas=False),
        time,
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


class _Pipe(io.RawIOBase):
    """A file that is only appended to; what was taken out still counts for the position."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._position = 0

    @override
    def writable(self) -> bool:
        return True

    @override
    def tell(self) -> int:
        return self._position

    @override
    def write(self, data: Buffer, /) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._position += len(piece)
        return len(piece)

    def drain(self) -> bytes:
        """What was written since the last call."""
        data, self._pieces = b"".join(self._pieces), []
        return data

    @override
    def close(self) -> None:
        """Stay open: writers close their file, and the last pieces are taken out afterwards."""


class _CsvWriter:
    """pyarrow's CSV writer with dictionaries written as their texts."""

    def __init__(self, sink: _Pipe, schema: pa.Schema) -> None:
        self._schema = pa.schema(
            pa.field(field.name, pa.string()) if pa.types.is_dictionary(field.type) else field
            for field in schema
        )
        self._writer = pa_csv.CSVWriter(sink, self._schema)

    def write_batch(self, batch: pa.RecordBatch) -> None:
        columns = [
            column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
            for column in batch.columns
        ]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


type _Writer = pa_parquet.ParquetWriter | pa.RecordBatchStreamWriter | _CsvWriter


def _writer(form: Format, sink: _Pipe, schema: pa.Schema) -> _Writer:
    match form:
        case "parquet":
            return pa_parquet.ParquetWriter(sink, schema, compression="zstd")
        case "arrow":
            return pa.ipc.new_stream(sink, schema)
        case "csv":
            return _CsvWriter(sink, schema)

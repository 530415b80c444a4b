"""What can be shown of a file, of however large or hostile a one, at little memory and time."""

import asyncio
from typing import Any
from uuid import UUID

import orjson
from servicekit.database import Database

from artifact_service.models.kinds import kind_of
from artifact_service.models.previews import Preview, PreviewKind, PreviewQuery, PreviewTable
from artifact_service.operations.details import holder_of, read_by_id
from artifact_service.operations.telling import Reader, tell_of_read
from artifact_service.previews.parquet import read_rows
from artifact_service.previews.texts import decode, table_of
from artifact_service.queries.details import DetailedArtifact
from artifact_service.stores.contract import Store, key_of

TEXT_BYTES = 256 << 10
LONG_TEXT_BYTES = 1 << 20
CSV_BYTES = 4 << 20
PLOT_BYTES = 8 << 20
_IN_PLACE = frozenset({"image", "svg", "pdf", "audio", "video", "html"})
_VEGA = ("https://vega.github.io/schema/vega", "http://vega.github.io/schema/vega")
_PLOTLY_MORE = {"frames", "config"}


async def preview(
    database: Database, store: Store, reader: Reader, artifact_id: UUID, query: PreviewQuery
) -> Preview:
    """What can be shown of a file.

    Raises:
        NotFound: there is no such file.
        StoreUnavailable: it cannot be read.
    """
    artifact = await read_by_id(database, artifact_id)
    kind = kind_of(artifact.path, artifact.size, artifact.detected_media_type).preview
    if kind == "none":
        return Preview(kind=kind, reason="Files of this kind are not shown.")
    if kind in _IN_PLACE:
        return Preview(kind=kind)
    await tell_of_read(database, reader, holder_of(artifact), artifact, way="preview")
    if kind == "table":
        if artifact.detected_media_type == "application/x-parquet":
            return await _parquet(store, artifact, query)
        return await _csv(store, artifact, query)
    if kind in {"json", "plotly", "vega"}:
        return await _json(store, artifact, kind)
    most = LONG_TEXT_BYTES if kind == "markdown" else TEXT_BYTES
    return await _text(store, artifact, kind, most=most)


async def _parquet(store: Store, artifact: DetailedArtifact, query: PreviewQuery) -> Preview:
    key = key_of(artifact.object_id)
    answer = await read_rows(
        lambda begin, end: store.read(key, begin, end),
        size=artifact.size,
        rows=query.rows,
        offset=query.offset,
    )
    reason = answer.pop("reason", None)
    if "columns" not in answer:
        return Preview(kind="none", reason=reason)
    table = PreviewTable.model_validate(answer)
    more = (table.row_count or 0) > query.offset + len(table.rows)
    return Preview(kind="table", table=table, truncated=more, reason=reason)


async def _csv(store: Store, artifact: DetailedArtifact, query: PreviewQuery) -> Preview:
    head, whole = await _head(store, artifact, CSV_BYTES)

    def read() -> Preview:
        table, more, wrong = table_of(
            decode(head, whole=whole),
            tabs=artifact.path.lower().endswith((".tsv", ".tab")),
            rows=query.rows,
            offset=query.offset,
            whole=whole,
        )
        if not wrong and not whole:
            wrong = f"Rows behind the first {CSV_BYTES >> 20} MiB are not shown."
        return Preview(kind="table", table=table, truncated=more, reason=wrong)

    return await asyncio.to_thread(read)


async def _json(store: Store, artifact: DetailedArtifact, kind: PreviewKind) -> Preview:
    plot = kind in {"plotly", "vega"}
    head, whole = await _head(store, artifact, PLOT_BYTES if plot else LONG_TEXT_BYTES)
    text = await asyncio.to_thread(decode, head, whole=whole)
    if not whole:
        reason = "It is too large to be drawn." if plot else None
        return Preview(kind="json", text=text[:LONG_TEXT_BYTES], truncated=True, reason=reason)
    if len(head) > LONG_TEXT_BYTES:
        return Preview(kind=kind, text=text)
    found = await asyncio.to_thread(_look, text)
    if found is None:
        reason = "It is not JSON, or nested too deeply."
        return Preview(kind="text", text=text, reason=reason)
    return Preview(kind=found, text=text)


def _look(text: str) -> PreviewKind | None:
    """What a JSON text is; None where it is none that can be read."""
    try:
        value: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    match value:
        case {"$schema": str(schema)} if schema.startswith(_VEGA):
            return "vega"
        case {"data": [*_], "layout": {}, **more} if set(more) <= _PLOTLY_MORE:
            return "plotly"
        case _:
            return "json"


async def _text(
    store: Store, artifact: DetailedArtifact, kind: PreviewKind, *, most: int
) -> Preview:
    head, whole = await _head(store, artifact, most)
    text = await asyncio.to_thread(decode, head, whole=whole)
    return Preview(kind=kind, text=text, truncated=not whole)


async def _head(store: Store, artifact: DetailedArtifact, most: int) -> tuple[bytes, bool]:
    """The beginning of a file, and whether that is all of it."""
    end = min(artifact.size, most)
    blocks = [block async for block in store.read(key_of(artifact.object_id), 0, end)]
    return b"".join(blocks), end == artifact.size

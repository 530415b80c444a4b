"""Histories as MLflow's JSON, written from columns: a million points in less than a second."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np
import orjson
from aiohttp import web

from metrics_service.mlflow.history import History

ROWS_AT_ONCE = 20_000
STALL_SEC = 30.0


async def send_metrics(
    request: web.Request,
    histories: Sequence[History],
    *,
    with_run: bool,
    token: str = "",
    always: bool = False,
) -> web.StreamResponse:
    """Answer with `metrics` and, if there is more, `next_page_token`.

    An empty list is left out, as MLflow does but where it is `always` said.
    """
    tail = f',"next_page_token":{orjson.dumps(token).decode()}}}' if token else "}"
    if sum(map(len, histories)) <= ROWS_AT_ONCE:
        rows = ",".join(_rows(one, with_run=with_run) for one in histories if len(one))
        body = f'{{"metrics":[{rows}]{tail}' if rows or always else "{}"
        return web.Response(body=body.encode(), content_type="application/json")
    response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
    await response.prepare(request)
    await _write(response, '{"metrics":[')
    async for piece in _pieces(histories, with_run=with_run):
        await _write(response, piece)
    await _write(response, f"]{tail}")
    await response.write_eof()
    return response


async def _pieces(histories: Sequence[History], *, with_run: bool) -> AsyncIterator[str]:
    comma = ""
    for history in histories:
        for start in range(0, len(history), ROWS_AT_ONCE):
            part = history.take(slice(start, start + ROWS_AT_ONCE))
            yield comma + await asyncio.to_thread(_rows, part, with_run=with_run)
            comma = ","


async def _write(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(STALL_SEC):
        await response.write(text.encode())


def _rows(history: History, *, with_run: bool) -> str:
    """The points as JSON objects with commas between them."""
    if not len(history):
        return ""
    head = f'{{"key":{orjson.dumps(history.key).decode()},"value":'
    end = f',"run_id":"{history.run_id.hex}"}}' if with_run else "}"
    values = _texts(history.value)
    for place in np.flatnonzero(~np.isfinite(history.value)).tolist():
        value = history.value[place]
        values[place] = '"NaN"' if np.isnan(value) else f'"{"-" if value < 0 else ""}Infinity"'
    rows = zip(values, _texts(history.timestamp), _texts(history.step), strict=True)
    return ",".join(
        [
            f'{head}{value},"timestamp":{timestamp},"step":{step}{end}'
            for value, timestamp, step in rows
        ]
    )


def _texts(column: np.ndarray[tuple[int], np.dtype[np.generic]]) -> list[str]:
    """Each number of a column as JSON; what is not finite reads null."""
    column = np.ascontiguousarray(column)
    return orjson.dumps(column, option=orjson.OPT_SERIALIZE_NUMPY).decode()[1:-1].split(",")

"""Files that are made while they are sent, at the reader's pace."""

import asyncio
from collections.abc import AsyncIterator

import structlog
from aiohttp import web

log = structlog.get_logger()

STALL_SEC = 20.0


async def stream_file(
    request: web.Request, pieces: AsyncIterator[bytes], *, content_type: str, name: str
) -> web.StreamResponse:
    """Answer with a file in pieces; each waits until the reader has taken the one before.

    A reader who takes nothing for 20 s is sent away. What fails behind the head ends the connection
    without the last piece, so that nobody takes a part for the whole.
    """
    response = web.StreamResponse(
        headers={
            "Content-Type": content_type,
            "Content-Disposition": f'attachment; filename="{name}"',
        }
    )
    first = await anext(aiter(pieces), b"")  # what fails at once is still a problem document
    await response.prepare(request)
    try:
        await _send(response, first)
        async for piece in pieces:
            await _send(response, piece)
        await response.write_eof()
    except (ConnectionError, TimeoutError):
        _abort(request)
    except Exception:
        log.exception("file.broken_off")
        _abort(request)
    return response


async def _send(response: web.StreamResponse, piece: bytes) -> None:
    if piece:
        async with asyncio.timeout(STALL_SEC):
            await response.write(piece)


def _abort(request: web.Request) -> None:
    if request.transport:
        request.transport.abort()

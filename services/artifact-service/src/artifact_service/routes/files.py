"""A stored file as an HTTP answer: for downloading, never for a browser to run."""

import asyncio
from email.utils import format_datetime
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import web
from servicekit.database import DATABASE
from servicekit.problems import Problem

from artifact_service.models.artifacts import OCTETS, Holder, StoredArtifact
from artifact_service.models.digests import sha256_header
from artifact_service.models.kinds import kind_of
from artifact_service.models.ranges import requested_range
from artifact_service.operations.telling import tell_of_read
from artifact_service.routes.access import reader_of
from artifact_service.stores.contract import Store, key_of

# A reader that takes less than a piece in this time is sent away.
STALL_SEC = 30.0
PIECE_BYTES = 1 << 20

# What is shown in place: in an origin of its own, without scripts, forms and requests to anywhere.
_SANDBOX = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; "
    "font-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)

# Types that a browser may run; `attachment` keeps it from that, and so does their not being said.
_ACTIVE = frozenset(
    {
        "application/javascript",
        "application/xhtml+xml",
        "application/xml",
        "image/svg+xml",
        "text/html",
        "text/javascript",
        "text/xml",
    }
)


async def send_file(
    request: web.Request,
    store: Store,
    artifact: StoredArtifact,
    holder: Holder,
    *,
    in_place: bool = False,
) -> web.StreamResponse:
    """The file, the part that `Range` names, or 304 where the caller has it already.

    `in_place` is for a page to embed it, where it is of a kind that a browser shows without running
    anything of it; all else is for saving. That it was read is noted before any of it goes out.

    Raises:
        RangeNotSatisfiable, StoreUnavailable: before the head is sent.
    """
    headers = _headers(artifact) | (_shown_in_place(artifact) if in_place else {})
    if _is_known(request, headers["ETag"]):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": headers["ETag"]})
    whole = request.headers.get("If-Range") not in {None, headers["ETag"]}
    part = None if whole else requested_range(request.headers.get("Range"), artifact.size)
    start, end = part or (0, artifact.size)
    response = web.StreamResponse(headers=headers)
    if part:
        response.set_status(HTTPStatus.PARTIAL_CONTENT)
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{artifact.size}"
    response.content_length = end - start
    blocks = store.read(key_of(artifact.object_id), start, end)
    try:
        first = await anext(blocks, b"")  # whether it can be read shows before the head is out
        await tell_of_read(
            request.app[DATABASE], reader_of(request), holder, artifact, way="download"
        )
        await response.prepare(request)
        await _write(response, first)
        async for block in blocks:
            await _write(response, block)
        await response.write_eof()
    except (ConnectionError, TimeoutError, Problem):
        if not response.prepared:
            raise
        # The head is out, and a short body must not pass for the whole.
        if request.transport:
            request.transport.abort()
    finally:
        await blocks.aclose()
    return response


async def send_head(request: web.Request, artifact: StoredArtifact) -> web.StreamResponse:
    """What `send_file` would say of the file."""
    response = web.StreamResponse(headers=_headers(artifact))
    response.content_length = artifact.size
    await response.prepare(request)
    await response.write_eof()
    return response


async def _write(response: web.StreamResponse, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        async with asyncio.timeout(STALL_SEC):
            await response.write(rest[:PIECE_BYTES])
        rest = rest[PIECE_BYTES:]


def _is_known(request: web.Request, etag: str) -> bool:
    known = request.headers.get("If-None-Match", "")
    return known.strip() == "*" or etag in (one.strip() for one in known.split(","))


def saved_as(name: str) -> dict[str, str]:
    """Headers of what a browser may save under the name, and not show."""
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
    }


def _headers(artifact: StoredArtifact) -> dict[str, str]:
    return saved_as(artifact.path.rpartition("/")[2]) | {
        "Content-Type": OCTETS if artifact.media_type in _ACTIVE else artifact.media_type,
        "Accept-Ranges": "bytes",
        "ETag": f'"{artifact.sha256.hex()}"',
        "Repr-Digest": sha256_header(artifact.sha256),
        "Last-Modified": format_datetime(artifact.created_at, usegmt=True),
    }


def _shown_in_place(artifact: StoredArtifact) -> dict[str, str]:
    inline = kind_of(artifact.path, artifact.size, artifact.detected_media_type).inline
    if inline is None:
        return {}
    # Browsers show no PDF in a sandbox; their viewer is one, of another origin than ours.
    sandbox = "" if inline == "application/pdf" else "sandbox; "
    return {
        "Content-Type": inline,
        "Content-Disposition": "inline",
        "Content-Security-Policy": sandbox + _SANDBOX,
    }

"""A request's body in pieces, as they arrive."""

from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage
from servicekit.bodies import CLOSE
from servicekit.problems import Malformed

from artifact_service.operations.receiving import at_least


def body_of(request: web.Request) -> AsyncIterator[bytes]:
    """The pieces of the body.

    Raises:
        RequestTimeout: they come too slowly.
        Malformed: the body ends early, or its encoding is broken.
    """
    return at_least(_pieces(request))


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    try:
        while piece := await request.content.readany():
            yield piece
    except (web.RequestPayloadError, BadHttpMessage, ConnectionError) as exc:
        msg = "The body does not arrive as its headers say."
        raise Malformed(msg, headers=CLOSE) from exc

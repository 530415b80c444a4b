"""Much content over a connection of its own: at the speed of the socket, without the layers that
requests of a few kilobytes go through.
"""

import http.client
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

# From here on it pays to open a connection for it.
DIRECT_BYTES = 4 * 1024 * 1024
BLOCK = 1024 * 1024
LARGEST_REFUSAL = 256 * 1024


class Reply(NamedTuple):
    """An answer whose content is small."""

    status: int
    headers: dict[str, str]
    content: bytes


class Refused(Exception):
    """The server answers with something else than the content that was asked for."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def proxied(url: str) -> bool:
    """Whether a proxy of the environment stands between here and this address."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host)


def send(
    url: str,
    headers: Mapping[str, str],
    pieces: Iterable[bytes],
    *,
    connect_timeout: float,
    timeout: float,
) -> Reply:
    """PUT pieces, whose length the headers say. Raises OSError, http.client.HTTPException, and what
    reading the pieces raises.
    """
    parts = urlsplit(url)
    connection = _connected(parts, connect_timeout, timeout)
    try:
        connection.putrequest("PUT", _target(parts), skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        try:
            for piece in pieces:
                connection.send(piece)
        except (BrokenPipeError, ConnectionResetError):
            # A server that refuses does not wait for the rest; it may have said why.
            pass
        return _reply(connection.getresponse())
    finally:
        connection.close()


def receive(
    url: str,
    headers: Mapping[str, str],
    *,
    content_range: str,
    connect_timeout: float,
    timeout: float,
) -> Iterator[memoryview]:
    """GET a part of a file in pieces, each of which is good until the next one. Raises OSError,
    http.client.HTTPException, Refused for an answer that is not this part.
    """
    parts = urlsplit(url)
    connection = _connected(parts, connect_timeout, timeout)
    try:
        connection.putrequest("GET", _target(parts), skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        given = (response.getheader("content-range") or "").partition("/")[0]
        if response.status != http.client.PARTIAL_CONTENT or given != content_range:
            whole = response.status < http.client.MULTIPLE_CHOICES
            raise Refused(_reply(response, limit=0 if whole else LARGEST_REFUSAL))
        block = memoryview(bytearray(BLOCK))
        while count := response.readinto(block):
            yield block[:count]
    finally:
        connection.close()


def _connected(
    parts: SplitResult, connect_timeout: float, timeout: float
) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        import httpx  # noqa: PLC0415 - trusts the same certificates as every other request

        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, parts.port, timeout=connect_timeout, context=httpx.create_ssl_context()
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=connect_timeout)
    connection.connect()
    connection.sock.settimeout(timeout)
    return connection


def _target(parts: SplitResult) -> str:
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _reply(response: http.client.HTTPResponse, *, limit: int = LARGEST_REFUSAL) -> Reply:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, headers, response.read(limit))

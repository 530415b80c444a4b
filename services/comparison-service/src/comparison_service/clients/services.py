"""The other services, read in bulk with the caller's own token."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any, Literal

import aiohttp
import orjson
from aiohttp import web
from servicekit.peers import Peers
from servicekit.problems import Forbidden, NotFound, Unauthenticated
from servicekit.tracing import current_trace

type ServiceName = Literal[
    "experiment-service", "telemetry-ingest-service", "metrics-service", "artifact-service"
]

# So many reads of one service are under way at a time; further ones wait for their turn.
AT_ONCE = 12
MOST_BYTES = 64 << 20
# Who asks, in whichever way they said it.
_WHO = ("Authorization", "X-Debug-User", "X-Debug-Role")


class NoAnswer(Exception):
    """A service does not answer, or not with what was asked for; its text is for the caller."""


class TooLong(NoAnswer):
    """An answer is longer than is kept in memory."""


class Caller:
    """Whoever asks, as the other services are told: their credentials and the trace."""

    def __init__(self, request: web.Request) -> None:
        self.headers = {name: request.headers[name] for name in _WHO if name in request.headers}
        if trace := current_trace():
            self.headers |= {"traceparent": trace.traceparent(), "X-Request-Id": trace.request_id}


class Services:
    """A pool of connections to each of the other services."""

    def __init__(self, addresses: Mapping[ServiceName, str], *, timeout_sec: float) -> None:
        self._peers = {name: Peers(urls) for name, urls in addresses.items()}
        self._timeout_sec = timeout_sec
        self._session: aiohttp.ClientSession | None = None
        self._turns = {name: asyncio.Semaphore(AT_ONCE) for name in addresses}

    async def context(self, app: web.Application) -> AsyncIterator[None]:
        """Keep the connections while the service runs."""
        app[SERVICES] = self
        # Closed before the other side closes them, so that no call meets a closed one.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=4)
        async with aiohttp.ClientSession(connector=connector) as self._session:
            yield

    async def read(
        self,
        caller: Caller,
        service: ServiceName,
        path: str,
        *,
        body: object = None,
        params: list[tuple[str, str]] | None = None,
    ) -> Any:
        """What a service answers, as JSON: to a POST with `body`, or to a GET with `params`.

        Raises:
            NotFound: something that is named is missing, or hidden from the caller.
            Unauthenticated, Forbidden: the service does not let the caller in.
            NoAnswer: it does not answer in time, or not with what was asked for.
        """
        try:
            async with asyncio.timeout(self._timeout_sec), self._turns[service]:
                status, answer = await self._ask(caller, service, path, body, params)
        except TimeoutError as exc:
            msg = f"{service} did not answer within {self._timeout_sec:g} s"
            raise NoAnswer(msg) from exc
        except aiohttp.ClientError as exc:
            msg = f"{service} does not answer"
            raise NoAnswer(msg) from exc
        if status == HTTPStatus.OK:
            return _decoded(service, answer)
        raise _refusal(service, status, answer)

    async def _ask(
        self,
        caller: Caller,
        service: ServiceName,
        path: str,
        body: object,
        params: list[tuple[str, str]] | None,
    ) -> tuple[int, bytes]:
        if self._session is None:
            raise NoAnswer(service)
        failure: aiohttp.ClientError | None = None
        # All of this is reading: it may be asked again, of the next address or the same.
        for _ in range(2):
            for address in self._peers[service].each():
                try:
                    async with self._session.request(
                        "GET" if body is None else "POST",
                        f"{address}{path}",
                        params=params,
                        data=None if body is None else orjson.dumps(body),
                        headers=caller.headers | {"Content-Type": "application/json"},
                        allow_redirects=False,
                    ) as response:
                        return response.status, await _body(service, response)
                except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as exc:
                    failure = exc
        raise failure or aiohttp.ClientError


async def _body(service: str, response: aiohttp.ClientResponse) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > MOST_BYTES:
            response.close()
            msg = f"{service} has more to say of this than is read at once"
            raise TooLong(msg)
        pieces.append(piece)
    return b"".join(pieces)


def _decoded(service: str, answer: bytes) -> Any:
    try:
        return orjson.loads(answer)
    except orjson.JSONDecodeError as exc:
        msg = f"{service} answered something else than JSON"
        raise NoAnswer(msg) from exc


class ForbiddenThere(Forbidden):
    """You may not do this."""  # the service that refused it has noted the denial


def _refusal(service: str, status: int, answer: bytes) -> Exception:
    try:
        detail = str(orjson.loads(answer).get("detail", ""))
    except (orjson.JSONDecodeError, AttributeError):
        detail = ""
    match status:
        case HTTPStatus.NOT_FOUND:
            return NotFound(detail)
        case HTTPStatus.UNAUTHORIZED:
            return Unauthenticated(detail)
        case HTTPStatus.FORBIDDEN:
            return ForbiddenThere(detail)
        case _:
            return NoAnswer(f"{service} answered {status}" + (f": {detail}" if detail else ""))


SERVICES = web.AppKey("services", Services)

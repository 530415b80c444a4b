"""experiment-service, as far as a batch of an MLflow client has parts that belong to it."""

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus

import aiohttp
import orjson
from aiohttp import web
from servicekit.mlflow import MlflowError
from servicekit.peers import Peers
from servicekit.problems import Unavailable
from servicekit.tracing import current_trace

TIMEOUT = aiohttp.ClientTimeout(total=20, connect=3)
CONNECTIONS = 64
_AWAY = "experiment-service does not answer."
# Who asks, in whichever way they said it.
_WHO = ("Authorization", "X-Debug-User", "X-Debug-Role")


class Refused(MlflowError):
    """experiment-service refuses its part of the batch."""

    def __init__(self, error_code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.error_code, self.status = error_code, status  # pyright: ignore[reportAttributeAccessIssue]


class Experiments:
    """A pool of connections to experiment-service; every call has the caller's own credentials."""

    def __init__(self, addresses: str) -> None:
        self._peers = Peers(addresses)
        self._session: aiohttp.ClientSession | None = None

    async def context(self, app: web.Application) -> AsyncIterator[None]:
        """Keep the connections while the service runs."""
        app[EXPERIMENTS] = self
        # Closed before the other side closes them, so that no call meets a closed one.
        connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=4)
        async with aiohttp.ClientSession(timeout=TIMEOUT, connector=connector) as self._session:
            yield

    async def log_batch(self, request: web.Request, batch: Mapping[str, object]) -> None:
        """Hand on params, tags and metrics of logged models; all of them are stored or none.

        Raises:
            Refused: they are not taken, for the reason that the caller is told.
            Unavailable: experiment-service does not answer.
        """
        if self._session is None or not self._peers:
            msg = "EXPERIMENT_SERVICE_URL is not set: params and tags cannot be logged here."
            raise Unavailable(msg)
        headers = {name: request.headers[name] for name in _WHO if name in request.headers}
        headers["Content-Type"] = "application/json"
        if trace := current_trace():
            headers |= {"traceparent": trace.traceparent(), "X-Request-Id": trace.request_id}
        status, answer = await self._post(self._session, orjson.dumps(batch), headers)
        if status != HTTPStatus.OK:
            raise _refusal(status, answer)

    async def _post(
        self, session: aiohttp.ClientSession, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        for address in self._peers.each():
            try:
                async with session.post(
                    f"{address}/api/2.0/mlflow/runs/log-batch",
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                ) as response:
                    return response.status, await response.read()
            except aiohttp.ClientConnectorError:
                continue  # nobody is there: nothing was sent
            except (aiohttp.ClientError, TimeoutError) as exc:
                raise Unavailable(_AWAY) from exc
        raise Unavailable(_AWAY)


def _refusal(status: int, answer: bytes) -> Exception:
    try:
        told = orjson.loads(answer)
        refusal = Refused(str(told["error_code"]), str(told["message"]), status)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return Unavailable(f"experiment-service answered {status}.")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(refusal.detail)
    return refusal


EXPERIMENTS = web.AppKey("experiments", Experiments)

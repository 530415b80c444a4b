"""experiment-service, as far as a batch of an MLflow client has parts that belong to it."""

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus

import aiohttp
import orjson
from aiohttp import web
from servicekit.mlflow import MlflowError
from servicekit.problems import Unavailable
from servicekit.tracing import current_trace

TIMEOUT = aiohttp.ClientTimeout(total=20, connect=3)
CONNECTIONS = 64
# Who asks, in whichever way they said it.
_WHO = ("Authorization", "X-Debug-User", "X-Debug-Role")


class Refused(MlflowError):
    """experiment-service refuses its part of the batch."""

    def __init__(self, error_code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.error_code, self.status = error_code, status  # pyright: ignore[reportAttributeAccessIssue]


class Experiments:
    """A pool of connections to experiment-service; every call has the caller's own credentials."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def context(self, app: web.Application) -> AsyncIterator[None]:
        """Keep the connections while the service runs."""
        app[EXPERIMENTS] = self
        # Closed before the other side closes them, so that no call meets a closed one.
        connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=10)
        async with aiohttp.ClientSession(timeout=TIMEOUT, connector=connector) as self._session:
            yield

    async def log_batch(self, request: web.Request, batch: Mapping[str, object]) -> None:
        """Hand on params, tags and metrics of logged models; all of them are stored or none.

        Raises:
            Refused: they are not taken, for the reason that the caller is told.
            Unavailable: experiment-service does not answer.
        """
        if self._session is None or not self._url:
            msg = "EXPERIMENT_SERVICE_URL is not set: params and tags cannot be logged here."
            raise Unavailable(msg)
        headers = {name: request.headers[name] for name in _WHO if name in request.headers}
        headers["Content-Type"] = "application/json"
        if trace := current_trace():
            headers |= {"traceparent": trace.traceparent(), "X-Request-Id": trace.request_id}
        try:
            async with self._session.post(
                f"{self._url}/api/2.0/mlflow/runs/log-batch",
                data=orjson.dumps(batch),
                headers=headers,
                allow_redirects=False,
            ) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError) as exc:
            msg = "experiment-service does not answer."
            raise Unavailable(msg) from exc
        if response.status != HTTPStatus.OK:
            raise _refusal(response.status, answer)


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

"""What the program says of itself: one line and one measurement a request.

Paths appear as route templates only, so neither ids nor secrets in an address
reach a log line, a metric or a span name.
"""

from functools import lru_cache
from time import monotonic, perf_counter
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    Gauge,
    Histogram,
    generate_latest,
)

from servicekit.addresses import TRUSTED_PROXIES, address_of
from servicekit.events import note_actor, note_address
from servicekit.identity import PRINCIPAL
from servicekit.spans import end_span, parent_of, request_span, route_of
from servicekit.tracing import begin_trace

log = structlog.get_logger()

REQUESTS = Histogram(
    "http_server_request_duration_seconds",
    "Time from the request's head to the end of its answer.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
ACTIVE = Gauge("http_server_active_requests", "Requests being served.")

ARRIVED = web.RequestKey("arrived", float)
"""When the request's head was read, on this process's monotonic clock, in seconds."""

_QUIET = frozenset({"/health", "/ready", "/metrics"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@web.middleware
async def request_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Begin or continue the trace, serve, then log and measure what came of it."""
    began = perf_counter()
    request[ARRIVED] = monotonic()
    note_actor(None)
    note_address(lambda: str(address_of(request, request.app.get(TRUSTED_PROXIES, ()))))
    status = 500
    ACTIVE.inc()
    with request_span(request) as span:
        trace = begin_trace(
            request.headers.get("traceparent", ""),
            request.headers.get("X-Request-Id", ""),
            span=parent_of(span),
        )
        try:
            response = await handler(request)
        except web.HTTPException as answer:
            status = answer.status
            raise
        else:
            status = response.status
            if not response.prepared:
                response.headers["X-Request-Id"] = trace.request_id
                response.headers["traceresponse"] = trace.traceparent()
            return response
        finally:
            ACTIVE.dec()
            end_span(span, status)
            _note(request, status, perf_counter() - began)


async def metrics(_request: web.Request) -> web.Response:
    """Everything measured so far, for Prometheus."""
    return web.Response(
        body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST}
    )


@lru_cache(maxsize=4096)
def _requests(method: str, route: str, status: int) -> Histogram:
    return REQUESTS.labels(method, route, str(status))


def _note(request: web.Request, status: int, seconds: float) -> None:
    route = route_of(request)
    method = request.method if request.method in _METHODS else "other"
    _requests(method, route, status).observe(seconds)
    if route in _QUIET:
        return
    principal = request.get(PRINCIPAL)
    fields: dict[str, Any] = {
        "method": method,
        "route": route,
        "status": status,
        "ms": round(seconds * 1000, 1),
        "user_id": str(principal.user_id) if principal else None,
    }
    log.info("request.served", **fields)

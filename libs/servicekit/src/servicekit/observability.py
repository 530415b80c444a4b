"""What the program says of itself: one line and one measurement a request, traces when asked.

Paths appear as route templates only, so neither ids nor secrets in an address
reach a log line, a metric or a span name.
"""

import sys
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

from servicekit.identity import PRINCIPAL
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
    trace = begin_trace(
        request.headers.get("traceparent", ""),
        request.headers.get("X-Request-Id", ""),
        trace_id=_span_trace_id(),
    )
    began = perf_counter()
    request[ARRIVED] = monotonic()
    status = 500
    ACTIVE.inc()
    try:
        response = await handler(request)
        status = response.status
        if not response.prepared:
            response.headers["X-Request-Id"] = trace.request_id
            response.headers["traceresponse"] = trace.traceparent()
        return response
    finally:
        ACTIVE.dec()
        _note(request, status, perf_counter() - began)


async def metrics(_request: web.Request) -> web.Response:
    """Everything measured so far, for Prometheus."""
    return web.Response(
        body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST}
    )


def start_tracing(service: str, version: str, endpoint: str) -> None:
    """Send spans of requests and SQL to an OTLP endpoint over HTTP; call before the app is made.

    The queue is bounded and drops when the endpoint is away; requests never wait for it.
    """
    # Imported here: without an endpoint nobody pays for loading OpenTelemetry.
    from opentelemetry import trace  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.instrumentation.aiohttp_server import (  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
        AioHttpServerInstrumentor,
    )
    from opentelemetry.instrumentation.asyncpg import (  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
        AsyncPGInstrumentor,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    resource = Resource.create({"service.name": service, "service.version": version})
    provider = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    AioHttpServerInstrumentor().instrument()
    AsyncPGInstrumentor().instrument()


def _span_trace_id() -> str | None:
    if "opentelemetry.trace" not in sys.modules:
        return None
    from opentelemetry import trace  # noqa: PLC0415

    context = trace.get_current_span().get_span_context()
    return format(context.trace_id, "032x") if context.is_valid else None


@lru_cache(maxsize=4096)
def _requests(method: str, route: str, status: int) -> Histogram:
    return REQUESTS.labels(method, route, str(status))


def _note(request: web.Request, status: int, seconds: float) -> None:
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "unmatched"
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

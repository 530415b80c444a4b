"""Spans of requests and of the SQL in them, for an OTLP endpoint, where one is set.

A span is named by its route template and has no path, query, header or argument of a statement:
what somebody sent, secrets among it, stays here. Without an endpoint nothing is loaded for this.
"""

from collections.abc import Generator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

from aiohttp import web

from servicekit.tracing import Parent

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

# Probes, and what services ask each other every few seconds: they would be most of all spans.
UNTRACED = frozenset(
    {"/health", "/ready", "/metrics", "/.well-known/revocations", "/.well-known/jwks.json"}
)
SERVER_ERROR = 500
END_WITHIN_SEC = 3.0

_provider: "TracerProvider | None" = None
_tracer: "Tracer | None" = None


def start_spans(service: str, version: str, endpoint: str) -> None:
    """Send spans over HTTP from now on; call before the first connection to PostgreSQL.

    The queue is bounded and drops when the endpoint is away; requests never wait for it.
    """
    # Imported here: without an endpoint nobody pays for loading OpenTelemetry.
    from opentelemetry import trace  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.instrumentation.asyncpg import (  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
        AsyncPGInstrumentor,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import SpanLimits, TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased  # noqa: PLC0415

    resource = Resource.create({"service.name": service, "service.version": version})
    # Events are the texts of errors, and PostgreSQL's have the values that were refused.
    limits = SpanLimits(max_events=0)
    sending = BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces"))
    # Neither ends by itself: see `end_spans`.
    provider = TracerProvider(resource=resource, span_limits=limits, shutdown_on_exit=False)
    provider.add_span_processor(sending)
    trace.set_tracer_provider(provider)
    # SQL belongs to a request; that of background work, which never rests, is left out.
    below = TracerProvider(
        resource=resource,
        span_limits=limits,
        sampler=ParentBased(ALWAYS_OFF),
        shutdown_on_exit=False,
    )
    below.add_span_processor(sending)
    AsyncPGInstrumentor().instrument(tracer_provider=below)
    global _provider, _tracer
    _provider, _tracer = provider, provider.get_tracer("servicekit")


def end_spans() -> None:
    """Send what waits, within 3 s: an endpoint that takes nothing must not hold up a stop."""
    if _provider is None:
        return
    # OpenTelemetry's own end waits for 30 s, beyond which whoever stops us kills.
    last = Thread(target=_provider.shutdown, daemon=True)
    last.start()
    last.join(END_WITHIN_SEC)


@contextmanager
def request_span(request: web.Request) -> Generator["Span | None"]:
    """The span of a request while it is served; None where none is made."""
    route = route_of(request)
    if _tracer is None or route in UNTRACED:
        yield None
        return
    from opentelemetry.propagate import extract  # noqa: PLC0415
    from opentelemetry.trace import SpanKind  # noqa: PLC0415

    attributes: dict[str, Any] = {"http.request.method": request.method, "http.route": route}
    with _tracer.start_as_current_span(
        f"{request.method} {route}",
        context=extract(request.headers),
        kind=SpanKind.SERVER,
        attributes=attributes,
        record_exception=False,
    ) as span:
        yield span


def parent_of(span: "Span | None") -> Parent | None:
    """What the next hop is told of a span."""
    if span is None:
        return None
    context = span.get_span_context()
    return Parent(
        f"{context.trace_id:032x}", f"{context.span_id:016x}", f"{int(context.trace_flags):02x}"
    )


def end_span(span: "Span | None", status: int) -> None:
    """Note how the request ended; a mistake of ours is an error, one of the caller's is none."""
    if span is None:
        return
    span.set_attribute("http.response.status_code", status)
    if status >= SERVER_ERROR:
        from opentelemetry.trace import StatusCode  # noqa: PLC0415

        span.set_status(StatusCode.ERROR)


def route_of(request: web.Request) -> str:
    """The template of the address, `unmatched` where there is none."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unmatched"

"""A small OTLP collector on loopback: it takes spans over HTTP and tells what they say."""

import gzip
import json
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from support.serving import QuietHandler, serving

PATIENCE_SEC = 60.0


@dataclass(frozen=True)
class Span:
    """One span as it arrived; ids are hexadecimal, as in a `traceparent`."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, str]


@dataclass
class Collector:
    """What has arrived so far."""

    url: str
    spans: list[Span] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    def trace(self, trace_id: str, *services: str) -> list[Span]:
        """The spans of a trace, once all of these services have sent one.

        They come within the time that the exporters wait for more, a few seconds.
        """
        deadline = time.monotonic() + PATIENCE_SEC
        while time.monotonic() < deadline:
            found = [span for span in tuple(self.spans) if span.trace_id == trace_id]
            if set(services) <= {span.service for span in found}:
                return found
            time.sleep(0.05)
        raise AssertionError(f"of {services} only {[(s.service, s.name) for s in self.spans]}")


@contextmanager
def collector() -> Generator[Collector]:
    """Listen on a free port until the block ends."""
    made = Collector("")

    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # noqa: N802 - by the name that http.server looks for
            body = self._body()
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            made.raw.append(body)
            if self.path == "/v1/traces":
                made.spans.extend(_spans(body, self.headers.get("Content-Type") or ""))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            pieces: list[bytes] = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

    with serving(Handler) as made.url:
        yield made


def _spans(body: bytes, media_type: str) -> Iterator[Span]:
    """Spans of a body in either of OTLP's forms: protobuf has ids as bytes, JSON in hexadecimal."""
    if media_type.startswith("application/json"):
        yield from _from_json(json.loads(body))
        return
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = _values(group.resource.attributes)["service.name"]
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Span(
                    service,
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    _values(span.attributes),
                )


def _from_json(document: dict[str, Any]) -> Iterator[Span]:
    def values(holder: dict[str, Any]) -> dict[str, str]:
        pairs = holder.get("attributes", [])
        return {pair["key"]: str(next(iter(pair["value"].values()), "")) for pair in pairs}

    for group in document["resourceSpans"]:
        service = values(group["resource"])["service.name"]
        for scope in group["scopeSpans"]:
            for span in scope["spans"]:
                yield Span(
                    service,
                    span["name"],
                    span["traceId"],
                    span["spanId"],
                    span.get("parentSpanId", ""),
                    values(span),
                )


def _values(attributes: Iterable[KeyValue]) -> dict[str, str]:
    return {
        pair.key: str(getattr(pair.value, pair.value.WhichOneof("value") or "string_value"))
        for pair in attributes
    }

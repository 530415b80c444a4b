"""The latest traces of this workspace, as its processes send them (OTLP over HTTP), in memory.

Bounded in every direction: the oldest trace goes first, and what is cut off is counted.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

MOST_TRACES = 300
MOST_SPANS = 400
MOST_ATTRIBUTES = 24
LONGEST_TEXT = 200
ERROR = 2  # the status code that OTLP gives a failed span


class NotOtlp(ValueError):
    """The body is no export of spans."""


@dataclass(frozen=True, slots=True)
class Span:
    """One span: ids in hexadecimal, `began` in nanoseconds since the epoch, `took` in ms."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    began: int
    took: float
    failed: bool
    attributes: tuple[tuple[str, str], ...]


@dataclass
class Trace:
    """The spans of one request that have arrived."""

    trace_id: str
    spans: dict[str, Span] = field(default_factory=dict)
    left_out: int = 0

    @property
    def began(self) -> int:
        """Nanoseconds since the epoch."""
        return min(span.began for span in self.spans.values())

    @property
    def took(self) -> float:
        """From the first beginning to the last end, in ms."""
        ends = (span.began / 1e6 + span.took for span in self.spans.values())
        return max(ends) - self.began / 1e6

    @property
    def failed(self) -> bool:
        """Whether any part of it failed."""
        return any(span.failed for span in self.spans.values())

    @property
    def services(self) -> list[str]:
        """Who took part, in the order of their first spans."""
        ordered = sorted(self.spans.values(), key=lambda span: span.began)
        return list(dict.fromkeys(span.service for span in ordered))

    def tree(self) -> list[tuple[int, Span]]:
        """(depth, span) from the roots down, siblings in the order of time.

        A span whose parent has not arrived is a root.
        """
        children: dict[str, list[Span]] = {}
        for span in sorted(self.spans.values(), key=lambda span: span.began):
            parent = span.parent_id if span.parent_id in self.spans else ""
            children.setdefault("" if parent == span.span_id else parent, []).append(span)
        found: list[tuple[int, Span]] = []
        seen: set[str] = set()
        waiting = [(0, span) for span in reversed(children.get("", []))]
        while waiting:
            depth, span = waiting.pop()
            if span.span_id in seen:
                continue
            seen.add(span.span_id)
            found.append((depth, span))
            below = reversed(children.get(span.span_id, []))
            waiting += [(depth + 1, child) for child in below]
        # Spans that name each other as parents hang nowhere, and are shown all the same.
        return found + [(0, span) for span in self.spans.values() if span.span_id not in seen]


class Traces:
    """What has arrived, the latest `MOST_TRACES`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Trace] = OrderedDict()

    def take(self, body: bytes, kind: str) -> None:
        """Keep the spans of an export. Raises NotOtlp, and then keeps none of them."""
        spans = list(from_json(body) if kind == "application/json" else from_protobuf(body))
        with self._lock:
            for span in spans:
                trace = self._kept.setdefault(span.trace_id, Trace(span.trace_id))
                if len(trace.spans) < MOST_SPANS:
                    trace.spans[span.span_id] = span
                else:
                    trace.left_out += 1
            while len(self._kept) > MOST_TRACES:
                self._kept.popitem(last=False)

    def latest(self, service: str, least: float, *, failed: bool) -> list[Trace]:
        """Traces that a service took part in, of at least so many ms, newest first."""
        with self._lock:
            fitting = [
                Trace(one.trace_id, dict(one.spans), one.left_out)
                for one in self._kept.values()
                if (not service or any(span.service == service for span in one.spans.values()))
                and one.took >= least
                and (one.failed or not failed)
            ]
        return sorted(fitting, key=lambda trace: trace.began, reverse=True)

    def get(self, trace_id: str) -> Trace | None:
        """One trace as it is now."""
        with self._lock:
            found = self._kept.get(trace_id)
            return found and Trace(trace_id, dict(found.spans), found.left_out)


def short(text: object) -> str:
    """A text of bounded length."""
    return str(text)[:LONGEST_TEXT]


def attributes(pairs: Iterable[tuple[str, object]]) -> tuple[tuple[str, str], ...]:
    """The first `MOST_ATTRIBUTES`, by name."""
    return tuple((short(key), short(value)) for key, value in sorted(pairs)[:MOST_ATTRIBUTES])


def from_protobuf(body: bytes) -> Iterator[Span]:
    """The spans of a protobuf body."""
    # Loaded with the first trace: a workspace without traces is spared its memory.
    from google.protobuf.message import DecodeError  # noqa: PLC0415
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415
        ExportTraceServiceRequest,
    )

    def values(found: Any) -> Iterator[tuple[str, object]]:
        for pair in found:
            yield pair.key, getattr(pair.value, pair.value.WhichOneof("value") or "string_value")

    try:
        groups = ExportTraceServiceRequest.FromString(body).resource_spans
    except DecodeError:
        raise NotOtlp("the body is no ExportTraceServiceRequest") from None
    for group in groups:
        service = short(dict(values(group.resource.attributes)).get("service.name", "unknown"))
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Span(
                    service,
                    short(span.name),
                    span.trace_id.hex()[:32],
                    span.span_id.hex()[:16],
                    span.parent_span_id.hex()[:16],
                    span.start_time_unix_nano,
                    max(0, span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
                    span.status.code == ERROR,
                    attributes(values(span.attributes)),
                )


def from_json(body: bytes) -> Iterator[Span]:
    """The spans of a JSON body, whose ids are hexadecimal and whose long numbers are texts."""

    def values(holder: Any) -> Iterator[tuple[str, object]]:
        for pair in holder.get("attributes", []):
            yield pair["key"], next(iter(pair["value"].values()), "")

    try:
        for group in json.loads(body)["resourceSpans"]:
            told = dict(values(group.get("resource", {})))
            service = short(told.get("service.name", "unknown"))
            for scope in group.get("scopeSpans", []):
                for span in scope.get("spans", []):
                    began = int(span["startTimeUnixNano"])
                    status = span.get("status", {}).get("code", 0)
                    yield Span(
                        service,
                        short(span["name"]),
                        str(span["traceId"]).lower()[:32],
                        str(span["spanId"]).lower()[:16],
                        str(span.get("parentSpanId", "")).lower()[:16],
                        began,
                        max(0, int(span["endTimeUnixNano"]) - began) / 1e6,
                        status in {ERROR, "STATUS_CODE_ERROR"},
                        attributes(values(span)),
                    )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotOtlp(f"the body is no JSON export of spans: {error!r}") from None

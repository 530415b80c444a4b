"""One trace id per request (W3C Trace Context), from the first hop to the log line."""

import random
import re
from contextvars import ContextVar
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Trace:
    """Where this request stands in its trace; see https://www.w3.org/TR/trace-context/."""

    trace_id: str
    span_id: str
    request_id: str
    flags: str = "01"

    def traceparent(self) -> str:
        """The header that the next hop receives."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


@dataclass(frozen=True, slots=True)
class Parent:
    """A span that is sent somewhere: what is called from here belongs below it."""

    trace_id: str
    span_id: str
    flags: str


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def begin_trace(traceparent: str, request_id: str, *, span: Parent | None = None) -> Trace:
    """Continue the caller's trace, or begin one where the header is missing or malformed.

    `span` is the one of this request where spans are sent; it wins.
    """
    if span is None:
        match = _TRACEPARENT.fullmatch(traceparent)
        inherited = match if match and int(match[1], 16) and int(match[2], 16) else None
        span = Parent(
            inherited[1] if inherited else _random_hex(16),
            _random_hex(8),
            inherited[3] if inherited else "01",
        )
    known = request_id if _REQUEST_ID.fullmatch(request_id) else span.trace_id
    trace = Trace(trace_id=span.trace_id, span_id=span.span_id, request_id=known, flags=span.flags)
    _current.set(trace)
    return trace


def _random_hex(size: int) -> str:
    # Names, not secrets: the system's own source of chance costs ten times as much, a request.
    return f"{random.getrandbits(8 * size) or 1:0{2 * size}x}"


def current_trace() -> Trace | None:
    """The trace of the request being served, if one is."""
    return _current.get()


def current_trace_id() -> str | None:
    """Its 32 hexadecimal digits, as they stand in problems, logs and audit rows."""
    trace = _current.get()
    return trace.trace_id if trace else None

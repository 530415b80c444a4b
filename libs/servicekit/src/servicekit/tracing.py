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


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def begin_trace(traceparent: str, request_id: str, *, trace_id: str | None = None) -> Trace:
    """Continue the caller's trace, or begin one where the header is missing or malformed.

    `trace_id` is that of an OpenTelemetry span that already runs; it wins.
    """
    match = _TRACEPARENT.fullmatch(traceparent)
    inherited = match[1] if match and int(match[1], 16) and int(match[2], 16) else None
    chosen = trace_id or inherited or _random_hex(16)
    known = request_id if _REQUEST_ID.fullmatch(request_id) else chosen
    flags = match[3] if match and inherited else "01"
    trace = Trace(trace_id=chosen, span_id=_random_hex(8), request_id=known, flags=flags)
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

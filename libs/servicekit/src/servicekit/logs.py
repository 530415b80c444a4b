"""Structured logs: one event a line, with its trace, and without anybody's secrets."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any, cast

import orjson
import structlog

from servicekit.tracing import current_trace

MAX_TEXT = 4000

_SECRET_NAME = re.compile(
    r"passw|secret|token(?!_id)|authorization|cookie|api_?key|credential", re.IGNORECASE
)
_SECRET_TEXT = re.compile(
    r"rb_(?:pat|sensor|rt|reset)_[0-9A-Za-z_]+"
    r"|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
)

# Each secret text has one of these in it; most texts have none.
_SECRET_PARTS = ("rb_", "eyJ", "://")


def configure_logs(service: str, *, level: str = "info", form: str = "json") -> None:
    """Send every log line of the process to standard output in one form.

    The standard library's loggers (aiohttp, asyncio, OpenTelemetry) join in.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_service(service),
        _add_trace,
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=_dump)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    )
    # Our own lines, one a request, go straight out: the standard library would cost as much again.
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.getLogger("aiohttp.access").disabled = True  # requests are logged by the middleware


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank what is named like a secret or looks like one, and shorten what is very long."""
    for name, value in event.items():
        event[name] = _clean(name, value)
    return event


@lru_cache(maxsize=1000)
def _names_a_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _clean(name: str, value: Any) -> Any:
    if _names_a_secret(name) and value is not None and not isinstance(value, bool):
        return "[redacted]"
    if isinstance(value, str):
        suspect = any(part in value for part in _SECRET_PARTS)
        text = _SECRET_TEXT.sub("[redacted]", value) if suspect else value
        return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}… ({len(text)} characters)"
    if isinstance(value, Mapping):
        members = cast("Mapping[Any, Any]", value)
        return {key: _clean(str(key), member) for key, member in members.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(name, member) for member in cast("list[Any]", value)]
    return value


def _name_service(service: str) -> Any:
    def processor(
        _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    return processor


def _add_trace(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    if trace := current_trace():
        event["trace_id"] = trace.trace_id
        event["request_id"] = trace.request_id
    return event


def _dump(event: Any, **_options: Any) -> str:
    return orjson.dumps(event, default=repr).decode()

"""Log lines for people: JSON lines of any of our programs become one aligned line each."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

LEVELS = ("debug", "info", "warning", "error", "critical")
PINO = {10: "debug", 20: "debug", 30: "info", 40: "warning", 50: "error", 60: "critical"}
SYNONYMS = {"warn": "warning", "fatal": "critical", "panic": "critical", "trace": "debug"}
COLOURS = {"debug": "2", "warning": "33", "error": "31", "critical": "1;31"}
# Shown at the head of the line or of no use to a reader of the terminal.
TAKEN = {"level", "event", "message", "msg", "time", "ts", "timestamp", "logger", "service"}
QUIET = {*TAKEN, "pid", "hostname", "v", "exception", "stack", "err", "request_id", "span_id"}
# Health checks, scrapes, and what services ask each other every second.
PROBES = ("/health", "/ready", "/metrics", "/.well-known/revocations", "/.well-known/jwks.json")
# What these servers say at every start and end, and nobody needs to read.
NOISE = {
    "postgres": (" LOG: ", "the database system is starting up"),
    # Each service tells of its requests itself.
    "api-gateway": ('"level":"info"', "admin endpoint disabled", "because it requires TLS"),
    "valkey": ("Memory overcommit", "scheduling shutdown", "ready to exit"),
}
LONGEST_VALUE = 200


@dataclass(frozen=True)
class Line:
    """One log line, taken apart. Plain text has only a message."""

    message: str
    level: str = "info"
    at: datetime | None = None
    fields: dict[str, object] | None = None
    trace: str = ""
    traceback: str = ""

    @property
    def is_probe(self) -> bool:
        """Whether this only records a health check or a scrape; `status` tells how those end."""
        path = (self.fields or {}).get("path", (self.fields or {}).get("route", ""))
        return self.level in {"debug", "info", "warning"} and path in PROBES


def parse(text: str) -> Line:
    """Take a raw line apart; what is no JSON object is a plain message."""
    if not text.startswith("{"):
        return Line(text)
    try:
        raw = json.loads(text)
    except ValueError:
        return Line(text)
    if not isinstance(raw, dict):
        return Line(text)
    fields: dict[str, object] = raw
    message = next((fields[key] for key in ("event", "msg", "message") if key in fields), "")
    request = fields.pop("request", None) or fields.pop("req", None)
    if isinstance(request, dict):  # access lines of Caddy and Fastify nest these
        fields |= {
            name: request[key]
            for name, key in (("method", "method"), ("path", "uri"), ("path", "url"))
            if key in request
        }
    error = fields.get("err")
    nested = error.get("stack", "") if isinstance(error, dict) else ""
    return Line(
        message=str(message),
        level=level_of(fields.get("level")),
        at=moment(fields.get("timestamp", fields.get("time", fields.get("ts")))),
        fields={key: value for key, value in fields.items() if key not in QUIET},
        trace=str(fields.get("trace_id", "")),
        traceback=str(fields.get("exception") or fields.get("stack") or nested),
    )


def level_of(value: object) -> str:
    """One of `LEVELS`, from a name or from Pino's number."""
    if isinstance(value, int):
        return PINO.get(value, "info")
    name = str(value or "info").lower()
    name = SYNONYMS.get(name, name)
    return name if name in LEVELS else "info"


def moment(value: object) -> datetime | None:
    """A point in time from RFC 3339 text, seconds (Caddy) or milliseconds (Pino)."""
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        if isinstance(value, int | float):
            seconds = value / 1000 if value > 1e11 else value  # noqa: PLR2004 - 1e11 s is AD 5138
            return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def render(line: Line, *, colour: bool = False) -> str:
    """`LEVEL message key=value … trace=abcd1234`, then a traceback if there is one."""
    if line.fields is None and not line.traceback:
        return line.message
    words = [f"{line.level.upper():<8}{line.message}"]
    words += [
        f"{key}={short(value)}" for key, value in (line.fields or {}).items() if key != "trace_id"
    ]
    if line.trace:
        words.append(f"trace={line.trace[:8]}")
    text = " ".join(words)
    if colour and line.level in COLOURS:
        text = f"\033[{COLOURS[line.level]}m{text}\033[0m"
    return f"{text}\n{line.traceback.rstrip()}" if line.traceback else text


def short(value: object) -> str:
    """A value for the end of a line: quoted when it has blanks, cut when it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
    return json.dumps(text, ensure_ascii=False) if isinstance(value, str) and " " in text else text


def for_terminal(name: str, text: str, *, colour: bool = False) -> str | None:
    """What the terminal shows of a raw line; None when it is not worth showing."""
    if any(words in text for words in NOISE.get(name, ())):
        return None
    line = parse(text)
    return None if line.is_probe else render(line, colour=colour)

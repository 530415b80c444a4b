"""The status page over HTTP: plain files, live figures as server-sent events, and a restart.

It listens on loopback only. The host named must be this machine (a foreign name that resolves to
127.0.0.1 is refused), whoever looks must have come with the link that the terminal shows, and what
changes something must come from the page itself.
"""

import hmac
import json
import signal
import socket
import threading
import time
import zlib
from collections.abc import Callable
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast, override
from urllib.parse import parse_qs, urlsplit

from scripts import console, control
from scripts.environment import LOOPBACK, Workspace
from scripts.page import look, trace_pages
from scripts.page.token import token
from scripts.page.traces import NotOtlp, Traces
from scripts.processes import PROCESSES

FILES = {
    "/": ("status.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/status.js": ("status.js", "text/javascript; charset=utf-8"),
}
HERE = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
EVENT_SECONDS = 2.0
IDLE_SECONDS = 60.0
MOST_VIEWERS = 16
LARGEST_ORDER = 1024
# So much of a refused body is read all the same: closing before would cost the sender the answer.
LARGEST_LEFTOVER = 16 * 1024 * 1024
LARGEST_EXPORT = 4 * 1024 * 1024
EXPORTS = ("application/x-protobuf", "application/json")


class Page(ThreadingHTTPServer):
    """Serves one workspace."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.port = workspace.ports["status-page"]
        self.hosts = {f"{host}:{self.port}" for host in ("localhost", LOOPBACK)}
        self.token = token(workspace)
        self.cookie = f"runbench_page_{self.port}"
        self.watch = look.Watch(workspace)
        self.traces = Traces()
        self.viewers = threading.BoundedSemaphore(MOST_VIEWERS)
        super().__init__((LOOPBACK, self.port), Handler)

    @override
    def server_bind(self) -> None:
        # The standard library asks the resolver for the name of the address, which can take long.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((LOOPBACK, self.port))
        self.server_name, self.server_port = LOOPBACK, self.port

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that went away is nothing to tell of."""


def listen(workspace: Workspace) -> Page:
    """The page, listening. Raises OSError when its port is taken."""
    return Page(workspace)


class Refused(Exception):
    """The request is not answered; status and reason."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    # Bytes of the body that have not been read.
    unread = 0

    @property
    def page(self) -> Page:
        """The server that this connection belongs to."""
        return cast("Page", self.server)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the terminal is for the processes."""

    @override
    def version_string(self) -> str:
        return "runbench"

    def do_GET(self) -> None:
        """A file, the log of a process, or the events."""
        self.guarded(self.get)

    def do_POST(self) -> None:
        """An order."""
        self.guarded(self.post)

    def guarded(self, answer: Callable[[], None]) -> None:
        """Answer what is allowed, or say why not and close the connection."""
        length = self.headers.get("Content-Length", "")
        self.unread = int(length) if length.isascii() and length.isdigit() else 0
        try:
            self.only_here()
            answer()
        except Refused as refusal:
            self.close_connection = True
            self.drop(min(self.unread, LARGEST_LEFTOVER))
            body = json.dumps(
                {"title": refusal.status.phrase, "status": refusal.status, "detail": str(refusal)}
            )
            self.send(refusal.status, "application/problem+json", body.encode(), close=True)
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def only_here(self) -> None:
        """Refuse a request for another host, which a foreign page may have made of its own name."""
        if self.headers.get("Host", "") not in self.page.hosts:
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST, "this is not the name of this page")

    def get(self) -> None:
        """What a look is answered with."""
        where = urlsplit(self.path)
        asked = {name: values[-1] for name, values in parse_qs(where.query).items()}
        if self.is_right(asked.get("token", "")):
            self.let_in(where.path)
            return
        self.only_known()
        if where.path == "/events":
            self.events()
        elif where.path == "/log":
            self.log(asked)
        elif where.path.startswith("/traces"):
            self.show_traces(where.path, asked)
        elif where.path in FILES:
            name, kind = FILES[where.path]
            self.send(HTTPStatus.OK, kind, (HERE / name).read_bytes())
        else:
            raise Refused(HTTPStatus.NOT_FOUND, "there is no such page")

    def post(self) -> None:
        """Spans of a process, or an order of the page."""
        if self.path == "/v1/traces":
            self.take_spans()
        else:
            self.restart()

    def restart(self) -> None:
        """Start a process again: `{"name": NAME}`."""
        origin = self.headers.get("Origin")
        if origin not in {f"http://{host}" for host in self.page.hosts}:
            raise Refused(HTTPStatus.FORBIDDEN, "only the page itself may ask for this")
        self.only_known()
        if urlsplit(self.path).path != "/restart":
            raise Refused(HTTPStatus.NOT_FOUND, "there is no such order")
        if self.headers.get_content_type() != "application/json":
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "an order is JSON")
        try:
            order = json.loads(self.body(LARGEST_ORDER))
        except ValueError:
            raise Refused(HTTPStatus.BAD_REQUEST, "the order is not JSON") from None
        name = cast("dict[str, object]", order).get("name") if isinstance(order, dict) else None
        if not isinstance(name, str) or name not in PROCESSES:
            raise Refused(HTTPStatus.BAD_REQUEST, f"name is one of {', '.join(PROCESSES)}")
        if not control.send(self.page.workspace, [name], signal.SIGHUP):
            raise Refused(HTTPStatus.CONFLICT, f"{name} does not run here")
        self.send(HTTPStatus.ACCEPTED, "application/json", b"{}")

    def take_spans(self) -> None:
        """An export of OTLP over HTTP. It needs no secret, and a browser may not send one."""
        if self.headers.get("Origin"):
            raise Refused(HTTPStatus.FORBIDDEN, "only programs send spans here")
        kind = self.headers.get_content_type()
        if kind not in EXPORTS:
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"one of {', '.join(EXPORTS)}")
        body = self.body(LARGEST_EXPORT)
        if self.headers.get("Content-Encoding") == "gzip":
            body = unpacked(body)
        try:
            self.page.traces.take(body, kind)
        except NotOtlp as error:
            raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from None
        self.send(HTTPStatus.OK, kind, b"{}" if kind == "application/json" else b"")

    def show_traces(self, path: str, asked: dict[str, str]) -> None:
        """The list of traces, or one."""
        html = "text/html; charset=utf-8"
        trace_id = (asked.get("id") or path.removeprefix("/traces").strip("/")).strip().lower()
        if trace_id:
            found = self.page.traces.get(trace_id)
            if found is None:
                self.send(HTTPStatus.NOT_FOUND, html, trace_pages.missing(trace_id))
            else:
                self.send(HTTPStatus.OK, html, trace_pages.waterfall(found))
            return
        try:
            least = float(asked.get("least") or 0)
        except ValueError:
            raise Refused(HTTPStatus.BAD_REQUEST, "least is a number of milliseconds") from None
        service, failed = asked.get("service", ""), "failed" in asked
        traces = self.page.traces.latest(service, least, failed=failed)
        wanted = self.page.workspace.traced
        page = trace_pages.listed(traces, list(PROCESSES), asked, wanted=wanted)
        self.send(HTTPStatus.OK, html, page)

    def body(self, largest: int) -> bytes:
        """The whole body of at most `largest` bytes."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            return self.pieces(largest)
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "Content-Length is missing")
        if int(length) > largest:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {largest} bytes")
        self.unread = 0
        return self.rfile.read(int(length))

    def drop(self, count: int) -> None:
        """Read what nobody wants."""
        while count > 0 and (piece := self.rfile.read(min(count, 65536))):
            count -= len(piece)

    def pieces(self, largest: int) -> bytes:
        """A body that came in pieces."""
        found = b""
        while True:
            try:
                size = int(self.rfile.readline(32).split(b";")[0], 16)
            except ValueError:
                raise Refused(HTTPStatus.BAD_REQUEST, "the body is cut wrongly") from None
            if not 0 <= size <= largest - len(found):
                raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {largest} bytes")
            found += self.rfile.read(size)
            self.rfile.readline(8)
            if not size:
                return found

    def is_right(self, given: str) -> bool:
        """Whether this is the secret of the workspace."""
        return hmac.compare_digest(given.encode(), self.page.token.encode())

    def only_known(self) -> None:
        """Refuse whoever did not come with the link."""
        try:
            kept = SimpleCookie(self.headers.get("Cookie", "")).get(self.page.cookie)
        except CookieError:
            kept = None
        if kept is None or not self.is_right(kept.value):
            raise Refused(
                HTTPStatus.FORBIDDEN,
                "open the link that `nox -s dev` showed; `nox -s status` shows it again",
            )

    def let_in(self, path: str) -> None:
        """Keep the secret in a cookie, out of the address bar."""
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", path if path.startswith("/") and path[1:2] != "/" else "/")
        self.send_header(
            "Set-Cookie",
            f"{self.page.cookie}={self.page.token}; HttpOnly; SameSite=Strict; Path=/",
        )
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send(self, status: HTTPStatus, kind: str, body: bytes, *, close: bool = False) -> None:
        """A whole answer."""
        self.send_response(status)
        self.heads(kind)
        self.send_header("Content-Length", str(len(body)))
        if close:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def heads(self, kind: str) -> None:
        """What every answer says."""
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")

    def log(self, asked: dict[str, str]) -> None:
        """The end of the log of one process."""
        name, level = asked.get("name", ""), asked.get("level", "debug")
        if name not in PROCESSES or level not in console.LEVELS:
            raise Refused(HTTPStatus.BAD_REQUEST, "no such process or level")
        lines = look.log(
            self.page.workspace.logs, name, level, asked.get("word", ""), look.MOST_LINES
        )
        self.send(HTTPStatus.OK, "application/json", json.dumps(lines).encode())

    def events(self) -> None:
        """All rows every `EVENT_SECONDS`, until the browser goes."""
        if not self.page.viewers.acquire(blocking=False):
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, f"at most {MOST_VIEWERS} pages at once")
        try:
            self.close_connection = True
            self.send_response(HTTPStatus.OK)
            self.heads("text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            while True:
                rows = json.dumps(self.page.watch.rows())
                self.wfile.write(f"data: {rows}\n\n".encode())
                time.sleep(EVENT_SECONDS)
        finally:
            self.page.viewers.release()


def unpacked(body: bytes) -> bytes:
    """The body that was packed by gzip, as far as it is of bearable size."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        found = unpacker.decompress(body, LARGEST_EXPORT)
    except zlib.error:
        raise Refused(HTTPStatus.BAD_REQUEST, "the body is not gzip") from None
    if not unpacker.eof and not unpacker.unconsumed_tail:
        raise Refused(HTTPStatus.BAD_REQUEST, "the gzip ends too early")
    if unpacker.unconsumed_tail:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {LARGEST_EXPORT} bytes")
    return found

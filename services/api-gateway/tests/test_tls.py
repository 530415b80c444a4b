"""TLS at the gateway and at the edge of one host, by a certificate that is verified."""

import asyncio
import json
import os
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import QuicEvent
from gateway_harness import GATEWAY, Upstream, caddy, free_port

EDGE = GATEWAY.parents[1] / "deploy" / "edge"
RUN = "/api/v1/runs/0199aaaa-0000-7000-8000-000000000001"


@dataclass
class Front:
    """What the outside reaches: its ports, and the root that signed its certificate."""

    port: int
    plain_port: int
    root: Path
    behind: Upstream

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.root))

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(http2=True, verify=self.trust(), base_url=self.url, timeout=30)

    async def answers(self) -> bool:
        try:
            async with self.client() as http:
                return (await http.get("/health")).status_code == 200
        except (OSError, httpx.HTTPError):
            return False


@pytest.fixture(scope="module", params=["gateway", "edge"])
async def front(
    request: pytest.FixtureRequest,
    upstreams: dict[str, Upstream],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Front]:
    """Caddy with an authority of its own, which nobody but these tests trusts."""
    home = tmp_path_factory.mktemp("tls")
    metrics = upstreams["metrics-service"]
    root = home / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    front = Front(free_port(), free_port(), root, metrics)
    environment = {"PATH": os.environ["PATH"], "XDG_DATA_HOME": str(home)}
    environment |= {"XDG_CONFIG_HOME": str(home), "HOME": str(home)}
    if request.param == "gateway":
        environment |= {
            "GATEWAY_SCHEME": "https://localhost",
            "GATEWAY_TLS": "tls internal",
            "GATEWAY_HTTP_PORT": str(front.plain_port),
            "PORT": str(front.port),
            "METRICS_PORT": str(free_port()),
            "METRICS_SERVICE_URL": metrics.url,
        }
    else:
        environment |= {
            "RUNBENCH_DOMAIN": f"localhost:{front.port}",
            "RUNBENCH_TLS": "tls internal",
            "RUNBENCH_BIND": "bind 127.0.0.1",
            "RUNBENCH_HTTP_PORT": str(front.plain_port),
            "PORTAL_URL": metrics.url,
        }
    log = home / "log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            caddy(),
            *("run", "--config", "Caddyfile", "--adapter", "caddyfile"),
            cwd=GATEWAY if request.param == "gateway" else EDGE,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        async with asyncio.timeout(30):
            while not (root.exists() and await front.answers()):
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.05)
        yield front
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_browsers_speak_http_2_and_are_told_of_http_3(front: Front) -> None:
    async with front.client() as http:
        answer = await http.get(f"{RUN}/metrics")
    assert answer.http_version == "HTTP/2"
    assert answer.json()["path"] == f"{RUN}/metrics"
    assert f'h3=":{front.port}"' in answer.headers["Alt-Svc"]
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Server" not in answer.headers
    assert "Via" not in answer.headers
    assert ["X-Forwarded-Proto", "https"] in answer.json()["headers"]


async def test_by_itself_the_edge_listens_everywhere_on_the_ports_of_the_web() -> None:
    process = await asyncio.create_subprocess_exec(
        caddy(),
        *("adapt", "--config", "Caddyfile", "--adapter", "caddyfile"),
        cwd=EDGE,
        env={"PATH": os.environ["PATH"], "RUNBENCH_DOMAIN": "runbench.example"},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    http = json.loads(output)["apps"]["http"]
    assert http.get("http_port", 80) == 80
    [server] = http["servers"].values()
    assert server["listen"] == [":443"]
    assert server["routes"][0]["match"] == [{"host": ["runbench.example"]}]


async def test_who_does_not_know_the_authority_does_not_connect(front: Front) -> None:
    async with httpx.AsyncClient(verify=ssl.create_default_context()) as http:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await http.get(front.url)


async def test_old_clients_get_http_1_and_tls_1_2_but_nothing_older(front: Front) -> None:
    def shake_hands(version: ssl.TLSVersion) -> tuple[str | None, str | None]:
        context = front.trust()
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["http/1.1"])
        with (
            socket.create_connection(("127.0.0.1", front.port), 30) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as tls,
        ):
            return tls.version(), tls.selected_alpn_protocol()

    assert await asyncio.to_thread(shake_hands, ssl.TLSVersion.TLSv1_2) == ("TLSv1.2", "http/1.1")
    assert await asyncio.to_thread(shake_hands, ssl.TLSVersion.TLSv1_3) == ("TLSv1.3", "http/1.1")
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        with (
            pytest.warns(DeprecationWarning, match="deprecated"),
            # Refused by the other side: one that could not offer it would say so of itself.
            pytest.raises(ssl.SSLError, match=r"(?i)alert"),
        ):
            await asyncio.to_thread(shake_hands, version)


@pytest.mark.parametrize("path", ["/", f"{RUN}/metrics?keys=loss"])
async def test_plain_http_is_sent_to_tls(front: Front, path: str) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://localhost:{front.plain_port}{path}")
    assert answer.status_code in {301, 308}
    assert answer.headers["Location"] == f"{front.url}{path}"


async def test_events_pass_at_once_over_http_2(front: Front) -> None:
    async with (
        front.client() as http,
        http.stream("GET", f"{RUN}/metrics/stream", headers={"Accept-Encoding": "gzip"}) as events,
    ):
        assert events.http_version == "HTTP/2"
        assert "Content-Encoding" not in events.headers
        lines = events.aiter_lines()
        async with asyncio.timeout(20):
            for number in range(5):  # the next is sent only when this one has come
                assert [await anext(lines) for _ in range(4)][:1] == [f"id: {number}"]
                front.behind.next_event.set()
    async with asyncio.timeout(20):
        while front.behind.viewers:
            front.behind.next_event.set()
            await asyncio.sleep(0.05)


class Http3(QuicConnectionProtocol):
    """One request over HTTP/3."""

    def __init__(self, quic: QuicConnection) -> None:
        super().__init__(quic)
        self.http = H3Connection(quic)
        self.events: list[H3Event] = []
        self.done = asyncio.Event()

    def quic_event_received(self, event: QuicEvent) -> None:
        for found in self.http.handle_event(event):
            self.events.append(found)
            if isinstance(found, HeadersReceived | DataReceived) and found.stream_ended:
                self.done.set()

    async def get(self, authority: str, path: str) -> tuple[dict[bytes, bytes], bytes]:
        stream = self._quic.get_next_available_stream_id()
        head = {b":method": b"GET", b":scheme": b"https", b":authority": authority.encode()}
        head[b":path"] = path.encode()
        self.http.send_headers(stream, list(head.items()), end_stream=True)
        self.transmit()
        await self.done.wait()
        headers = [event for event in self.events if isinstance(event, HeadersReceived)]
        data = [event.data for event in self.events if isinstance(event, DataReceived)]
        return dict(headers[0].headers), b"".join(data)


async def test_a_request_over_http_3_is_answered(front: Front) -> None:
    told = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name="localhost")
    told.load_verify_locations(cafile=str(front.root))
    transport, client = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Http3(QuicConnection(configuration=told)), local_addr=("127.0.0.1", 0)
    )
    try:
        async with asyncio.timeout(30):
            client.connect(("127.0.0.1", front.port))
            await client.wait_connected()
            headers, body = await client.get(f"localhost:{front.port}", f"{RUN}/metrics")
    finally:
        client.close()
        transport.close()
    assert headers[b":status"] == b"200"
    assert headers[b"strict-transport-security"] == b"max-age=31536000"
    assert f"{RUN}/metrics".encode() in body

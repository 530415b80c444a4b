"""Calls to what people name reach the public internet, what is allowed, and nothing else."""

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address, ip_network

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer, unused_port
from servicekit.outgoing import Caller, is_callable, wrong_with_url

LOOPBACK = (ip_network("127.0.0.1/32"),)


class Names(AbstractResolver):
    """A resolver at the edge: each name answers what it is told, one look-up after the other."""

    def __init__(self, **names: list[list[str]]) -> None:
        self.names = names
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self.names.get(host.partition(".")[0])
        if answers is None:
            raise OSError(None, "no such name")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        return None


class Receiver:
    """A real HTTP server that notes what it was sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.hosts: list[str] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.endless = False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.read())
        self.hosts.append(request.headers["Host"])
        if not self.endless:
            return web.Response(status=self.status, headers=self.headers, text="internal secret")
        response = web.StreamResponse(status=self.status)
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def port(receiver: Receiver) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", receiver.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        assert server.port
        yield server.port


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.1", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1",
        "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "203.0.113.9",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::10.0.0.1", "fc00::1",
        "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:10.0.0.1",
        "::ffff:169.254.169.254", "2002:7f00:1::", "2002:a9fe:a9fe::1", "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1",
    ],
)  # fmt: skip
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not is_callable(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"],
)
def test_what_is_public_may_be_called(address: str) -> None:
    assert is_callable(ip_address(address))


def test_an_operator_allows_networks_and_no_more() -> None:
    allowed = (ip_network("10.1.0.0/16"), ip_network("fd00:1::/32"))

    assert is_callable(ip_address("10.1.2.3"), allowed)
    assert is_callable(ip_address("::ffff:10.1.2.3"), allowed)
    assert is_callable(ip_address("fd00:1::5"), allowed)
    assert not is_callable(ip_address("10.2.0.1"), allowed)
    assert not is_callable(ip_address("fd00:2::5"), allowed)


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://example.org/", "file:///etc/passwd", "//example.org/", "example.org/hook",
        "https://user@example.org/", "https://user:word@example.org/", "https://:word@example.org/",
        "https://", "https:///path", "https://example.org/#part", "https://example.org/#",
        "https://example.org/a b", "https://example.org\\@evil.org/", "https://example.org:99999/",
        "https://example.org:0/", "https://example.org/\n", "https://[::1/", "gopher://example.org",
        "https://example.org/" + "x" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_address_to_call_is_told_so(url: str) -> None:
    assert wrong_with_url(url)


@pytest.mark.parametrize(
    "url", ["https://example.org", "http://example.org:8080/a?b=c", "https://[2606:4700::1]/x"]
)
def test_an_address_to_call_is_taken(url: str) -> None:
    assert wrong_with_url(url) is None


async def test_a_call_reaches_the_address_that_the_name_had_when_it_was_checked(
    receiver: Receiver, port: int
) -> None:
    names = Names(hooks=[["127.0.0.1"], ["169.254.169.254"]])
    caller = Caller(LOOPBACK, resolver=names)

    async with caller.open():
        answer = await caller.post(f"http://hooks.example:{port}/in", b"{}", {})

    assert (answer.status, answer.failure, answer.accepted) == (200, None, True)
    assert names.asked == ["hooks.example"]
    assert receiver.bodies == [b"{}"]
    assert receiver.hosts == [f"hooks.example:{port}"]


async def test_a_name_that_turns_inward_between_two_calls_is_refused(
    receiver: Receiver, port: int
) -> None:
    names = Names(hooks=[["127.0.0.1"], ["127.0.0.2"]])
    caller = Caller(LOOPBACK, resolver=names)

    async with caller.open():
        first = await caller.post(f"http://hooks.example:{port}/", b"1", {})
        second = await caller.post(f"http://hooks.example:{port}/", b"2", {})

    assert first.accepted
    assert second.failure == "address-refused"
    assert receiver.bodies == [b"1"]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "0", "[::1]",
     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "%31%32%37.0.0.1", "127.0.0.1."],
)  # fmt: skip
async def test_loopback_is_refused_however_it_is_written(
    receiver: Receiver, port: int, host: str
) -> None:
    caller = Caller()

    async with caller.open():
        answer = await caller.post(f"http://{host}:{port}/", b"", {})

    assert answer.status is None
    assert answer.failure in {"address-refused", "bad-address", "unknown-host"}
    assert receiver.bodies == []


async def test_one_address_of_a_name_that_is_not_public_spoils_the_rest(
    receiver: Receiver, port: int
) -> None:
    caller = Caller(LOOPBACK, resolver=Names(hooks=[["127.0.0.1", "10.0.0.1"]]))

    async with caller.open():
        answer = await caller.post(f"http://hooks.example:{port}/", b"", {})

    assert answer.failure == "address-refused"
    assert receiver.bodies == []


async def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver, port: int) -> None:
    receiver.status, receiver.headers = 302, {"Location": f"http://127.0.0.1:{port}/elsewhere"}
    caller = Caller(LOOPBACK)

    async with caller.open():
        answer = await caller.post(f"http://127.0.0.1:{port}/", b"", {})

    assert (answer.status, answer.accepted) == (302, False)
    assert len(receiver.bodies) == 1


async def test_an_endless_answer_holds_nothing_up(receiver: Receiver, port: int) -> None:
    receiver.endless = True
    caller = Caller(LOOPBACK)

    async with caller.open():
        answer = await caller.post(f"http://127.0.0.1:{port}/", b"", {})

    assert answer.accepted


async def test_how_long_to_wait_is_read_where_it_is_a_number(receiver: Receiver, port: int) -> None:
    caller = Caller(LOOPBACK)
    async with caller.open():
        for said, read in (("120", 120), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-5", None)):
            receiver.status, receiver.headers = 503, {"Retry-After": said}
            answer = await caller.post(f"http://127.0.0.1:{port}/", b"", {})
            assert (answer.status, answer.retry_after) == (503, read)


async def test_what_does_not_answer_is_named_by_kind_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("servicekit.outgoing.TOTAL_SEC", 0.3)

    async def talk_nonsense(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n\r\n")
        await writer.drain()
        writer.close()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    nonsense = await asyncio.start_server(talk_nonsense, "127.0.0.1")
    silence = await asyncio.start_server(say_nothing, "127.0.0.1")
    ports = [server.sockets[0].getsockname()[1] for server in (nonsense, silence)]
    caller = Caller(LOOPBACK, resolver=Names())
    async with nonsense, silence, caller.open():
        expected = {
            f"http://127.0.0.1:{ports[0]}/": "protocol",
            f"http://127.0.0.1:{ports[1]}/": "timeout",
            f"http://127.0.0.1:{unused_port()}/": "no-connection",
            "http://nobody.example/": "unknown-host",
            "ftp://127.0.0.1/": "bad-address",
        }
        for url, failure in expected.items():
            answer = await caller.post(url, b"", {})
            assert (answer.status, answer.failure) == (None, failure), url

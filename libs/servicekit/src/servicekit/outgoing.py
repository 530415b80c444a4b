"""Calls to addresses that people name: to the public internet alone, and to what was checked.

A name is looked up once a call; every address that it has must be public, and the connection
goes to one of those that were checked, never to what a second look-up might say. Redirects are
not followed, proxies of the environment not used, and of an answer nothing but the status and
one header is read.
"""

import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from time import monotonic
from typing import Any, Literal

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

type Network = IPv4Network | IPv6Network
type Address = IPv4Address | IPv6Address
type Failure = Literal[
    "bad-address",
    "address-refused",
    "unknown-host",
    "timeout",
    "no-connection",
    "tls",
    "protocol",
    "no-secret",
]
"""Why there is no answer; the address, and what the other side said, stay unsaid.

`no-secret` is for callers who cannot sign what they would send.
"""

MAX_URL = 2000
TOTAL_SEC = 10.0
CONNECT_SEC = 5.0
_HEADER_BYTES = 8192
_AT_ONCE = 100

_NAT64 = IPv6Network("64:ff9b::/96")
# Public by the registries, yet ways into somewhere else: relays of 6to4, old site-local addresses,
# NAT64 by an operator's own prefix, IPv4-compatible addresses.
_NOT_OURS: tuple[Network, ...] = (
    IPv4Network("192.88.99.0/24"),
    IPv4Network("192.0.0.0/24"),
    IPv6Network("fec0::/10"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("::/96"),
)


class AddressRefused(OSError):
    """The address is none that may be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a call went: a status, or why there is none; `retry_after` in seconds where given."""

    status: int | None
    failure: Failure | None
    duration_ms: int
    retry_after: int | None = None

    @property
    def accepted(self) -> bool:
        """Whether the other side took it: a status from 200 to 299."""
        return (
            self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES
        )


def wrong_with_url(text: str) -> str | None:
    """Why an address cannot be called at all, as a clause; None where it can."""
    if len(text) > MAX_URL:
        return f"must have at most {MAX_URL} characters"
    if any(ord(character) <= ord(" ") or character == "\\" for character in text):
        return "must not contain blanks, control characters or backslashes"
    try:
        return _wrong_part(URL(text), text)
    except ValueError:
        return "is no valid URL"


def _wrong_part(url: URL, text: str) -> str | None:
    if url.scheme not in {"http", "https"} or not url.host or not url.port:
        return "must begin with https:// or http:// and name a host"
    if url.user is not None or url.password is not None:
        return "must not contain a user name or a password"
    return "must not contain a fragment" if "#" in text else None


def is_callable(address: Address, allowed: Iterable[Network] = ()) -> bool:
    """Whether an address is public, or of a network that the operator allows.

    IPv4 inside IPv6 (mapped, 6to4, NAT64) counts as the IPv4 address that is reached by it.
    """
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_callable(inner, allowed)
    # An address of one version is in no network of the other.
    if any(address in network for network in allowed):
        return True
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _NOT_OURS)
    )


def written_address(host: str) -> Address | None:
    """The address that a host is, in any form that a connection takes; None for a name.

    `localhost` and what ends in it is one too, whatever a resolver says (RFC 6761).
    """
    bare = host.lower().rstrip(".")
    if bare == "localhost" or bare.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        return ip_address(bare.partition("%")[0])
    except ValueError:
        pass
    try:
        # `127.1`, `0x7f000001`, `017700000001` and `2130706433` are all one address.
        return IPv4Address(socket.inet_aton(bare))
    except (OSError, ValueError):
        return None


class Caller:
    """Calls what people name, within `allowed` networks and the public internet."""

    def __init__(
        self, allowed: Iterable[Network] = (), *, resolver: AbstractResolver | None = None
    ) -> None:
        self._allowed = tuple(allowed)
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Be ready to call until the end of the block."""
        connector = aiohttp.TCPConnector(
            resolver=_Checked(self._resolver or aiohttp.ThreadedResolver(), self._check),
            use_dns_cache=False,
            # A connection of its own for every call: none outlives what was checked for it.
            force_close=True,
            limit=_AT_ONCE,
            socket_factory=self._socket,
        )
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=TOTAL_SEC, sock_connect=CONNECT_SEC),
            trust_env=False,
            auto_decompress=False,
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
        ) as self._session:
            yield

    def refuses(self, url: str) -> bool:
        """Whether the address that stands in it is none that may be called.

        What a name leads to is not asked: it may lead elsewhere by the time of a call, which looks
        itself.
        """
        address = written_address(URL(url).host or "")
        return address is not None and not is_callable(address, self._allowed)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body; whatever happens there is an answer."""
        started = monotonic()
        status, failure, retry_after = await self._post(url, body, headers)
        return Answer(
            status=status,
            failure=failure,
            duration_ms=round((monotonic() - started) * 1000),
            retry_after=retry_after,
        )

    async def _post(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int | None, Failure | None, int | None]:
        if self._session is None or wrong_with_url(url):
            return None, "bad-address", None
        try:
            async with self._session.post(
                URL(url), data=body, headers=headers, allow_redirects=False
            ) as response:
                # The body is left unread, and the connection closed with it.
                status, wait = response.status, response.headers.get("Retry-After", "")
                response.close()
        except Exception as exc:  # what others answer must never stop us
            return None, _failure(exc), None
        return status, None, int(wait) if wait.isascii() and wait.isdigit() else None

    def _check(self, host: str) -> None:
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError as exc:
            raise AddressRefused from exc
        if not is_callable(address, self._allowed):
            raise AddressRefused

    def _socket(self, info: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        """A socket for an address that is about to be connected to: the last look at it.

        Hosts that are written as addresses come here without a look-up.
        """
        family, kind, protocol, _, address = info
        self._check(str(address[0]))
        return socket.socket(family, kind, protocol)


class _Checked(AbstractResolver):
    """A resolver whose answers may all be called; one that may not spoils the rest."""

    def __init__(self, resolver: AbstractResolver, check: Callable[[str], None]) -> None:
        self._resolver = resolver
        self._check = check

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            self._check(one["host"])
        return found

    async def close(self) -> None:
        await self._resolver.close()


def _failure(exc: BaseException) -> Failure:
    causes: list[BaseException] = []
    cause: BaseException | None = exc
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    if any(isinstance(one, AddressRefused) for one in causes):
        return "address-refused"
    if any(isinstance(one, aiohttp.ClientSSLError | ssl.SSLError) for one in causes):
        return "tls"
    for kinds, failure in _FAILURES:
        if isinstance(exc, kinds):
            return failure
    return "protocol"


_FAILURES: tuple[tuple[tuple[type[BaseException], ...], Failure], ...] = (
    ((aiohttp.ClientConnectorDNSError,), "unknown-host"),
    ((TimeoutError,), "timeout"),
    ((aiohttp.InvalidURL,), "bad-address"),
    ((aiohttp.ClientConnectionError, OSError), "no-connection"),
)

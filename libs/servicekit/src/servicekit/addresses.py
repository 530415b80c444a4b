"""Where a request comes from, as far as the proxies in front can be believed."""

import ipaddress
from collections.abc import Iterable

from aiohttp import web

type IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

TRUSTED_PROXIES: web.AppKey[list[Network]] = web.AppKey("trusted_proxies", list)
"""Whose X-Forwarded-For a service believes; nobody's where there is none."""


def address_of(request: web.Request, trusted: Iterable[Network]) -> IPAddress:
    """The address that the request comes from; 0.0.0.0 where it has none.

    X-Forwarded-For is read from its end, as long as the hop that wrote it is trusted; whatever
    stands before the first stranger is that stranger's own claim and counts for nothing.
    """
    networks = list(trusted)
    hops = [
        hop.strip()
        for value in request.headers.getall("X-Forwarded-For", [])
        for hop in value.split(",")
    ]
    address = _address(request.remote or "") or ipaddress.IPv4Address(0)
    while hops and any(address in network for network in networks):
        behind = _address(hops.pop())
        if behind is None:
            break
        address = behind
    return address


def around(address: IPAddress, *, bits4: int, bits6: int) -> Network:
    """The network of so many bits that an address lies in."""
    bits = bits4 if isinstance(address, ipaddress.IPv4Address) else bits6
    return ipaddress.ip_network(f"{address}/{bits}", strict=False)


def _address(text: str) -> IPAddress | None:
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

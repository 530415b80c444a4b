"""Addresses: e-mail as people write it and as it is compared, and where a request comes from."""

import ipaddress
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from confusable_homoglyphs import confusables  # pyright: ignore[reportMissingTypeStubs]
from email_validator import EmailNotValidError, validate_email

from auth_service.settings import Network

type IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_EMAIL = 254
MAX_USER_AGENT = 300
NETWORK_BITS = {4: 24, 6: 64}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from: its address, the network around it, and the program."""

    address: IPAddress
    user_agent: str

    @property
    def network(self) -> Network:
        """The /24 (IPv4) or /64 (IPv6) of the address: the least that one subscriber commands."""
        bits = NETWORK_BITS[self.address.version]
        return ipaddress.ip_network(f"{self.address}/{bits}", strict=False)


def origin_of(request: web.Request, trusted: Iterable[Network]) -> Origin:
    """Where the request comes from.

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
    return Origin(address, _printable(request.headers.get("User-Agent", ""))[:MAX_USER_AGENT])


def tidy_email(text: str) -> str:
    """The address as it is stored: NFC, lower case, its domain in Unicode.

    Raises:
        ValueError: it is none.
    """
    if len(text) > MAX_EMAIL:
        msg = f"must have at most {MAX_EMAIL} characters"
        raise ValueError(msg)
    try:
        found = validate_email(text.strip(), check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as exc:
        msg = f"must be an e-mail address: {exc}"
        raise ValueError(msg) from exc
    return unicodedata.normalize("NFC", found.normalized.lower())


def mailable(email: str) -> str:
    """A stored address as mail servers take it: its domain in ASCII."""
    found = validate_email(email, check_deliverability=False, globally_deliverable=False)
    return found.ascii_email or f"{found.local_part}@{found.ascii_domain}"


def email_key(email: str) -> str:
    """What a stored address is unique by: letters that look like Latin ones count as those."""
    return _latin(unicodedata.normalize("NFKC", email).casefold())


def _latin(text: str) -> str:
    if text.isascii():
        return text
    found: Any = confusables.is_confusable(  # pyright: ignore[reportUnknownMemberType]
        text, greedy=True, preferred_aliases=["latin"]
    )
    for entry in found or []:
        for twin in entry["homoglyphs"]:
            if twin["c"].isascii() and twin["c"].islower():
                text = text.replace(entry["character"], twin["c"])
                break
    return text


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


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable()).strip()

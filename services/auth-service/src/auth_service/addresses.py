"""Addresses: e-mail as people write it and as it is compared, and where a request comes from."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from confusable_homoglyphs import confusables  # pyright: ignore[reportMissingTypeStubs]
from email_validator import EmailNotValidError, validate_email
from servicekit.addresses import IPAddress, Network, address_of, around

MAX_EMAIL = 254
MAX_USER_AGENT = 300


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from: its address, the network around it, and the program."""

    address: IPAddress
    user_agent: str

    @property
    def network(self) -> Network:
        """The /24 (IPv4) or /64 (IPv6) of the address: the least that one subscriber commands."""
        return around(self.address, bits4=24, bits6=64)


def origin_of(request: web.Request, trusted: Iterable[Network]) -> Origin:
    """Where the request comes from; of X-Forwarded-For counts what trusted hops wrote."""
    address = address_of(request, trusted)
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


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable()).strip()

"""Whether the audit is as it was written: each row is hashed anew, with the one before it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from servicekit.database import Database

from auth_service.queries import audit_chain as queries
from auth_service.queries.audit_chain import PLATFORM, Chain, Link

AT_ONCE = 5000


class Broken(Exception):
    """The audit is not as it was written; the message names the first row that shows it."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was read and found whole."""

    chains: int
    events: int


async def verify(database: Database) -> Verified:
    """Read every chain from its beginning; what is written meanwhile is left for the next time.

    Raises:
        Broken: a row was changed, taken out, or put in.
    """
    async with database.acquire() as connection:
        chains = await queries.select_chains(connection)
        unchained = await queries.select_unchained(connection)
        chainless = await queries.select_chainless(connection)
    if PLATFORM not in {chain.chain for chain in chains}:
        msg = "the platform's own chain is gone"
        raise Broken(msg)
    if unchained:
        msg = f"event {unchained[0]} of {unchained[1].isoformat()} stands in no chain"
        raise Broken(msg)
    if chainless:
        msg = f"of the chain of {chainless} only events are left"
        raise Broken(msg)
    return Verified(len(chains), sum([await _verify(database, chain) for chain in chains]))


async def _verify(database: Database, chain: Chain) -> int:
    """How many events of the chain were read."""
    name = "the platform" if chain.chain == PLATFORM else f"project {chain.chain}"
    number, before, count = 0, b"", 0
    async with database.acquire() as connection:
        gone = {one.first: one for one in await queries.select_forgotten(connection, chain.chain)}
    while number < chain.length:
        async with database.acquire() as connection, connection.transaction():
            links = await queries.select_links(connection, chain.chain, after=number, limit=AT_ONCE)
        for link in links:
            while (part := gone.get(number + 1)) and part.last < link.number:
                number, before = part.last, part.hash
            if link.number > chain.length:
                break
            if link.number == number:
                msg = f"of {name}, number {number} is there twice: event {link.id} is one of them"
                raise Broken(msg)
            if link.number != number + 1:
                msg = f"of {name}, {_missing(number + 1, link.number - 1)} before event {link.id}"
                raise Broken(msg)
            if link.hash != hash_of(before, link):
                msg = f"of {name}, event {link.id} (number {link.number}) is not as it was written"
                raise Broken(msg)
            number, before, count = link.number, link.hash, count + 1
        if len(links) < AT_ONCE:
            break
    while part := gone.get(number + 1):
        number, before = part.last, part.hash
    if number < chain.length:
        msg = f"of {name}, {_missing(number + 1, chain.length)} at the end"
        raise Broken(msg)
    if before != chain.hash:
        msg = f"of {name}, the end of the chain is not that of its last event"
        raise Broken(msg)
    async with database.acquire() as connection, connection.transaction():
        within, beyond = await queries.count_links(connection, chain.chain, upto=chain.length)
    if within != count or beyond:
        msg = f"of {name}, {within + beyond - count} events have a number that is not theirs"
        raise Broken(msg)
    return count


def hash_of(before: bytes, link: Link) -> bytes:
    """SHA-256 of the hash before and of the texts, each behind its length in bytes."""
    return hashlib.sha256(before + canonical(link.texts)).digest()


def canonical(texts: Sequence[str | None]) -> bytes:
    """`<bytes>:<text>` a line; a value that is not there is `-`."""
    encoded = [text if text is None else text.encode() for text in texts]
    return b"".join(b"-\n" if text is None else b"%d:%b\n" % (len(text), text) for text in encoded)


def _missing(first: int, last: int) -> str:
    return f"number {first} is gone" if first == last else f"numbers {first} to {last} are gone"

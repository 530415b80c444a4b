"""Valkey (or Redis): one server, or a cluster whose nodes are each asked for what they hold.

`redis://`, `rediss://`, `valkey://` and `valkeys://` name a server. With `+cluster` behind the
scheme, as in `valkey+cluster://user:password@10.0.0.1:6379,10.0.0.2:6379`, the hosts are some nodes
of a cluster, of which one has to answer; the others are found through it. What belongs together is
written under keys with the same {tag}, which puts them on one node, and is asked of that node by a
plain client: transactions, scripts and blocking reads are those of a single server.

After a failure, whatever it was, the next call looks again which node holds what. Until then
callers do what they do without Valkey.
"""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import urlsplit

from valkey.asyncio import Valkey
from valkey.asyncio.connection import parse_url
from valkey.crc import key_slot
from valkey.exceptions import OutOfMemoryError, ValkeyError

SCHEMES = ("redis", "rediss", "valkey", "valkeys")
CLUSTER = "+cluster"
PORT = 6379

FAILURES = (ValkeyError, OSError, TimeoutError, asyncio.IncompleteReadError)
"""What a server that is away, or not the one to ask, raises."""


class Broker:
    """The server or cluster that an address names; connects when it is first asked.

    Raises:
        ValueError: the address does not name one.
    """

    def __init__(self, url: str, *, connect_sec: float, answer_sec: float | None) -> None:
        self._named = servers(url)
        self.is_cluster = urlsplit(url).scheme.endswith(CLUSTER)
        self._options: dict[str, Any] = {
            "socket_connect_timeout": connect_sec,
            "socket_timeout": answer_sec,
            "socket_keepalive": True,
        }
        # By (host, port) as the cluster tells them; those that were named stand under their URL.
        self._clients: dict[tuple[str, int] | str, Valkey] = {}
        # (first slot, last slot, who holds them); empty until it is asked for.
        self._slots: list[tuple[int, int, tuple[str, int]]] = []
        self._looking = asyncio.Lock()

    async def close(self) -> None:
        """Give the connections back."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    @asynccontextmanager
    async def holding(self, key: str) -> AsyncGenerator[Valkey]:
        """The server that holds a key.

        Raises:
            ValkeyError, OSError: no server that answers knows who does.
        """
        try:
            yield await self.holder(key)
        except FAILURES as exc:
            self.failed(exc)
            raise

    async def holder(self, key: str) -> Valkey:
        """Like `holding`, for who asks many servers at once and tells by `failed` what fails."""
        if not self.is_cluster:
            return self._server(self._named[0])
        if not self._slots:
            async with self._looking:
                if not self._slots:
                    self._slots = await self._look()
        slot = key_slot(key.encode())
        for first, last, place in self._slots:
            if first <= slot <= last:
                return self._server(place)
        self._slots = []
        raise ValkeyError(f"No node of the cluster holds slot {slot}.")

    def failed(self, failure: BaseException) -> None:
        """Look again who holds what, when it is asked for next."""
        if not isinstance(failure, OutOfMemoryError):
            self._slots = []

    async def any(self) -> Valkey:
        """A server that answers, whichever it is: what one publishes, all of them hear.

        Raises:
            ValkeyError, OSError: none does.
        """
        if not self.is_cluster:
            return self._server(self._named[0])
        return (await self._ask("PING"))[0]

    async def _look(self) -> list[tuple[int, int, tuple[str, int]]]:
        client, answer = await self._ask("CLUSTER SLOTS")
        # A node that does not know its own address leaves it out.
        asked = str(cast("dict[str, Any]", client.get_connection_kwargs()).get("host", ""))
        slots: list[tuple[int, int, tuple[str, int]]] = []
        nodes: set[tuple[str, int]] = set()
        for first, last, *holders in cast("list[tuple[int, int, *tuple[Any, ...]]]", answer):
            found = [((host or b"").decode() or asked, port) for host, port, *_ in holders]
            slots.append((first, last, found[0]))
            nodes.update(found)
        # Of nodes that have left nobody is asked any more.
        for place in [each for each in self._clients if each not in nodes]:
            if not isinstance(place, str):
                await self._clients.pop(place).aclose()
        for place in nodes:
            self._server(place)
        return slots

    async def _ask(self, command: str) -> tuple[Valkey, Any]:
        """The answer of one node, whichever gives one first."""
        places: list[tuple[str, int] | str] = [*(set(self._clients) | set(self._named))]
        random.shuffle(places)
        failure: Exception | None = None
        for place in places:
            client = self._server(place)
            try:
                async with asyncio.timeout(self._options["socket_connect_timeout"]):
                    return client, await cast("Any", client).execute_command(command)
            except FAILURES as exc:
                failure = exc
        raise failure or ValkeyError("No node is named.")

    def _server(self, place: tuple[str, int] | str) -> Valkey:
        client = self._clients.get(place)
        if client is None:
            client = Valkey.from_url(self._url(place), **self._options)
            self._clients[place] = client
        return client

    def _url(self, place: tuple[str, int] | str) -> str:
        if isinstance(place, str):
            return place
        host = f"[{place[0]}]" if ":" in place[0] else place[0]
        named = urlsplit(self._named[0])
        account, at, _ = named.netloc.rpartition("@")
        return named._replace(netloc=f"{account}{at}{host}:{place[1]}").geturl()


def servers(url: str) -> list[str]:
    """One address for each server that is named, as a client takes it.

    Raises:
        ValueError: what is wrong with it, without what it says, which may be a secret.
    """
    given = urlsplit(url)
    scheme, cluster = given.scheme.removesuffix(CLUSTER), given.scheme.endswith(CLUSTER)
    if scheme not in SCHEMES:
        known = ", ".join(f"{each}://" for each in SCHEMES)
        raise ValueError(f"has to begin with {known}; for a cluster with valkey{CLUSTER}:// or so")
    if cluster and given.path.strip("/") not in {"", "0"}:
        raise ValueError("a cluster has no other database than 0")
    account, at, hosts = given.netloc.rpartition("@")
    named = hosts.split(",") if cluster else [hosts]
    found = [
        given._replace(scheme=scheme, netloc=f"{account}{at}{host.strip()}").geturl()
        for host in named
    ]
    for each in found:
        _ = urlsplit(each).port  # raises where it is none
        if cluster and not urlsplit(each).hostname:
            raise ValueError("has to name a node of the cluster as host:port")
        parse_url(each)
    return found

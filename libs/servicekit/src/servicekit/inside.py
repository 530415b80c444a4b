"""What services ask each other by the secret that they share, past the gateway."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus

import aiohttp

from servicekit.peers import Peers
from servicekit.problems import Unavailable

TIMEOUT = aiohttp.ClientTimeout(total=10)


class Inside:
    """The internal routes of one service that may run several times."""

    def __init__(self, name: str, addresses: str, secret: bytes) -> None:
        self._name = name
        self._peers = Peers(addresses)
        self._headers = {
            "Authorization": f"Bearer {secret.decode()}",
            "Content-Type": "application/json",
        }
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Hold the connections."""
        async with aiohttp.ClientSession(timeout=TIMEOUT) as self._session:
            yield

    async def post(self, path: str, body: bytes) -> bytes:
        """The answer's body, of whichever instance gives one first.

        Raises:
            Unavailable: none does, or not a good one.
        """
        if self._session is None:
            msg = "The service is not running."
            raise Unavailable(msg)
        detail = f"{self._name} does not answer."
        for address in self._peers.each():
            try:
                async with self._session.post(
                    address + path, data=body, headers=self._headers, allow_redirects=False
                ) as answer:
                    if answer.status in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
                        return await answer.read()
                    detail = f"{self._name} answered {answer.status}."
            except (aiohttp.ClientError, TimeoutError):
                continue
        raise Unavailable(detail)

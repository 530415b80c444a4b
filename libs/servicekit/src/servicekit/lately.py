"""What was noted a moment ago: who reads a file in a hundred parts is in the audit trail once."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from time import monotonic

from aiohttp import web

WITHIN_SEC = 300.0
MOST = 20_000


class Lately:
    """Does something once for each key in five minutes, in this process.

    The minutes run from when it was done, so that who goes on is noted again. What does not fit any
    more, and what another process did, is done once more: never is anything left out for good.
    """

    def __init__(self, *, within_sec: float = WITHIN_SEC, most: int = MOST) -> None:
        self._within = within_sec
        self._most = most
        self._until: OrderedDict[Hashable, float] = OrderedDict()
        self._doing: dict[Hashable, asyncio.Event] = {}

    async def once(self, key: Hashable, do: Callable[[], Awaitable[None]]) -> None:
        """Return when `do` has succeeded for the key, now or lately; one at a time tries."""
        while doing := self._doing.get(key):
            await doing.wait()
        if self._until.get(key, 0.0) > monotonic():
            return
        doing = self._doing[key] = asyncio.Event()
        try:
            await do()
            self._note(key)
        finally:
            del self._doing[key]
            doing.set()

    def _note(self, key: Hashable) -> None:
        now = monotonic()
        self._until.pop(key, None)
        self._until[key] = now + self._within
        # The oldest stand first, since all stay equally long.
        while len(self._until) > self._most or next(iter(self._until.values())) <= now:
            self._until.popitem(last=False)


LATELY = web.AppKey("lately", Lately)

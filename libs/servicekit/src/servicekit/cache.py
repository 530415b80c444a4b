"""Answers kept for a few seconds, asked for once however many wait for them."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from time import monotonic


class BriefCache[K: Hashable, V]:
    """Key → value for `ttl` seconds; concurrent misses share one call; failures are not kept."""

    def __init__(self, *, ttl: float, size: int = 10_000) -> None:
        self._ttl = ttl
        self._size = size
        self._entries: dict[K, tuple[float, asyncio.Future[V]]] = {}

    async def get(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """The kept value, or what `load` answers; the age is counted from when the call began."""
        entry = self._entries.get(key)
        if entry and entry[0] > monotonic():
            future = entry[1]
            return future.result() if future.done() else await asyncio.shield(future)
        self._make_room()
        future = asyncio.ensure_future(load())
        self._entries[key] = (monotonic() + self._ttl, future)
        try:
            return await asyncio.shield(future)
        except BaseException:
            # A caller that went away leaves the call to those who still wait for it.
            if future.done() and self._entries.get(key, (0, None))[1] is future:
                del self._entries[key]
            raise

    def _make_room(self) -> None:
        if len(self._entries) >= self._size:
            now = monotonic()
            self._entries = {key: entry for key, entry in self._entries.items() if entry[0] > now}
        while len(self._entries) >= self._size:
            del self._entries[next(iter(self._entries))]

"""Rows that are asked for many times a second: kept for seconds, and fetched many at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

import asyncpg
from servicekit.database import Connection, Database
from servicekit.problems import Unavailable

# How long an answer counts, and after which part of that it is asked for ahead, beside its use.
KEPT_SEC = 4.0
AHEAD_SEC = 2.0
MOST_KEPT = 100_000
MOST_TOGETHER = 1_000
# How long a database that does not answer is waited for where its last answers will do.
PATIENCE_SEC = 2.0
_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    Unavailable,
)

type Select[K, V] = Callable[[Connection, Sequence[K]], Awaitable[Mapping[K, V]]]


@dataclass(slots=True)
class _Known[V]:
    """What the database said of a key, when it was asked, and until when that counts."""

    value: V | None
    asked: float
    until: float


class Lookups[K, V]:
    """Key to row, by one statement for all keys that are wanted at the same time.

    What was said counts for 4 s from when it was asked, so that a change counts as soon as that.
    For `outlast`, it stands in for a database that is away.
    """

    def __init__(self, select: Select[K, V], outlast: timedelta = timedelta(0)) -> None:
        self._select = select
        self._outlast = outlast.total_seconds()
        self._known: dict[K, _Known[V]] = {}
        self._wanted: dict[K, asyncio.Future[V | None]] = {}
        self._fetching: asyncio.Task[None] | None = None

    async def get(self, database: Database, key: K) -> V | None:
        """The row, or None where there is none."""
        known, now = self._known.get(key), monotonic()
        if known and now < known.until:
            if now > known.until - AHEAD_SEC:
                self._want(database, key)
            return known.value
        return await asyncio.shield(self._want(database, key))

    def _want(self, database: Database, key: K) -> asyncio.Future[V | None]:
        wanted = self._wanted.get(key)
        if wanted is None:
            wanted = self._wanted[key] = asyncio.get_running_loop().create_future()
            # Whoever asks ahead does not wait for the answer, and need not hear of a failure.
            wanted.add_done_callback(_heard)
            if self._fetching is None:
                self._fetching = asyncio.create_task(self._fetch_all(database))
        return wanted

    async def _fetch_all(self, database: Database) -> None:
        try:
            await asyncio.sleep(0)  # whoever wants something in this turn of the loop is in
            while self._wanted:
                keys = list(self._wanted)[:MOST_TOGETHER]
                wanted = {key: self._wanted.pop(key) for key in keys}
                try:
                    await self._fetch(database, wanted)
                except Exception as exc:  # whatever it is, all who wait have to hear of it
                    for future in wanted.values():
                        if not future.done():
                            future.set_exception(exc)
        finally:
            self._fetching = None

    async def _fetch(
        self, database: Database, wanted: Mapping[K, asyncio.Future[V | None]]
    ) -> None:
        asked = monotonic()
        known = {key: self._known.get(key) for key in wanted}
        stand_in = {
            key: each
            for key, each in known.items()
            if each and each.value is not None and asked < each.asked + self._outlast
        }
        try:
            async with asyncio.timeout(PATIENCE_SEC if len(stand_in) == len(wanted) else None):
                async with database.acquire() as connection:
                    found = await self._select(connection, list(wanted))
        except _AWAY as exc:
            for key, future in wanted.items():
                if each := stand_in.get(key):
                    each.until = monotonic() + KEPT_SEC
                    _settle(future, each.value)
                elif not future.done():
                    future.set_exception(exc)
            return
        for key, future in wanted.items():
            self._known.pop(key, None)
            self._known[key] = _Known(found.get(key), asked, asked + KEPT_SEC)
            _settle(future, found.get(key))
        while len(self._known) > MOST_KEPT:
            del self._known[next(iter(self._known))]


def _settle[V](future: asyncio.Future[V | None], value: V | None) -> None:
    if not future.done():
        future.set_result(value)


def _heard[V](future: asyncio.Future[V | None]) -> None:
    if not future.cancelled():
        future.exception()

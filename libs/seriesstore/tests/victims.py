"""Writers and compactors in a process of their own that kill themselves at a statement."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any, Literal, NoReturn

import asyncpg
from seriesstore.append import Batch, append
from seriesstore.compact import compact

type Moment = Literal["before", "during"]
type Work = Callable[["Mortal"], Awaitable[object]]

APPLICATION = "victim"
PATIENCE_SEC = 20

# One process has everything imported and forks the victims: a fresh one would take half a second.
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["__main__", "victims"])


class Mortal(asyncpg.Connection):
    """A connection whose process is gone at its nth statement, before or while it runs."""

    last: int
    moment: Moment
    statements = 0

    async def execute(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._live(super().execute(query, *args, **options))

    async def executemany(self, command: str, *args: Any, **options: Any) -> Any:
        return await self._live(super().executemany(command, *args, **options))

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._live(super().fetch(query, *args, **options))

    async def fetchval(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._live(super().fetchval(query, *args, **options))

    async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._live(super().fetchrow(query, *args, **options))

    async def _live(self, statement: Any) -> Any:
        self.statements += 1
        if self.statements < self.last:
            return await statement
        if self.moment == "during":
            # Long enough for it to reach the server, too short to wait for every answer.
            asyncio.get_running_loop().call_later(0.001, _die)
            await statement
        return _die()


async def write(connection: Mortal, batches: list[Batch]) -> None:
    """Append, and go at the latest behind the commit."""
    async with connection.transaction():
        await append(connection, batches)


async def merge(connection: Mortal) -> None:
    """Compact until there is nothing left to do."""
    while (await compact(connection, idle_sec=0)).chunks_before:
        pass


def killed_at(statement: int, moment: Moment, dsn: str, work: Work) -> bool:
    """Let a process do this work until its nth statement; False where it had fewer and ended."""
    process = _forks.Process(target=_meet_the_end, args=(statement, moment, dsn, work))
    process.start()
    process.join(PATIENCE_SEC)
    assert process.exitcode in {0, -signal.SIGKILL}, process.exitcode
    return process.exitcode != 0


def _meet_the_end(statement: int, moment: Moment, dsn: str, work: Work) -> None:
    asyncio.run(_work(statement, moment, dsn, work))


async def _work(statement: int, moment: Moment, dsn: str, work: Work) -> None:
    connection = await asyncpg.connect(
        dsn,
        connection_class=Mortal,
        server_settings={"search_path": "series", "application_name": APPLICATION},
    )
    connection.last, connection.moment = statement, moment
    await work(connection)


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")

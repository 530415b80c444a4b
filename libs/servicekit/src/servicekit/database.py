"""The connection pool, three ways to read rows, and constraints given a meaning."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import LiteralString, Protocol, cast

import asyncpg
import orjson
import structlog
from aiohttp import web
from asyncpg.pool import PoolConnectionProxy
from prometheus_client import Counter, Gauge
from pydantic import BaseModel

from servicekit.problems import Problem, Unavailable

log = structlog.get_logger()

type _AsyncpgPool = asyncpg.Pool[asyncpg.Record]
type Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]

OPEN = Gauge("database_pool_connections_open", "Connections to PostgreSQL that are open.")
IDLE = Gauge("database_pool_connections_idle", "Open connections that nobody uses.")
MOST = Gauge("database_pool_connections_max", "Connections that may be open at most.")
EXHAUSTED = Counter(
    "database_pool_exhausted", "Times that somebody waited in vain for a connection."
)

TROUBLE = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    Problem,
)
"""What a database that is away or overloaded may raise; it comes back."""

COMMAND_TIMEOUT_SEC = 60
ACQUIRE_TIMEOUT_SEC = 10


class Database(Protocol):
    """Where operations get a connection; one request may hold a single pinned one."""

    def acquire(self) -> AbstractAsyncContextManager[Connection]: ...


class Pool:
    """Connections to one database, shared by all requests of a process."""

    def __init__(self, pool: _AsyncpgPool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def acquire(self) -> AsyncGenerator[Connection]:
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_TIMEOUT_SEC)
        except TimeoutError as exc:
            EXHAUSTED.inc()
            msg = "All database connections are busy."
            raise Unavailable(msg) from exc
        try:
            yield connection
        finally:
            await self._pool.release(connection)


class PinnedConnection:
    """A database of one connection: everything a request does joins the same transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def acquire(self) -> AsyncGenerator[Connection]:
        yield self._connection


DATABASE: web.AppKey[Database] = web.AppKey("database", Database)


def database(
    dsn: str, *, schema: str, size: int = 10, planned_each_time: bool = False, role: str = ""
) -> Callable[[web.Application], AsyncIterator[None]]:
    """A cleanup context that opens the pool at start and closes it at the end."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        async with open_database(
            dsn, schema=schema, size=size, planned_each_time=planned_each_time, role=role
        ) as pool:
            app[DATABASE] = pool
            yield

    return context


async def _leave_as_it_is(_connection: Connection) -> None:
    """Save a round trip a request: nothing here changes a session for longer than a transaction.

    asyncpg still rolls back what was left open before it calls this.
    """


# To compile an expression takes longer than a statement of ours may.
_PLANNING = {"jit": "off"}
# A plan for any arguments, which PostgreSQL else turns to after five executions of a statement, can
# take a thousand times as long as one for these: a list of ids counts as ten there.
_PLANNED_EACH_TIME = {"plan_cache_mode": "force_custom_plan"}


@asynccontextmanager
async def open_database(
    dsn: str, *, schema: str, size: int, planned_each_time: bool = False, role: str = ""
) -> AsyncGenerator[Pool]:
    """A pool of at most `size` connections, closed at the end.

    Unqualified names resolve in `schema`, the one that the service owns. `planned_each_time` is for
    services whose statements differ much by their arguments, as searches do: it costs others time.
    Every connection works in `role` if the user of the address may; else the log says so.
    """
    planning = _PLANNING | (_PLANNED_EACH_TIME if planned_each_time else {})
    if role and not await _may_be(dsn, role):
        log.warning("database.role_missing", role=role, hint="See docs/audit.md.")
        role = ""
    settings = {"search_path": schema, "application_name": schema, **planning}
    async with asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        init=set_codecs,
        reset=_leave_as_it_is,
        command_timeout=COMMAND_TIMEOUT_SEC,
        server_settings=settings | ({"role": role} if role else {}),
    ) as pool:
        # Asked when somebody looks; a process has one pool.
        OPEN.set_function(pool.get_size)
        IDLE.set_function(pool.get_idle_size)
        MOST.set_function(pool.get_max_size)
        yield Pool(pool)


async def _may_be(dsn: str, role: str) -> bool:
    connection = await asyncpg.connect(dsn)
    try:
        return bool(
            await connection.fetchval(
                "SELECT pg_has_role(session_user, oid, 'SET') FROM pg_roles WHERE rolname = $1",
                role,
            )
        )
    finally:
        await connection.close()


async def fetch_one[M: BaseModel](
    connection: Connection, model: type[M], sql: LiteralString, *arguments: object
) -> M:
    """The row of a statement that always has one.

    Raises:
        LookupError: there was none, which is a mistake of ours.
    """
    row = await connection.fetchrow(sql, *arguments)
    if row is None:
        msg = f"No {model.__name__} where one was certain."
        raise LookupError(msg)
    return model.model_validate(dict(row))


async def fetch_optional[M: BaseModel](
    connection: Connection, model: type[M], sql: LiteralString, *arguments: object
) -> M | None:
    """The only row of a statement, if there is one."""
    row = await connection.fetchrow(sql, *arguments)
    return model.model_validate(dict(row)) if row else None


async def fetch_all[M: BaseModel](
    connection: Connection, model: type[M], sql: LiteralString, *arguments: object
) -> list[M]:
    """Every row of a statement, in its order."""
    rows = await connection.fetch(sql, *arguments)
    return [model.model_validate(dict(row)) for row in rows]


@contextmanager
def constraint(name: str, *, otherwise: Problem) -> Generator[None]:
    """Say what breaking a named database constraint means to the caller."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as exc:
        if exc.constraint_name != name:
            raise
        raise otherwise from exc


async def set_codecs(connection: Connection) -> None:
    """Read and write `json` and `jsonb` as Python values."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind,
            encoder=lambda value: orjson.dumps(value).decode(),
            decoder=orjson.loads,
            schema="pg_catalog",
        )


async def answers(database: Database) -> bool:
    """Whether the database takes a statement right now."""
    try:
        async with database.acquire() as connection:
            return cast("int", await connection.fetchval("SELECT 1", timeout=2)) == 1
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, Problem):
        return False

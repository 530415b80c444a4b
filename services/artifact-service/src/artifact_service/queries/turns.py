"""SQL on whose turn it is: one function, one statement or a pair of them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from servicekit.database import Connection

_LOCK = "artifact collector"


@asynccontextmanager
async def try_turn(connection: Connection) -> AsyncGenerator[bool]:
    """Whether the turn is ours until the block ends; it falls to others if the connection dies."""
    mine = await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", _LOCK)
    try:
        yield mine
    finally:
        if mine and not connection.is_closed():
            await connection.fetchval("SELECT pg_advisory_unlock(hashtextextended($1, 0))", _LOCK)

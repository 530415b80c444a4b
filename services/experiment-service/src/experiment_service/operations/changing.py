"""What every change has in common: its transaction, its turn, and when it was asked for."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from servicekit.database import Connection, Database

from experiment_service.models.turns import Turn
from experiment_service.queries.turns import select_now, update_turn


@dataclass(frozen=True, slots=True)
class Change:
    """A change under way: nobody else changes anything in the project meanwhile."""

    connection: Connection
    turn: Turn
    arrived_at: datetime


@asynccontextmanager
async def changing(
    database: Database, project_id: UUID, *, arrived: float | None = None
) -> AsyncGenerator[Change]:
    """A transaction that has its turn in the project.

    `arrived` is when the request came, on this process's monotonic clock; None means now.
    It becomes a time of the database's clock before the wait for the turn begins, so that
    neither waiting nor clocks that differ blur who came first.
    """
    async with database.acquire() as connection:
        waited = monotonic() - arrived if arrived is not None else 0
        arrived_at = await select_now(connection) - timedelta(seconds=waited)
        async with connection.transaction():
            turn = await update_turn(connection, project_id=project_id)
            yield Change(connection, turn, arrived_at)

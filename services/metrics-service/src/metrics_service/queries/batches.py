"""SQL on batches: one function, one statement."""

from typing import cast
from uuid import UUID

from pydantic import BaseModel
from servicekit.database import Connection, fetch_all


class BatchSize(BaseModel, frozen=True):
    """A batch's place in its run, and how many points it holds."""

    ordinal: int
    points: int


async def insert_batch(
    connection: Connection, *, run_id: UUID, ordinal: int, batch_id: UUID | None, points: int
) -> None:
    """Note a batch of a run whose ordinal is held."""
    await connection.execute(
        "INSERT INTO batches (run_id, ordinal, batch_id, points) VALUES ($1, $2, $3, $4)",
        run_id,
        ordinal,
        batch_id,
        points,
    )


async def select_batch_points(
    connection: Connection, *, run_id: UUID, batch_id: UUID
) -> int | None:
    """How many points a batch of that name holds; None where the run has none of it."""
    return cast(
        "int | None",
        await connection.fetchval(
            "SELECT points FROM batches WHERE run_id = $1 AND batch_id = $2", run_id, batch_id
        ),
    )


async def select_batch_sizes(
    connection: Connection, *, run_id: UUID, after: int, upto: int, limit: int
) -> list[BatchSize]:
    """The next batches behind `after`, in their order."""
    return await fetch_all(
        connection,
        BatchSize,
        """
        SELECT ordinal, points
        FROM batches
        WHERE run_id = $1 AND ordinal > $2 AND ordinal <= $3
        ORDER BY ordinal
        LIMIT $4
        """,
        run_id,
        after,
        upto,
        limit,
    )

"""SQL on batches: one function, one statement."""

from typing import cast
from uuid import UUID

from pydantic import BaseModel
from servicekit.database import Connection, fetch_all, fetch_one


class BatchSize(BaseModel, frozen=True):
    """A batch's place in its run, and how many points it holds."""

    ordinal: int
    points: int


class Turn(BaseModel, frozen=True):
    """A batch's ordinal in its run, and whether the run has no batch of that name yet.

    No ordinal where the run takes no more points.
    """

    ordinal: int | None
    is_new: bool


async def insert_batch(
    connection: Connection, *, run_id: UUID, batch_id: UUID | None, points: int
) -> Turn:
    """Give a batch its turn: the run's other batches wait until the transaction ends."""
    return await fetch_one(
        connection,
        Turn,
        """
        WITH turn AS (
            INSERT INTO runs (run_id, ordinal)
            SELECT run_id, 1
            FROM experiment.run_projects
            WHERE run_id = $1 AND status <> 'archived'
            ON CONFLICT (run_id) DO UPDATE SET ordinal = runs.ordinal + 1
            RETURNING ordinal
        ), batch AS (
            INSERT INTO batches (run_id, ordinal, batch_id, points)
            SELECT $1, ordinal, $2, $3
            FROM turn
            ON CONFLICT ON CONSTRAINT batches_batch_id_key DO NOTHING
            RETURNING ordinal
        )
        SELECT (SELECT ordinal FROM turn) AS ordinal, EXISTS (SELECT FROM batch) AS is_new
        """,
        run_id,
        batch_id,
        points,
    )


async def select_batch_points(
    connection: Connection, *, run_id: UUID, batch_id: UUID | None
) -> int:
    """How many points the run's batch of that name holds."""
    return cast(
        "int",
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

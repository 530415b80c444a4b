"""SQL on the runs as the store knows them: one function, one statement."""

from collections.abc import Collection
from uuid import UUID

from pydantic import BaseModel
from servicekit.database import Connection


class OwnerState(BaseModel, frozen=True):
    """How many batches a run has taken, and when its first point was (µs since 1970)."""

    ordinal: int
    first_time: int | None = None


async def select_owner_states(
    connection: Connection, *, run_ids: Collection[UUID]
) -> dict[UUID, OwnerState]:
    """The states of the runs; runs without any points are not named."""
    rows = await connection.fetch(
        "SELECT id, ordinal, first_time FROM owners WHERE id = ANY ($1::uuid[])", run_ids
    )
    return {
        row["id"]: OwnerState(ordinal=row["ordinal"], first_time=row["first_time"]) for row in rows
    }

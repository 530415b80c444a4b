"""SQL on baselines: one function, one statement."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_all

from comparison_service.models.saved import Baseline


async def select_baselines(
    connection: Connection, *, experiment_ids: Collection[UUID]
) -> list[Baseline]:
    """The baselines of those experiments that have one."""
    return await fetch_all(
        connection,
        Baseline,
        """
        SELECT experiment_id, run_id, set_by, set_at
        FROM baselines
        WHERE experiment_id = ANY ($1::uuid[])
        """,
        experiment_ids,
    )


async def upsert_baseline(
    connection: Connection, *, experiment_id: UUID, run_id: UUID, by: UUID, at: datetime
) -> None:
    """Compare the experiment's runs with this one from now on."""
    await connection.execute(
        """
        INSERT INTO baselines (experiment_id, run_id, set_by, set_at)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (experiment_id)
        DO UPDATE SET run_id = $2, set_by = $3, set_at = $4
        WHERE baselines.run_id <> $2
        """,
        experiment_id,
        run_id,
        by,
        at,
    )


async def delete_baseline(connection: Connection, experiment_id: UUID) -> bool:
    """Let the experiment have none; whether it had one."""
    gone = await connection.fetchval(
        "DELETE FROM baselines WHERE experiment_id = $1 RETURNING true", experiment_id
    )
    return gone is not None

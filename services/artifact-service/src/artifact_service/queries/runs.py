"""SQL on what experiment-service publishes of runs: one function, one statement."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from uuid import UUID

import asyncpg
from pydantic import BaseModel
from servicekit.database import Connection, fetch_optional
from servicekit.problems import Unavailable


class HolderState(BaseModel, frozen=True):
    """Where a run or a logged model stands, and whether it takes changes."""

    project_id: UUID
    experiment_id: UUID
    archived: bool


async def select_run(connection: Connection, run_id: UUID) -> HolderState | None:
    """The run's place.

    Raises:
        Unavailable: experiment-service has not made its view yet.
    """
    with _published():
        return await fetch_optional(
            connection,
            HolderState,
            """
            SELECT project_id, experiment_id, status = 'archived' AS archived
            FROM experiment.run_projects
            WHERE run_id = $1
            """,
            run_id,
        )


async def select_model(connection: Connection, model_id: UUID) -> HolderState | None:
    """The logged model's place; one that is deleted takes no changes.

    Raises:
        Unavailable: experiment-service has not made its view yet.
    """
    with _published():
        return await fetch_optional(
            connection,
            HolderState,
            """
            SELECT project_id, experiment_id, deleted AS archived
            FROM experiment.logged_model_projects
            WHERE model_id = $1
            """,
            model_id,
        )


async def select_project(connection: Connection, run_id: UUID) -> UUID | None:
    """The run's project; see `select_run`."""
    run = await select_run(connection, run_id)
    return run.project_id if run else None


async def select_projects_of_runs(
    connection: Connection, *, run_ids: Sequence[UUID]
) -> dict[UUID, UUID]:
    """The project of each of the runs that there are.

    Raises:
        Unavailable: experiment-service has not made its view yet.
    """
    with _published():
        rows = await connection.fetch(
            """
            SELECT run_id, project_id FROM experiment.run_projects WHERE run_id = ANY ($1::uuid[])
            """,
            run_ids,
        )
    return {row["run_id"]: row["project_id"] for row in rows}


async def has_published_runs(connection: Connection) -> bool:
    """Whether experiment-service's views are there."""
    return await connection.fetchval(
        """
        SELECT to_regclass('experiment.run_projects') IS NOT NULL
           AND to_regclass('experiment.logged_model_projects') IS NOT NULL
        """
    )


@contextmanager
def _published() -> Generator[None]:
    try:
        yield
    except asyncpg.UndefinedTableError as exc:
        msg = "Runs are not there yet: experiment-service has not started."
        raise Unavailable(msg) from exc

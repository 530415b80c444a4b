"""SQL on runs: what experiment-service publishes of them, and how many batches they have here."""

from collections.abc import Collection, Generator
from contextlib import contextmanager
from uuid import UUID

import asyncpg
from pydantic import BaseModel
from servicekit.database import Connection, fetch_all
from servicekit.problems import Unavailable


class RunState(BaseModel, frozen=True):
    """How a run stands, and how many batches it has taken."""

    run_id: UUID
    status: str
    ordinal: int


class RunProject(BaseModel, frozen=True):
    """The project that a run belongs to, and how the run stands."""

    run_id: UUID
    project_id: UUID
    status: str


async def select_project(connection: Connection, run_id: UUID) -> UUID | None:
    """The run's project.

    Raises:
        Unavailable: experiment-service has not made its view yet.
    """
    with _published():
        return await connection.fetchval(
            "SELECT project_id FROM experiment.run_projects WHERE run_id = $1", run_id
        )


async def select_run_projects(
    connection: Connection, *, run_ids: Collection[UUID]
) -> list[RunProject]:
    """The projects of those runs that there are.

    Raises:
        Unavailable: experiment-service has not made its view yet.
    """
    with _published():
        return await fetch_all(
            connection,
            RunProject,
            """
            SELECT run_id, project_id, status
            FROM experiment.run_projects
            WHERE run_id = ANY ($1::uuid[])
            """,
            run_ids,
        )


async def select_run_states(connection: Connection, *, run_ids: Collection[UUID]) -> list[RunState]:
    """How the runs stand, as far as there are any."""
    return await fetch_all(
        connection,
        RunState,
        """
        SELECT published.run_id, published.status, coalesce(owners.ordinal, 0) AS ordinal
        FROM experiment.run_projects AS published
        LEFT JOIN owners ON owners.id = published.run_id
        WHERE published.run_id = ANY ($1::uuid[])
        """,
        run_ids,
    )


async def has_published_runs(connection: Connection) -> bool:
    """Whether experiment-service's view is there."""
    return await connection.fetchval("SELECT to_regclass('experiment.run_projects') IS NOT NULL")


@contextmanager
def _published() -> Generator[None]:
    try:
        yield
    except asyncpg.UndefinedTableError as exc:
        msg = "Runs are not there yet: experiment-service has not started."
        raise Unavailable(msg) from exc

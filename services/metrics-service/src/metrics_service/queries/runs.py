"""SQL on runs: what experiment-service publishes of them, and their order of batches here."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from uuid import UUID

import asyncpg
from pydantic import BaseModel
from servicekit.database import Connection, fetch_all, fetch_optional
from servicekit.problems import Unavailable


class RunState(BaseModel, frozen=True):
    """How a run stands, and how many batches it has taken."""

    status: str
    ordinal: int


class RunProject(BaseModel, frozen=True):
    """The project that a run belongs to."""

    run_id: UUID
    project_id: UUID


async def select_project(connection: Connection, run_id: UUID) -> UUID | None:
    """The run's project.

    Raises:
        Unavailable: experiment-service has not made its view yet.
    """
    with _published():
        return await connection.fetchval(
            "SELECT project_id FROM experiment.run_projects WHERE run_id = $1", run_id
        )


async def select_projects(connection: Connection, *, run_ids: Sequence[UUID]) -> list[RunProject]:
    """The projects of those runs that there are.

    Raises:
        Unavailable: experiment-service has not made its view yet.
    """
    with _published():
        return await fetch_all(
            connection,
            RunProject,
            "SELECT run_id, project_id FROM experiment.run_projects WHERE run_id = ANY($1)",
            run_ids,
        )


async def select_run_state(connection: Connection, run_id: UUID) -> RunState | None:
    """How the run stands; None where there is none."""
    return await fetch_optional(
        connection,
        RunState,
        """
        SELECT published.status, coalesce(runs.ordinal, 0) AS ordinal
        FROM experiment.run_projects AS published
        LEFT JOIN runs ON runs.run_id = published.run_id
        WHERE published.run_id = $1
        """,
        run_id,
    )


async def select_ordinals(connection: Connection, *, run_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many batches each run has taken; runs without any are not named."""
    rows = await connection.fetch(
        "SELECT run_id, ordinal FROM runs WHERE run_id = ANY($1)", run_ids
    )
    return {row["run_id"]: row["ordinal"] for row in rows}


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

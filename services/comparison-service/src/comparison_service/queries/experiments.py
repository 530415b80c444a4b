"""SQL on what experiment-service publishes: one function, one statement."""

from collections.abc import Generator
from contextlib import contextmanager
from uuid import UUID

import asyncpg
from servicekit.database import Connection
from servicekit.problems import Unavailable


async def select_experiment_project(connection: Connection, experiment_id: UUID) -> UUID | None:
    """The project that the experiment belongs to.

    Raises:
        Unavailable: experiment-service has not made its view yet.
    """
    with _published():
        return await connection.fetchval(
            "SELECT project_id FROM experiment.experiment_projects WHERE experiment_id = $1",
            experiment_id,
        )


async def select_experiment_of_run(connection: Connection, run_id: UUID) -> UUID | None:
    """The experiment that the run belongs to.

    Raises:
        Unavailable: experiment-service has not made its view yet.
    """
    with _published():
        return await connection.fetchval(
            "SELECT experiment_id FROM experiment.run_projects WHERE run_id = $1", run_id
        )


async def has_published_experiments(connection: Connection) -> bool:
    """Whether experiment-service's views are there."""
    return await connection.fetchval(
        """
        SELECT to_regclass('experiment.run_projects') IS NOT NULL
           AND to_regclass('experiment.experiment_projects') IS NOT NULL
        """
    )


@contextmanager
def _published() -> Generator[None]:
    try:
        yield
    except asyncpg.UndefinedTableError as exc:
        msg = "Experiments are not there yet: experiment-service has not started."
        raise Unavailable(msg) from exc

"""Reading runs with their latest metrics."""

from collections.abc import Sequence
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.problems import NotFound

from experiment_service.models.runs import MAX_METRICS_SHOWN, Run
from experiment_service.queries.metrics import select_latest_metrics, select_metrics_published
from experiment_service.queries.runs import select_run, select_runs


async def get_run(database: Database, run_id: UUID) -> Run:
    """One run with its latest metrics."""
    async with database.acquire() as connection:
        return await answer_run(connection, run_id)


async def runs_with_metrics(
    connection: Connection, run_ids: Sequence[UUID], *, published: bool
) -> list[Run]:
    """Runs in the order of the ids, with their latest metrics where metrics are published."""
    runs = await select_runs(connection, run_ids=run_ids)
    if not published or not runs:
        return runs
    latest = await select_latest_metrics(connection, run_ids=run_ids, limit=MAX_METRICS_SHOWN)
    return [run.model_copy(update={"metrics": latest.get(run.id, {})}) for run in runs]


async def answer_run(connection: Connection, run_id: UUID) -> Run:
    """A run as it is answered.

    Raises:
        NotFound: there is none.
    """
    published = await select_metrics_published(connection)
    found = await runs_with_metrics(connection, [run_id], published=published)
    if not found:
        raise NotFound
    return found[0]


async def stored_run(connection: Connection, run_id: UUID) -> Run:
    """A run without its metrics.

    Raises:
        NotFound: there is none.
    """
    run = await select_run(connection, run_id=run_id)
    if run is None:
        raise NotFound
    return run

"""Reading runs: one, or a page of them, with their latest metrics."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.pagination import Page
from servicekit.problems import Invalid, NotFound

from experiment_service.models.runs import MAX_METRICS_SHOWN, ExperimentRunsQuery, Run
from experiment_service.operations.filters import archived_filter, tag_filters
from experiment_service.queries.experiments import select_project
from experiment_service.queries.keyset import position
from experiment_service.queries.metrics import select_latest_metrics, select_metrics_published
from experiment_service.queries.run_search import RunFilter, run_order, select_run_page
from experiment_service.queries.runs import select_run, select_runs
from experiment_service.search.syntax import parse_filter
from experiment_service.search.tokens import Mistake


async def get_run(database: Database, run_id: UUID) -> Run:
    """One run with its latest metrics."""
    async with database.acquire() as connection:
        return await answer_run(connection, run_id)


async def list_runs(
    database: Database,
    project_id: UUID,
    query: ExperimentRunsQuery,
    *,
    experiment_id: UUID | None,
) -> Page[Run]:
    """One page of a project's runs, or of one of its experiments'.

    Raises:
        Invalid: the filter cannot be read; the error has the position of the part.
    """
    with _readable():
        matching = parse_filter(query.filter)
    wanted = RunFilter(
        project_id=project_id,
        experiment_id=experiment_id,
        parent_run_id=query.parent_run_id,
        statuses=tuple(query.status),
        name_part=query.q,
        tags=tag_filters(query.tag),
        archived=archived_filter(query.archived, query.status),
        matching=matching,
    )
    async with database.acquire() as connection:
        published = await select_metrics_published(connection)
        order = run_order(query.sort, metrics_published=published)
        after = position(query.cursor, query.sort, order.segments)
        if experiment_id and await select_project(connection, experiment_id) != project_id:
            return Page(items=[])
        wanted = replace(wanted, metrics_published=published)
        with _readable():
            page, end = await select_run_page(
                connection, wanted, order, after=after, limit=query.limit
            )
        items = await runs_with_metrics(
            connection, [row.id for row in page if row.id], published=published
        )
    return Page(items=items, next_cursor=end.cursor(query.sort).encode() if end else None)


@contextmanager
def _readable() -> Generator[None]:
    try:
        yield
    except Mistake as mistake:
        entry = {
            "parameter": "filter",
            "detail": str(mistake),
            "position": mistake.span.start,
            "length": mistake.span.length,
        }
        raise Invalid(errors=[entry]) from mistake


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

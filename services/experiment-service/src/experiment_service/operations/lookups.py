"""Reading many rows of any projects at once, for whoever compares them."""

from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

from servicekit.database import Database
from servicekit.problems import NotFound

from experiment_service.models.captures import CaptureLookup, CaptureSessionList
from experiment_service.models.runs import RunList, RunLookup
from experiment_service.operations.run_reading import runs_with_metrics
from experiment_service.queries.captures import select_captures_by_ids, select_captures_of_runs
from experiment_service.queries.metrics import select_metrics_published
from experiment_service.queries.runs import select_projects_of_runs

type MayRead = Callable[[UUID], Awaitable[bool]]
"""Whether the caller sees a project."""


async def look_up_runs(database: Database, lookup: RunLookup, may_read: MayRead) -> RunList:
    """The runs with their latest metrics, in the order of the ids, each once.

    Raises:
        NotFound: one of them is missing, or of a project that the caller does not see.
    """
    wanted = list(dict.fromkeys(lookup.run_ids))
    async with database.acquire() as connection:
        projects = await select_projects_of_runs(connection, run_ids=wanted)
    await _admit("run", wanted, projects, may_read)
    async with database.acquire() as connection:
        published = await select_metrics_published(connection)
        return RunList(items=await runs_with_metrics(connection, wanted, published=published))


async def look_up_captures(
    database: Database, lookup: CaptureLookup, may_read: MayRead
) -> CaptureSessionList:
    """The capture sessions of the runs, the newest first, and those that are named.

    Raises:
        NotFound: a run or session is missing, or of a project that the caller does not see.
    """
    async with database.acquire() as connection:
        projects = await select_projects_of_runs(connection, run_ids=lookup.run_ids)
        found = await select_captures_by_ids(connection, ids=lookup.capture_session_ids)
    await _admit("run", lookup.run_ids, projects, may_read)
    places = {session.id: session.project_id for session in found}
    await _admit("capture session", lookup.capture_session_ids, places, may_read)
    if lookup.run_ids:
        async with database.acquire() as connection:
            of_runs = await select_captures_of_runs(
                connection, run_ids=lookup.run_ids, limit=lookup.limit
            )
        known = set(places)
        found += [session for session in of_runs if session.id not in known]
    return CaptureSessionList(items=found)


async def _admit(
    what: str, ids: Iterable[UUID], projects: dict[UUID, UUID], may_read: MayRead
) -> None:
    allowed: dict[UUID, bool] = {}
    for one in ids:
        project_id = projects.get(one)
        if project_id is not None and project_id not in allowed:
            allowed[project_id] = await may_read(project_id)
        if project_id is None or not allowed[project_id]:
            msg = f"There is no {what} {one}, or you may not see it."
            raise NotFound(msg)

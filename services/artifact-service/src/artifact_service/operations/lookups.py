"""Reading the files of several runs at once."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from servicekit.database import Database
from servicekit.problems import NotFound

from artifact_service.models.lookups import ArtifactLookup, RunArtifactList
from artifact_service.queries.artifacts import select_artifacts_of_runs
from artifact_service.queries.runs import select_projects_of_runs

type MayRead = Callable[[UUID], Awaitable[bool]]
"""Whether the caller sees a project."""


async def look_up_artifacts(
    database: Database, lookup: ArtifactLookup, may_read: MayRead
) -> RunArtifactList:
    """The files of the runs by path.

    Raises:
        NotFound: one of the runs is missing, or of a project that the caller does not see.
    """
    wanted = list(dict.fromkeys(lookup.run_ids))
    async with database.acquire() as connection:
        projects = await select_projects_of_runs(connection, run_ids=wanted)
    allowed = {project: await may_read(project) for project in set(projects.values())}
    for run_id in wanted:
        if run_id not in projects or not allowed[projects[run_id]]:
            msg = f"There is no run {run_id}, or you may not see it."
            raise NotFound(msg)
    async with database.acquire() as connection:
        files = await select_artifacts_of_runs(connection, run_ids=wanted, limit=lookup.limit + 1)
    return RunArtifactList(items=files[: lookup.limit], complete=len(files) <= lookup.limit)

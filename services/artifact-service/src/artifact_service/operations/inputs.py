"""Which run used which file, as far as the caller may see."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from servicekit.database import Database
from servicekit.identity import Access, Principal
from servicekit.problems import Invalid, NotFound

from artifact_service.models.artifacts import Holder
from artifact_service.models.details import Input, NewInput, Use
from artifact_service.operations.holders import check_writable
from artifact_service.queries.artifacts import lock_holder
from artifact_service.queries.details import select_artifact_project, select_details
from artifact_service.queries.inputs import (
    count_inputs,
    select_inputs,
    select_uses,
    upsert_input,
)

type AccessTo = Callable[[UUID], Awaitable[Access | None]]

MAX_INPUTS = 1000
MAX_USES = 1000


async def note_input(
    database: Database,
    principal: Principal,
    run_id: UUID,
    artifact_id: UUID,
    new: NewInput,
    access_to: AccessTo,
) -> Input:
    """Note that a run uses a file as it is now; noting it again takes the new role and content.

    Raises:
        NotFound: there is no such file, or it is in a project that the caller has no part in.
        RunArchived: the run takes no changes.
        Invalid: the run uses too many files, or the file is its own.
    """
    async with database.acquire() as connection:
        project_id = await select_artifact_project(connection, artifact_id)
    if project_id is None or await access_to(project_id) is None:
        raise NotFound
    async with database.acquire() as connection, connection.transaction():
        await lock_holder(connection, run_id)
        await check_writable(connection, Holder("run", run_id))
        artifact = await select_details(connection, artifact_id)
        if artifact is None:
            raise NotFound
        if artifact.holder_id == run_id:
            msg = "The file is the run's own; a run uses files of others."
            raise Invalid(msg)
        if await count_inputs(connection, run_id) >= MAX_INPUTS:
            msg = f"A run may name at most {MAX_INPUTS} files that it uses."
            raise Invalid(msg)
        return await upsert_input(
            connection,
            run_id=run_id,
            artifact=artifact,
            project_id=project_id,
            role=new.role,
            created_by=principal.user_id,
        )


async def list_inputs(database: Database, run_id: UUID, access_to: AccessTo) -> list[Input]:
    """What a run used, without the files of projects that the caller has no part in."""
    async with database.acquire() as connection:
        inputs = await select_inputs(connection, run_id=run_id, limit=MAX_INPUTS)
    seen = await _seen({one.project_id for one in inputs}, access_to)
    return [one for one in inputs if one.project_id in seen]


async def list_uses(database: Database, artifact_id: UUID, access_to: AccessTo) -> list[Use]:
    """The latest runs that used a file, of projects that the caller has a part in."""
    async with database.acquire() as connection:
        uses = await select_uses(connection, artifact_id=artifact_id, limit=MAX_USES)
    seen = await _seen({one.project_id for one in uses}, access_to)
    return [one for one in uses if one.project_id in seen]


async def _seen(projects: set[UUID], access_to: AccessTo) -> set[UUID]:
    return {one for one in projects if await access_to(one)}

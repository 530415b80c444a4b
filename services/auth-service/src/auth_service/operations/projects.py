"""Projects: made, found, changed, archived and brought back."""

import re
import unicodedata
from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, Database, constraint
from servicekit.identity import Access, Principal, Role
from servicekit.ids import uuid7
from servicekit.pagination import Cursor, Page, page_of
from servicekit.problems import PreconditionFailed, ProjectArchived

from auth_service.call import Call
from auth_service.errors import ProjectSlugTaken
from auth_service.models.audit import Action, NewEvent
from auth_service.models.events import (
    MEMBER_ADDED,
    PROJECT_ARCHIVED,
    PROJECT_CHANGED,
    PROJECT_CREATED,
    PROJECT_RESTORED,
    FieldsData,
    MemberData,
    NoData,
    ProjectData,
)
from auth_service.models.projects import (
    LockedProject,
    NewProject,
    Project,
    ProjectChange,
    ProjectQuery,
)
from auth_service.operations.audit import record
from auth_service.operations.telling import tell_of_project
from auth_service.queries import projects as queries

SLUG_LENGTH = 60
NUMBER_LENGTH = 6  # a hyphen and the number that tells projects of one name apart
ARCHIVED = {"false": False, "true": True, "all": None}


async def create_project(call: Call, principal: Principal, new: NewProject) -> Project:
    """Make a project; its maker becomes its owner.

    Raises:
        ProjectSlugTaken: the slug that was asked for is in use.
    """
    project_id = uuid7()
    async with call.database.acquire() as connection, connection.transaction():
        slug = new.slug or await _free_slug(connection, new.name)
        with constraint("projects_slug_key", otherwise=_taken(slug)):
            await queries.insert_project(
                connection,
                project_id=project_id,
                slug=slug,
                name=new.name,
                description=new.description,
                created_by=principal.user_id,
            )
        await queries.upsert_member(
            connection, project_id=project_id, user_id=principal.user_id, role=Role.OWNER
        )
        await _record(connection, call, principal, "project.create", project_id, slug=slug)
        made = ProjectData(slug=slug)
        await tell_of_project(connection, PROJECT_CREATED, project_id, new.name, made)
        owner = MemberData(user_id=principal.user_id, role=Role.OWNER)
        await tell_of_project(connection, MEMBER_ADDED, project_id, new.name, owner)
        return await queries.select_project(connection, project_id, user_id=principal.user_id)


async def list_projects(
    database: Database, principal: Principal, query: ProjectQuery
) -> Page[Project]:
    """One page of the caller's projects; an API token sees its own alone."""
    cursor = Cursor.decode(query.cursor, sort=query.sort) if query.cursor else None
    only = principal.scope.project_id if principal.scope else None
    archived, limit = ARCHIVED[query.archived], query.limit + 1
    async with database.acquire() as connection:
        if query.sort == "name":
            projects = await queries.select_projects_by_name(
                connection,
                user_id=principal.user_id,
                only=only,
                slug=query.slug,
                text=query.q,
                archived=archived,
                after=(cursor.value_as(str), cursor.row_id) if cursor else None,
                limit=limit,
            )
        else:
            projects = await queries.select_projects_newest_first(
                connection,
                user_id=principal.user_id,
                only=only,
                slug=query.slug,
                text=query.q,
                archived=archived,
                before=(cursor.value_as(datetime), cursor.row_id) if cursor else None,
                limit=limit,
            )

    def end(project: Project) -> Cursor:
        value = project.name if query.sort == "name" else project.created_at
        return Cursor(sort=query.sort, value=value, id=project.id)

    return page_of(
        [_seen_by(principal, project) for project in projects], limit=query.limit, cursor=end
    )


async def read_project(database: Database, principal: Principal, project_id: UUID) -> Project:
    """The project, with the caller's role in it."""
    async with database.acquire() as connection:
        project = await queries.select_project(connection, project_id, user_id=principal.user_id)
    return _seen_by(principal, project)


async def change_project(
    call: Call,
    principal: Principal,
    project_id: UUID,
    change: ProjectChange,
    if_match: int | None,
) -> Project:
    """Change name, slug or description.

    Raises:
        PreconditionFailed: somebody changed the project since the version in If-Match.
        ProjectSlugTaken: the slug is in use.
        ProjectArchived: it was archived in the meantime.
    """
    changes = change.model_dump(exclude_unset=True)
    async with call.database.acquire() as connection, connection.transaction():
        project = await queries.lock_project(connection, project_id)
        if if_match is not None and project.version != if_match:
            msg = f"The project is at version {project.version}."
            raise PreconditionFailed(msg)
        if project.is_archived:
            raise ProjectArchived
        wanted = project.model_copy(update=changes | {"description": _text(change, project)})
        if wanted != project:
            with constraint("projects_slug_key", otherwise=_taken(wanted.slug)):
                await queries.update_project(
                    connection,
                    project_id,
                    slug=wanted.slug,
                    name=wanted.name,
                    description=wanted.description,
                )
            fields = [
                key for key in sorted(changes) if getattr(wanted, key) != getattr(project, key)
            ]
            await _record(
                connection, call, principal, "project.change", project_id, fields=", ".join(fields)
            )
            edited = FieldsData(fields=fields)
            await tell_of_project(connection, PROJECT_CHANGED, project_id, wanted.name, edited)
        changed = await queries.select_project(connection, project_id, user_id=principal.user_id)
    return _seen_by(principal, changed)


async def archive_project(call: Call, principal: Principal, project_id: UUID) -> None:
    """Archive the project: it can be read and takes no changes.

    Raises:
        ProjectArchived: it is archived already.
    """
    async with call.database.acquire() as connection, connection.transaction():
        project = await queries.lock_project(connection, project_id)
        if project.is_archived:
            raise ProjectArchived
        await queries.update_archived(connection, project_id, archived=True)
        await _record(connection, call, principal, "project.archive", project_id)
        await tell_of_project(connection, PROJECT_ARCHIVED, project_id, project.name, NoData())


async def restore_project(call: Call, principal: Principal, project_id: UUID) -> Project:
    """Bring an archived project back; one that is not archived stays as it is."""
    async with call.database.acquire() as connection, connection.transaction():
        project = await queries.lock_project(connection, project_id)
        if project.is_archived:
            await queries.update_archived(connection, project_id, archived=False)
            await _record(connection, call, principal, "project.restore", project_id)
            await tell_of_project(connection, PROJECT_RESTORED, project_id, project.name, NoData())
        restored = await queries.select_project(connection, project_id, user_id=principal.user_id)
    return _seen_by(principal, restored)


async def find_access(database: Database, principal: Principal, project_id: UUID) -> Access | None:
    """What the caller may do in the project; a token no more than itself and its person."""
    if principal.scope and principal.scope.project_id != project_id:
        return None
    async with database.acquire() as connection:
        access = await queries.select_access(
            connection, project_id=project_id, user_id=principal.user_id
        )
    return access and access.model_copy(update={"role": _lesser(principal, access.role)})


def slug_of(name: str) -> str:
    """A slug from a name: its Latin letters and digits, at most 60 characters."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    words = re.sub(r"[^a-z0-9]+", "-", "".join(c for c in plain if not unicodedata.combining(c)))
    return words.strip("-")[:SLUG_LENGTH].strip("-") or "project"


async def _free_slug(connection: Connection, name: str) -> str:
    slug = slug_of(name)
    stem = slug[: SLUG_LENGTH - NUMBER_LENGTH].strip("-")
    await queries.lock_slugs(connection, stem=stem)
    taken = await queries.select_slugs(connection, slug=slug, stem=stem)
    number, free = 2, slug
    while free in taken:
        free = f"{stem}-{number}"
        number += 1
    return free


def _text(change: ProjectChange, project: LockedProject) -> str:
    if "description" in change.model_fields_set:
        return change.description or ""
    return project.description


def _seen_by(principal: Principal, project: Project) -> Project:
    return project.model_copy(update={"role": _lesser(principal, project.role)})


def _lesser(principal: Principal, role: Role) -> Role:
    if principal.scope and role.includes(principal.scope.role):
        return principal.scope.role
    return role


def _taken(slug: str) -> ProjectSlugTaken:
    return ProjectSlugTaken(f"{slug!r} is in use; choose another.")


async def _record(
    connection: Connection,
    call: Call,
    principal: Principal,
    action: Action,
    project_id: UUID,
    **details: str,
) -> None:
    event = NewEvent(
        action=action,
        actor_id=principal.user_id,
        project_id=project_id,
        target_type="project",
        target_id=project_id,
        details=dict(details),
    )
    await record(connection, call.origin, event)

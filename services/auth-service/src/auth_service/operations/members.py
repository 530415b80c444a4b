"""Who has what part in a project; one owner always remains."""

from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.identity import Principal, Role
from servicekit.pagination import Cursor, Page, PageQuery, page_of
from servicekit.problems import Forbidden, ProjectArchived

from auth_service.call import Call
from auth_service.errors import LastOwner, MemberNotFound, UserDeactivated, UserNotFound
from auth_service.models.audit import Action, NewEvent
from auth_service.models.events import (
    MEMBER_ADDED,
    MEMBER_CHANGED,
    MEMBER_REMOVED,
    MemberChangeData,
    MemberData,
)
from auth_service.models.projects import LockedProject, Member, MemberRole
from auth_service.operations.audit import record
from auth_service.operations.telling import tell_of_ended_tokens, tell_of_project
from auth_service.queries import projects as queries
from auth_service.queries.people import select_account
from auth_service.queries.tokens import revoke_tokens

BY_NAME = "name"


async def list_members(database: Database, project_id: UUID, query: PageQuery) -> Page[Member]:
    """One page of a project's members, by name."""
    cursor = Cursor.decode(query.cursor, sort=BY_NAME) if query.cursor else None
    async with database.acquire() as connection:
        members = await queries.select_members(
            connection,
            project_id=project_id,
            after=(cursor.value_as(str), cursor.row_id) if cursor else None,
            limit=query.limit + 1,
        )
    return page_of(
        members,
        limit=query.limit,
        cursor=lambda member: Cursor(sort=BY_NAME, value=member.name, id=member.user_id),
    )


async def set_member(
    call: Call, principal: Principal, project_id: UUID, user_id: UUID, body: MemberRole
) -> Member:
    """Give a person a role, their first or another.

    Raises:
        Forbidden: the caller is no owner any more.
        ProjectArchived: it was archived in the meantime.
        UserNotFound, UserDeactivated: the person cannot be a member.
        LastOwner: nobody else would be an owner.
    """
    async with call.database.acquire() as connection, connection.transaction():
        project = await _lock_as_owner(connection, principal, project_id)
        account = await select_account(connection, user_id)
        if account is None:
            raise UserNotFound
        before = await queries.select_role(connection, project_id=project_id, user_id=user_id)
        if before is None and not account.is_active:
            raise UserDeactivated
        if before is Role.OWNER and body.role is not Role.OWNER:
            await _keep_an_owner(connection, project_id, user_id)
        if before is not body.role:
            await queries.upsert_member(
                connection, project_id=project_id, user_id=user_id, role=body.role
            )
            event = _event("member.set", principal, project_id, user_id)
            details: dict[str, str | None] = {"role": body.role, "before": before}
            await record(connection, call.origin, event.model_copy(update={"details": details}))
            await _tell_of_role(connection, project, user_id, body.role, before)
        return await queries.select_member(connection, project_id=project_id, user_id=user_id)


async def remove_member(call: Call, principal: Principal, project_id: UUID, user_id: UUID) -> None:
    """Remove a person from a project, or leave it; their tokens for it end too.

    Raises:
        Forbidden: somebody who is no owner asks it of another.
        ProjectArchived: an archived project can be left, but nobody can be removed.
        MemberNotFound: the person is no member.
        LastOwner: nobody else would be an owner.
    """
    async with call.database.acquire() as connection, connection.transaction():
        if user_id == principal.user_id:
            project = await queries.lock_project(connection, project_id)
        else:
            project = await _lock_as_owner(connection, principal, project_id)
        role = await queries.select_role(connection, project_id=project_id, user_id=user_id)
        if role is None:
            raise MemberNotFound
        if role is Role.OWNER:
            await _keep_an_owner(connection, project_id, user_id)
        await queries.delete_member(connection, project_id=project_id, user_id=user_id)
        ended = await revoke_tokens(connection, user_id=user_id, project_id=project_id)
        event = _event("member.remove", principal, project_id, user_id)
        details = {"role": role, "tokens": len(ended)}
        await record(connection, call.origin, event.model_copy(update={"details": details}))
        left = MemberData(user_id=user_id, role=role)
        await tell_of_project(connection, MEMBER_REMOVED, project_id, project.name, left)
        await tell_of_ended_tokens(connection, ended, "member_removed")


async def _lock_as_owner(
    connection: Connection, principal: Principal, project_id: UUID
) -> LockedProject:
    """Keep the project's members as they are, and look again: two owners may act at once."""
    project = await queries.lock_project(connection, project_id)
    own = await queries.select_role(connection, project_id=project_id, user_id=principal.user_id)
    if own is not Role.OWNER:
        msg = "Only an owner changes who is a member."
        raise Forbidden(msg)
    if project.is_archived:
        raise ProjectArchived
    return project


async def _tell_of_role(
    connection: Connection, project: LockedProject, user_id: UUID, role: Role, before: Role | None
) -> None:
    if before is None:
        given = MemberData(user_id=user_id, role=role)
        await tell_of_project(connection, MEMBER_ADDED, project.id, project.name, given)
    else:
        changed = MemberChangeData(user_id=user_id, role=role, before=before)
        await tell_of_project(connection, MEMBER_CHANGED, project.id, project.name, changed)


async def _keep_an_owner(connection: Connection, project_id: UUID, user_id: UUID) -> None:
    if not await queries.count_owners(connection, project_id=project_id, but=user_id):
        msg = "Make somebody else an owner first."
        raise LastOwner(msg)


def _event(action: Action, principal: Principal, project_id: UUID, user_id: UUID) -> NewEvent:
    return NewEvent(
        action=action,
        actor_id=principal.user_id,
        project_id=project_id,
        target_type="user",
        target_id=user_id,
    )

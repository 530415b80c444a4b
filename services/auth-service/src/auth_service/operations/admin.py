"""What administrators do with people; one administrator always remains."""

from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.identity import Principal
from servicekit.pagination import Cursor, Page, page_of
from servicekit.problems import Forbidden

from auth_service.call import Call
from auth_service.errors import LastAdmin, UserDeactivated, UserNotFound
from auth_service.models.audit import Action, NewEvent
from auth_service.models.events import (
    USER_ACTIVATED,
    USER_ADMIN_GRANTED,
    USER_ADMIN_WITHDRAWN,
    USER_DEACTIVATED,
    NoData,
)
from auth_service.models.people import Account, User, UserChange, UserQuery
from auth_service.operations.audit import record
from auth_service.operations.passwords import mail_reset
from auth_service.operations.telling import tell_of_ended_tokens, tell_of_user
from auth_service.queries import people as queries
from auth_service.queries.resets import delete_resets
from auth_service.queries.sessions import revoke_sessions
from auth_service.queries.tokens import revoke_tokens

NEWEST_FIRST = "-created_at"


async def list_users(database: Database, query: UserQuery) -> Page[User]:
    """One page of all people, newest first."""
    cursor = Cursor.decode(query.cursor, sort=NEWEST_FIRST) if query.cursor else None
    async with database.acquire() as connection:
        users = await queries.select_users(
            connection,
            prefix=query.q,
            active=None if query.status is None else query.status == "active",
            before=(cursor.value_as(datetime), cursor.row_id) if cursor else None,
            limit=query.limit + 1,
        )
    return page_of(
        users,
        limit=query.limit,
        cursor=lambda user: Cursor(sort=NEWEST_FIRST, value=user.created_at, id=user.id),
    )


async def deactivate_user(call: Call, principal: Principal, user_id: UUID) -> User:
    """Shut a person out: their sessions, tokens and links end at once. Twice is the same as once.

    Raises:
        UserNotFound: there is no such person.
        LastAdmin: nobody else is an administrator.
    """
    async with call.database.acquire() as connection, connection.transaction():
        admins = await _lock_as_admin(connection, principal)
        account = await _lock(connection, user_id)
        if account.is_active:
            _keep_an_admin(admins, user_id)
            await queries.update_deactivated(connection, user_id, deactivated=True)
            sessions = await revoke_sessions(connection, user_id=user_id)
            ended = await revoke_tokens(connection, user_id=user_id)
            details = {"sessions": sessions, "tokens": len(ended)}
            await delete_resets(connection, user_id=user_id)
            await _record(connection, call, principal, "user.deactivate", user_id, details)
            await tell_of_user(connection, USER_DEACTIVATED, user_id, account.name, NoData())
            await tell_of_ended_tokens(connection, ended, "user_deactivated")
        return await queries.select_user(connection, user_id)


async def activate_user(call: Call, principal: Principal, user_id: UUID) -> User:
    """Let a person in again; what ended with the deactivation stays ended.

    Raises:
        UserNotFound: there is no such person.
    """
    async with call.database.acquire() as connection, connection.transaction():
        await _lock_as_admin(connection, principal)
        account = await _lock(connection, user_id)
        if not account.is_active:
            await queries.update_deactivated(connection, user_id, deactivated=False)
            await _record(connection, call, principal, "user.activate", user_id, {})
            await tell_of_user(connection, USER_ACTIVATED, user_id, account.name, NoData())
        return await queries.select_user(connection, user_id)


async def change_user(call: Call, principal: Principal, user_id: UUID, change: UserChange) -> User:
    """Make a person an administrator, or no longer one.

    Raises:
        UserNotFound: there is no such person.
        UserDeactivated: a deactivated person cannot become one.
        LastAdmin: nobody else is an administrator.
    """
    async with call.database.acquire() as connection, connection.transaction():
        admins = await _lock_as_admin(connection, principal)
        account = await _lock(connection, user_id)
        if account.is_admin != change.is_admin:
            if change.is_admin and not account.is_active:
                raise UserDeactivated
            if not change.is_admin:
                _keep_an_admin(admins, user_id)
            await queries.update_is_admin(connection, user_id, is_admin=change.is_admin)
            details = {"is_admin": int(change.is_admin)}
            await _record(connection, call, principal, "user.change", user_id, details)
            kind = USER_ADMIN_GRANTED if change.is_admin else USER_ADMIN_WITHDRAWN
            await tell_of_user(connection, kind, user_id, account.name, NoData())
        return await queries.select_user(connection, user_id)


async def reset_password(call: Call, principal: Principal, user_id: UUID) -> None:
    """Mail a person a link for a new password.

    Raises:
        UserNotFound: there is no such person.
        UserDeactivated: they could not use it.
    """
    async with call.database.acquire() as connection:
        account = await queries.select_account(connection, user_id)
    if account is None:
        raise UserNotFound
    if not account.is_active:
        raise UserDeactivated
    await mail_reset(call, account, actor_id=principal.user_id)


async def _lock_as_admin(connection: Connection, principal: Principal) -> list[UUID]:
    """Keep the administrators as they are, and look again: two may act at once."""
    admins = await queries.lock_admins(connection)
    if principal.user_id not in admins:
        msg = "Only an administrator may do this."
        raise Forbidden(msg)
    return admins


async def _lock(connection: Connection, user_id: UUID) -> Account:
    account = await queries.lock_account(connection, user_id)
    if account is None:
        raise UserNotFound
    return account


def _keep_an_admin(admins: list[UUID], user_id: UUID) -> None:
    if admins == [user_id]:
        msg = "Make somebody else an administrator first."
        raise LastAdmin(msg)


async def _record(
    connection: Connection,
    call: Call,
    principal: Principal,
    action: Action,
    user_id: UUID,
    details: dict[str, int],
) -> None:
    event = NewEvent(
        action=action,
        actor_id=principal.user_id,
        target_type="user",
        target_id=user_id,
        details=dict(details),
    )
    await record(connection, call.origin, event)

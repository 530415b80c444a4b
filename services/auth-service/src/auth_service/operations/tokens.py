"""API tokens: made, listed, used and revoked."""

from uuid import UUID

from servicekit.database import Database
from servicekit.identity import Principal, Role
from servicekit.ids import uuid7
from servicekit.machine_tokens import new_machine_token
from servicekit.pagination import Cursor, Page, PageQuery, page_of
from servicekit.problems import Forbidden, ProjectArchived, Unauthenticated

from auth_service.call import Call
from auth_service.errors import TokenNotFound
from auth_service.models.audit import Action, NewEvent
from auth_service.models.tokens import MadeToken, NewToken, Token
from auth_service.operations.audit import record
from auth_service.operations.telling import tell_of_ended_tokens, tell_of_new_token
from auth_service.queries import tokens as queries
from auth_service.queries.people import lock_account
from auth_service.queries.projects import lock_project, select_role

NEWEST_FIRST = "-id"


async def create_token(
    call: Call, principal: Principal, project_id: UUID, new: NewToken
) -> MadeToken:
    """Make a token; its text is answered this once.

    Raises:
        Forbidden: the role is above the caller's.
        ProjectArchived: it was archived in the meantime.
        Unauthenticated: the caller was deactivated in the meantime.
    """
    secret = new_machine_token("pat")
    async with call.database.acquire() as connection, connection.transaction():
        # The locks order this against a removal and a deactivation, which revoke what is there.
        project = await lock_project(connection, project_id)
        account = await lock_account(connection, principal.user_id)
        if account is None or not account.is_active:
            raise Unauthenticated
        own = await select_role(connection, project_id=project_id, user_id=principal.user_id)
        if own is None or not own.includes(new.role):
            msg = f"Your role is {own}; a token cannot have more."
            raise Forbidden(msg)
        if project.is_archived:
            raise ProjectArchived
        token = await queries.insert_token(
            connection,
            secret,
            token_id=uuid7(),
            name=new.name,
            project_id=project_id,
            user_id=principal.user_id,
            role=new.role,
            expires_in_days=new.expires_in_days,
        )
        event = _event("token.create", principal, token)
        await record(connection, call.origin, event)
        await tell_of_new_token(connection, token)
    return MadeToken.model_validate(token.model_dump() | {"token": secret.text})


async def list_own_tokens(
    database: Database, principal: Principal, query: PageQuery
) -> Page[Token]:
    """One page of the person's tokens in all projects, newest first."""
    return await _list(database, query, project_id=None, user_id=principal.user_id)


async def list_project_tokens(
    database: Database, principal: Principal, project_id: UUID, role: Role, query: PageQuery
) -> Page[Token]:
    """One page of a project's tokens: all of them for an owner, their own for others."""
    user_id = None if role is Role.OWNER else principal.user_id
    return await _list(database, query, project_id=project_id, user_id=user_id)


async def revoke_token(call: Call, principal: Principal, token_id: UUID) -> None:
    """End a token: one's own, one of a project that one owns, or as a program itself.

    Raises:
        TokenNotFound: none of these; or it was revoked before.
    """
    async with call.database.acquire() as connection, connection.transaction():
        token = await queries.select_token(connection, token_id)
        if token is None:
            raise TokenNotFound
        if principal.kind == "token":
            may = token.id == principal.token_id
        elif token.user_id == principal.user_id:
            may = True
        else:
            role = await select_role(
                connection, project_id=token.project_id, user_id=principal.user_id
            )
            may = role is Role.OWNER
        ended = await queries.revoke_token(connection, token_id) if may else None
        if ended is None:
            raise TokenNotFound
        await record(connection, call.origin, _event("token.revoke", principal, token))
        await tell_of_ended_tokens(connection, [ended], "revoked")


async def _list(
    database: Database, query: PageQuery, *, project_id: UUID | None, user_id: UUID | None
) -> Page[Token]:
    cursor = Cursor.decode(query.cursor, sort=NEWEST_FIRST) if query.cursor else None
    async with database.acquire() as connection:
        tokens = await queries.select_tokens(
            connection,
            project_id=project_id,
            user_id=user_id,
            before=cursor.row_id if cursor else None,
            limit=query.limit + 1,
        )
    return page_of(
        tokens, limit=query.limit, cursor=lambda token: Cursor(sort=NEWEST_FIRST, id=token.id)
    )


def _event(action: Action, principal: Principal, token: Token) -> NewEvent:
    return NewEvent(
        action=action,
        actor_id=principal.user_id,
        project_id=token.project_id,
        target_type="token",
        target_id=token.id,
        details={"name": token.name, "role": token.role, "key_id": token.key_id},
    )

"""Telling other systems of what happened, in the transaction in which it does.

The audit is written beside it, by `record`: it has more, and whether anybody listens or not.
"""

from collections.abc import Iterable
from uuid import UUID

from pydantic import BaseModel
from servicekit.database import Connection
from servicekit.events import Actor, EventKind
from servicekit.outbox import emit

from auth_service.models.events import (
    TOKEN_CREATED,
    TOKEN_REVOKED,
    USER_REGISTERED,
    NoData,
    TokenData,
    TokenEnd,
    TokenEndData,
)
from auth_service.models.people import Account
from auth_service.models.tokens import EndedToken, Token


async def tell_of_project[D: BaseModel](
    connection: Connection, kind: EventKind[D], project_id: UUID, name: str, data: D
) -> None:
    """Tell of a project, or of a member of it; hold the project's row meanwhile."""
    event = kind.event(data, project_id=project_id, subject_id=project_id, subject_name=name)
    await emit(connection, [event])


async def tell_of_user[D: BaseModel](
    connection: Connection, kind: EventKind[D], user_id: UUID, name: str, data: D
) -> None:
    """Tell of a person, by the name that they have now; hold their row meanwhile."""
    event = kind.event(data, project_id=None, subject_id=user_id, subject_name=name)
    await emit(connection, [event])


async def tell_of_registration(connection: Connection, account: Account) -> None:
    """Tell of somebody who registered: nobody was signed in, so they themselves did it."""
    event = USER_REGISTERED.event(
        NoData(),
        project_id=None,
        subject_id=account.id,
        subject_name=account.name,
        actor=Actor(kind="user", id=account.id),
    )
    await emit(connection, [event])


async def tell_of_new_token(connection: Connection, token: Token) -> None:
    """Tell that a token is there."""
    event = TOKEN_CREATED.event(
        TokenData(user_id=token.user_id, role=token.role, expires_at=token.expires_at),
        project_id=token.project_id,
        subject_id=token.id,
        subject_name=token.name,
    )
    await emit(connection, [event])


async def tell_of_ended_tokens(
    connection: Connection, tokens: Iterable[EndedToken], reason: TokenEnd
) -> None:
    """Tell of each token that has just ended."""
    await emit(
        connection,
        [
            TOKEN_REVOKED.event(
                TokenEndData(user_id=token.user_id, reason=reason),
                project_id=token.project_id,
                subject_id=token.id,
                subject_name=token.name,
            )
            for token in tokens
        ],
    )

"""Signing in and out, and staying signed in."""

import hashlib
from typing import NoReturn
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.pagination import Cursor, Page, PageQuery, page_of
from servicekit.problems import Unavailable

from auth_service.addresses import email_key, tidy_email
from auth_service.call import Call
from auth_service.counters import LOGINS, REFRESH_REUSED
from auth_service.errors import RefreshTokenInvalid, SessionNotFound, WrongCredentials
from auth_service.models.audit import Action, NewEvent
from auth_service.models.keys import Revocations
from auth_service.models.people import Account, Credentials
from auth_service.models.sessions import Logout, OpenSession, Refresh, Session
from auth_service.operations.audit import record
from auth_service.operations.throttling import Attempt, attempt_login
from auth_service.queries import sessions as queries
from auth_service.queries.people import select_account_by_email, select_me, update_login
from auth_service.signing import REFRESH_PREFIX, hash_secret, is_secret, new_secret

NEWEST_FIRST = "-id"
REVOKED_MARGIN_SEC = 60


async def log_in(call: Call, credentials: Credentials) -> Session:
    """Begin a session, if address and password fit; who does not exist costs the same time.

    Raises:
        WrongCredentials: they do not, or the person is deactivated.
        TooManyAttempts: this device or network has failed too often lately.
        Unavailable: too many people are signing in at once.
    """
    key = _key(credentials.email)
    attempt = await attempt_login(call, key=key)
    async with call.database.acquire() as connection:
        account = await select_account_by_email(connection, email_key=key)
    try:
        right = await call.hasher.check(
            credentials.password, account.password_hash if account else None
        )
    except Unavailable:
        await attempt.never_happened()
        raise
    if account is None or not right or not account.is_active:
        await _refuse(call, account, deactivated=right)
    return await _welcome(call, account, credentials.password, attempt)


async def open_session(connection: Connection, call: Call, user_id: UUID) -> Session:
    """A new session of the person, in the caller's transaction."""
    session_id, token = uuid7(), new_secret(REFRESH_PREFIX)
    expires_in = await queries.insert_session(
        connection,
        session_id=session_id,
        user_id=user_id,
        origin=call.origin,
        idle_sec=call.settings.refresh_token_ttl_sec,
    )
    await queries.insert_refresh_token(
        connection, token_hash=hash_secret(token), session_id=session_id, generation=0
    )
    return await _session(connection, call, user_id, session_id, token, expires_in)


async def refresh(call: Call, body: Refresh) -> Session:
    """Exchange a refresh token for its successor and a new access token.

    Of many that present the same token one makes the successor and the others, for a few
    seconds, are given the same. A token that comes back later, or after its successor was
    used, has been stolen: the whole session ends.

    Raises:
        RefreshTokenInvalid: unknown, expired, revoked or used.
    """
    token = body.refresh_token
    session = await _exchange(call, token) if is_secret(token, REFRESH_PREFIX) else None
    if session is None:
        raise RefreshTokenInvalid
    return session


async def log_out(call: Call, principal: Principal | None, body: Logout | None) -> None:
    """End the session of the access token, of the refresh token, or of both."""
    async with call.database.acquire() as connection, connection.transaction():
        ended = {principal.session_id} if principal and principal.session_id else set[UUID]()
        if body and body.refresh_token:
            token_hash = hash_secret(body.refresh_token)
            link = await queries.select_link(connection, token_hash=token_hash)
            ended |= {link.session_id} if link else set()
        for session_id in ended:
            user_id = await queries.revoke_session(connection, session_id)
            if user_id:
                await record(connection, call.origin, _session_event("logout", user_id, session_id))


async def log_out_everywhere(call: Call, principal: Principal) -> None:
    """End every session of the person, this one too."""
    async with call.database.acquire() as connection, connection.transaction():
        ended = await queries.revoke_sessions(connection, user_id=principal.user_id)
        event = NewEvent(
            action="logout.everywhere",
            actor_id=principal.user_id,
            target_type="user",
            target_id=principal.user_id,
            details={"sessions": ended},
        )
        await record(connection, call.origin, event)


async def list_sessions(
    database: Database, principal: Principal, query: PageQuery
) -> Page[OpenSession]:
    """One page of the person's open sessions, newest first."""
    cursor = Cursor.decode(query.cursor, sort=NEWEST_FIRST) if query.cursor else None
    async with database.acquire() as connection:
        sessions = await queries.select_open_sessions(
            connection,
            user_id=principal.user_id,
            current=principal.session_id,
            before=cursor.row_id if cursor else None,
            limit=query.limit + 1,
        )
    return page_of(
        sessions,
        limit=query.limit,
        cursor=lambda session: Cursor(sort=NEWEST_FIRST, id=session.id),
    )


async def end_session(call: Call, principal: Principal, session_id: UUID) -> None:
    """End one of the person's own sessions.

    Raises:
        SessionNotFound: they have no such open session.
    """
    async with call.database.acquire() as connection, connection.transaction():
        ended = await queries.revoke_session(connection, session_id, user_id=principal.user_id)
        if ended is None:
            raise SessionNotFound
        event = _session_event("session.revoke", principal.user_id, session_id)
        await record(connection, call.origin, event)


async def list_revocations(call: Call) -> Revocations:
    """SHA-256 of each session that ended while an access token of it may still be good."""
    within = call.settings.access_token_ttl_sec + REVOKED_MARGIN_SEC
    async with call.database.acquire() as connection:
        revoked = await queries.select_revoked(connection, within_sec=within)
    digests = [hashlib.sha256(str(ended).encode()).hexdigest() for ended in revoked.session_ids]
    return Revocations(revoked=digests, as_of=revoked.as_of)


def _key(email: str) -> str:
    try:
        return email_key(tidy_email(email))
    except ValueError:
        return email  # no account has such a key, and the attempt costs what others cost


async def _refuse(call: Call, account: Account | None, *, deactivated: bool) -> NoReturn:
    reason = "deactivated" if deactivated else "wrong-password" if account else "unknown-account"
    event = NewEvent(
        action="login",
        target_type="user",
        target_id=account.id if account else None,
        result="failure",
        details={"reason": reason},
    )
    async with call.database.acquire() as connection:
        await record(connection, call.origin, event)
    LOGINS.labels(reason).inc()
    if deactivated:
        msg = "This account is deactivated; ask an administrator."
        raise WrongCredentials(msg)
    raise WrongCredentials


async def _welcome(call: Call, account: Account, password: str, attempt: Attempt) -> Session:
    better = None
    if call.hasher.is_outdated(account.password_hash):
        better = await call.hasher.hash(password)
    await attempt.succeeded()
    async with call.database.acquire() as connection, connection.transaction():
        still = await update_login(
            connection,
            account.id,
            new_hash=better,
            password_version=account.password_version,
        )
        if not still:
            raise WrongCredentials
        session = await open_session(connection, call, account.id)
        event = NewEvent(
            action="login",
            actor_id=account.id,
            target_type="session",
            target_id=session.user.session_id,
        )
        await record(connection, call.origin, event)
    LOGINS.labels("success").inc()
    return session


async def _exchange(call: Call, token: str) -> Session | None:
    async with call.database.acquire() as connection, connection.transaction():
        used = await queries.use_refresh_token(
            connection,
            token_hash=hash_secret(token),
            idle_sec=call.settings.refresh_token_ttl_sec,
        )
        if used is None:
            return await _repeat(connection, call, token)
        generation = used.generation + 1
        child = call.keys.successors(token, session_id=used.session_id, generation=generation)[0]
        await queries.insert_refresh_token(
            connection,
            token_hash=hash_secret(child),
            session_id=used.session_id,
            generation=generation,
        )
        return await _session(
            connection, call, used.user_id, used.session_id, child, used.expires_in_sec
        )


async def _repeat(connection: Connection, call: Call, token: str) -> Session | None:
    """What a token gets that was not there to be used: its successor once more, or the end."""
    link = await queries.select_link(connection, token_hash=hash_secret(token))
    if link is None or not link.is_open or link.used_sec_ago is None:
        return None
    if link.used_sec_ago <= call.settings.refresh_grace_sec and not link.successor_used:
        for child in call.keys.successors(
            token, session_id=link.session_id, generation=link.generation + 1
        ):
            if hash_secret(child) == link.successor_hash:
                return await _session(
                    connection, call, link.user_id, link.session_id, child, link.expires_in_sec
                )
    await queries.revoke_session(connection, link.session_id)
    event = NewEvent(
        action="refresh.reuse",
        target_type="session",
        target_id=link.session_id,
        result="denied",
        details={"user_id": str(link.user_id), "generation": link.generation},
    )
    await record(connection, call.origin, event)
    REFRESH_REUSED.inc()
    return None


async def _session(
    connection: Connection,
    call: Call,
    user_id: UUID,
    session_id: UUID,
    refresh_token: str,
    refresh_expires_in: int,
) -> Session:
    me = await select_me(connection, user_id)
    ttl = call.settings.access_token_ttl_sec
    return Session(
        access_token=call.keys.access_token(user_id=user_id, session_id=session_id, ttl_sec=ttl),
        expires_in=ttl,
        refresh_token=refresh_token,
        refresh_expires_in=refresh_expires_in,
        user=me.model_copy(update={"session_id": session_id}),
    )


def _session_event(action: Action, user_id: UUID, session_id: UUID) -> NewEvent:
    return NewEvent(action=action, actor_id=user_id, target_type="session", target_id=session_id)

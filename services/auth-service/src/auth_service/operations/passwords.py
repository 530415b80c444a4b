"""Choosing a new password: by knowing the current one, or by a link that was mailed."""

from uuid import UUID

from servicekit.database import Connection
from servicekit.identity import Principal
from servicekit.problems import Invalid, Unauthenticated, Unavailable

from auth_service.addresses import email_key, mailable, tidy_email
from auth_service.call import Call
from auth_service.errors import ResetTokenInvalid, WrongPassword
from auth_service.models.audit import NewEvent
from auth_service.models.people import Account, NewPassword, PasswordChange, ResetRequest
from auth_service.models.sessions import Accepted
from auth_service.operations.accounts import check_password
from auth_service.operations.audit import record
from auth_service.operations.throttling import attempt_password, is_within
from auth_service.queries import resets
from auth_service.queries.people import (
    lock_account,
    select_account,
    select_account_by_email,
    update_password,
)
from auth_service.queries.sessions import revoke_sessions
from auth_service.signing import RESET_PREFIX, hash_secret, is_secret, new_secret

MAILS_PER_ACCOUNT = 3
MAILS_PER_NETWORK = 50


async def change_password(call: Call, principal: Principal, change: PasswordChange) -> None:
    """Set a new password; every other session of the person ends.

    Raises:
        WrongPassword: the current one is another.
        Invalid: the new one will not do.
        TooManyAttempts: too many wrong ones lately.
    """
    account = await _account(call, principal.user_id)
    check_password(call, change.new_password, "new_password", account.email, account.name)
    if change.new_password == change.current_password:
        raise Invalid(
            errors=[{"pointer": "#/new_password", "detail": "must differ from the current one"}]
        )
    attempt = await attempt_password(call, account=account)
    try:
        right = await call.hasher.check(change.current_password, account.password_hash)
        new_hash = await call.hasher.hash(change.new_password) if right else ""
    except Unavailable:
        await attempt.never_happened()
        raise
    if not right:
        await _note_wrong_password(call, account)
        raise WrongPassword
    await attempt.succeeded()
    async with call.database.acquire() as connection, connection.transaction():
        locked = await lock_account(connection, account.id)
        if locked is None or locked.password_version != account.password_version:
            raise WrongPassword
        await _set_password(connection, account.id, new_hash, but=principal.session_id)
        event = NewEvent(
            action="password.change",
            actor_id=account.id,
            target_type="user",
            target_id=account.id,
        )
        await record(connection, call.origin, event)


async def request_reset(call: Call, request: ResetRequest) -> Accepted:
    """Mail a link, if the address belongs to somebody; the answer says nothing of it."""
    call.mail.start(_answer_request(call, request.email))
    return Accepted()


async def confirm_reset(call: Call, body: NewPassword) -> None:
    """Set a new password by a link; every session of the person ends.

    Raises:
        ResetTokenInvalid: the link was used, has expired, or never was.
        Invalid: the new password will not do; the link stays good.
    """
    token_hash = hash_secret(body.token)
    user_id = await _holder(call, token_hash) if is_secret(body.token, RESET_PREFIX) else None
    if user_id is None:
        raise ResetTokenInvalid
    account = await _account(call, user_id)
    check_password(call, body.new_password, "new_password", account.email, account.name)
    new_hash = await call.hasher.hash(body.new_password)
    async with call.database.acquire() as connection, connection.transaction():
        if await resets.use_reset(connection, token_hash=token_hash) is None:
            raise ResetTokenInvalid
        await _set_password(connection, user_id, new_hash)
        event = NewEvent(
            action="password.reset", actor_id=user_id, target_type="user", target_id=user_id
        )
        await record(connection, call.origin, event)


async def mail_reset(call: Call, account: Account, *, actor_id: UUID | None) -> None:
    """Make a link for the person and mail it to the address that is stored."""
    token = new_secret(RESET_PREFIX)
    async with call.database.acquire() as connection, connection.transaction():
        await resets.insert_reset(connection, token_hash=hash_secret(token), user_id=account.id)
        event = NewEvent(
            action="password.reset-request",
            actor_id=actor_id,
            target_type="user",
            target_id=account.id,
        )
        await record(connection, call.origin, event)
    call.mail.start(_send_link(call, account, token))


async def _send_link(call: Call, account: Account, token: str) -> None:
    # Behind the #, so that the link's secret stands in no server's log and no Referer.
    link = f"{str(call.settings.public_url).rstrip('/')}/reset#token={token}"
    await call.mail.send(
        to=mailable(account.email),
        subject="Choose a new password for Runbench",
        text=(
            f"Hello {account.name},\n\n"
            "somebody, hopefully you, asked for a new password. This link lets you choose one;\n"
            f"it works once, for {resets.VALID_MINUTES} minutes:\n\n{link}\n\n"
            "If it was not you, nothing has changed and you need do nothing.\n"
        ),
    )


async def _answer_request(call: Call, email: str) -> None:
    try:
        key = email_key(tidy_email(email))
    except ValueError:
        return
    network = str(call.origin.network)
    if not await is_within(call, purpose="reset-from", subject=network, free=MAILS_PER_NETWORK):
        return
    async with call.database.acquire() as connection:
        account = await select_account_by_email(connection, email_key=key)
    if account is None or not account.is_active:
        return
    if await is_within(call, purpose="reset-to", subject=key, free=MAILS_PER_ACCOUNT):
        await mail_reset(call, account, actor_id=None)


async def _account(call: Call, user_id: UUID) -> Account:
    async with call.database.acquire() as connection:
        account = await select_account(connection, user_id)
    if account is None:
        raise Unauthenticated
    return account


async def _holder(call: Call, token_hash: bytes) -> UUID | None:
    async with call.database.acquire() as connection:
        return await resets.select_reset(connection, token_hash=token_hash)


async def _set_password(
    connection: Connection, user_id: UUID, password_hash: str, *, but: UUID | None = None
) -> None:
    await update_password(connection, user_id, password_hash=password_hash)
    await revoke_sessions(connection, user_id=user_id, but=but)
    await resets.delete_resets(connection, user_id=user_id)


async def _note_wrong_password(call: Call, account: Account) -> None:
    event = NewEvent(
        action="password.change",
        actor_id=account.id,
        target_type="user",
        target_id=account.id,
        result="failure",
        details={"reason": "wrong-password"},
    )
    async with call.database.acquire() as connection:
        await record(connection, call.origin, event)

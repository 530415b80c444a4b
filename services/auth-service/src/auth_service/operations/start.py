"""What is seen to before the first request: the signing keys and the first administrator."""

import ipaddress

import structlog
from pydantic import ValidationError
from servicekit.database import Database

from auth_service.addresses import Origin, email_key
from auth_service.models.audit import NewEvent
from auth_service.models.events import USER_ADMIN_GRANTED, USER_REGISTERED, NoData
from auth_service.models.people import Registration
from auth_service.operations.accounts import insert_account
from auth_service.operations.audit import record
from auth_service.operations.telling import tell_of_user
from auth_service.passwords import Hasher, why_refused
from auth_service.queries.keys import insert_key
from auth_service.queries.people import lock_admins, select_account_by_email, update_is_admin
from auth_service.settings import Settings
from auth_service.signing import Keys

log = structlog.get_logger()

HERE = Origin(ipaddress.IPv6Address("::1"), "auth-service")


class NoAdmin(Exception):
    """The first administrator cannot be made; the message says why."""


async def note_keys(database: Database, keys: Keys) -> None:
    """Leave a trace in the audit when a key is used for the first time."""
    async with database.acquire() as connection, connection.transaction():
        for key in keys.published:
            if await insert_key(connection, kid=key.kid):
                event = NewEvent(
                    action="signing-key.begin", actor_kind="system", details={"kid": key.kid}
                )
                await record(connection, HERE, event)


async def make_first_admin(database: Database, hasher: Hasher, settings: Settings) -> None:
    """Make the administrator whom the environment names, if there is none at all."""
    if not settings.runbench_admin_email or not settings.runbench_admin_password:
        return
    async with database.acquire() as connection, connection.transaction():
        if await lock_admins(connection):
            return
    try:
        await make_admin(
            database,
            hasher,
            settings,
            email=settings.runbench_admin_email,
            password=settings.runbench_admin_password,
            only_first=True,
        )
    except NoAdmin as exc:
        log.error("admin.not_made", reason=str(exc), hint="See RUNBENCH_ADMIN_EMAIL.")


async def make_admin(
    database: Database,
    hasher: Hasher,
    settings: Settings,
    *,
    email: str,
    password: str,
    name: str = "Administrator",
    only_first: bool = False,
) -> None:
    """Make an administrator; who is registered already becomes one if it is their password.

    Raises:
        NoAdmin: address or password will not do, or the account has another password.
    """
    new = _registration(email, password, name)
    if why := why_refused(password, least=settings.password_min_length, about=(new.email,)):
        msg = f"the password {why}"
        raise NoAdmin(msg)
    password_hash = await hasher.hash(password)
    async with database.acquire() as connection, connection.transaction():
        if await lock_admins(connection) and only_first:
            return
        account = await select_account_by_email(connection, email_key=email_key(new.email))
        if account is None:
            account = await insert_account(
                connection, new, password_hash=password_hash, is_admin=True
            )
            await tell_of_user(connection, USER_REGISTERED, account.id, account.name, NoData())
            is_new = True
        elif account.is_active and await hasher.check(password, account.password_hash):
            await update_is_admin(connection, account.id, is_admin=True)
            is_new = not account.is_admin
        else:
            msg = f"{new.email} is registered with another password, or deactivated"
            raise NoAdmin(msg)
        event = NewEvent(
            action="admin.bootstrap", actor_kind="system", target_type="user", target_id=account.id
        )
        await record(connection, HERE, event)
        if is_new:
            await tell_of_user(connection, USER_ADMIN_GRANTED, account.id, account.name, NoData())
    log.info("admin.made", email=new.email)


def _registration(email: str, password: str, name: str) -> Registration:
    try:
        return Registration(email=email, password=password, name=name)
    except ValidationError as exc:
        msg = "; ".join(
            f"{error['loc'][0]}: {error['msg'].removeprefix('Value error, ')}"
            for error in exc.errors(include_url=False, include_context=False, include_input=False)
        )
        raise NoAdmin(msg) from exc

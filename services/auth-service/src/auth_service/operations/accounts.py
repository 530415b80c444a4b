"""People's accounts: registering, one's own profile, finding others, the first administrator."""

from uuid import UUID

from servicekit.database import Connection, Database, constraint
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.problems import Invalid

from auth_service.addresses import email_key
from auth_service.call import Call
from auth_service.errors import EmailTaken, RegistrationClosed, TooManyAttempts
from auth_service.models.audit import NewEvent
from auth_service.models.events import USER_CHANGED, FieldsData
from auth_service.models.people import Account, Me, People, PeopleQuery, ProfileChange, Registration
from auth_service.models.sessions import Session
from auth_service.operations.audit import record
from auth_service.operations.sessions import open_session
from auth_service.operations.telling import tell_of_registration, tell_of_user
from auth_service.operations.throttling import LONGEST_SEC, is_within
from auth_service.passwords import why_refused
from auth_service.queries import people as queries

FREE_REGISTRATIONS = 500
TAKEN = "Sign in, or ask for a new password."


async def register(call: Call, new: Registration) -> Session:
    """Make an account and sign its person in.

    Raises:
        RegistrationClosed: people cannot register by themselves here.
        Invalid: the password will not do.
        EmailTaken: the address is in use, in whatever spelling.
        TooManyAttempts: far too many accounts come from this network.
    """
    if call.settings.runbench_registration == "closed":
        raise RegistrationClosed
    check_password(call, new.password, "password", new.email, new.name)
    network = str(call.origin.network)
    if not await is_within(call, purpose="register", subject=network, free=FREE_REGISTRATIONS):
        raise TooManyAttempts(retry_after=LONGEST_SEC)
    async with call.database.acquire() as connection:
        if await queries.select_account_by_email(connection, email_key=email_key(new.email)):
            raise EmailTaken(TAKEN)
    password_hash = await call.hasher.hash(new.password)
    async with call.database.acquire() as connection, connection.transaction():
        account = await insert_account(connection, new, password_hash=password_hash)
        session = await open_session(connection, call, account.id)
        event = NewEvent(
            action="register", actor_id=account.id, target_type="user", target_id=account.id
        )
        await record(connection, call.origin, event)
        await tell_of_registration(connection, account)
    return session


async def insert_account(
    connection: Connection, new: Registration, *, password_hash: str, is_admin: bool = False
) -> Account:
    """Store a new account.

    Raises:
        EmailTaken: the address is in use.
    """
    with constraint("users_email_key", otherwise=EmailTaken(TAKEN)):
        return await queries.insert_user(
            connection,
            user_id=uuid7(),
            email=new.email,
            email_key=email_key(new.email),
            name=new.name,
            password_hash=password_hash,
            is_admin=is_admin,
        )


def check_password(call: Call, password: str, field: str, email: str, name: str) -> None:
    """Refuse a new password that breaks a rule.

    Raises:
        Invalid: which one, at the field.
    """
    about = (email, email.partition("@")[0], name)
    why = why_refused(password, least=call.settings.password_min_length, about=about)
    if why:
        raise Invalid(errors=[{"pointer": f"#/{field}", "detail": why}])


async def read_me(database: Database, principal: Principal) -> Me:
    """The person, and the credentials they came with."""
    async with database.acquire() as connection:
        me = await queries.select_me(connection, principal.user_id)
    return me.model_copy(
        update={
            "kind": principal.kind,
            "session_id": principal.session_id,
            "token_id": principal.token_id,
            "scope": principal.scope,
        }
    )


async def change_me(call: Call, principal: Principal, change: ProfileChange) -> Me:
    """Change what a person may change about themselves.

    Raises:
        Invalid: the name cannot be cleared.
    """
    if "name" in change.model_fields_set and change.name is None:
        raise Invalid(errors=[{"pointer": "#/name", "detail": "cannot be cleared"}])
    if change.name is not None:
        async with call.database.acquire() as connection, connection.transaction():
            if await queries.update_name(connection, principal.user_id, name=change.name):
                await _note_name(connection, call, principal.user_id, change.name)
    return await read_me(call.database, principal)


async def _note_name(connection: Connection, call: Call, user_id: UUID, name: str) -> None:
    event = NewEvent(
        action="profile.change",
        actor_id=user_id,
        target_type="user",
        target_id=user_id,
        details={"name": name},
    )
    await record(connection, call.origin, event)
    edited = FieldsData(fields=["name"])
    await tell_of_user(connection, USER_CHANGED, user_id, name, edited)


async def find_people(database: Database, query: PeopleQuery) -> People:
    """Active people whose name or address begins so."""
    async with database.acquire() as connection:
        found = await queries.select_people(connection, prefix=query.q, limit=query.limit)
    return People(items=found)

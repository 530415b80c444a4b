"""SQL on people."""

from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter
from servicekit.database import Connection, fetch_all, fetch_one, fetch_optional

from auth_service.models.people import Account, Me, Person, User

_IDS = TypeAdapter(list[UUID])


async def insert_user(
    connection: Connection,
    *,
    user_id: UUID,
    email: str,
    email_key: str,
    name: str,
    password_hash: str,
    is_admin: bool = False,
) -> Account:
    """Add a person."""
    return await fetch_one(
        connection,
        Account,
        """
        INSERT INTO auth.users (id, email, email_key, name, password_hash, is_admin)
        VALUES ($1, $2, $3, $4, $5, $6)
        RETURNING id, email, name, password_hash, password_version, is_admin,
                  true AS is_active
        """,
        user_id,
        email,
        email_key,
        name,
        password_hash,
        is_admin,
    )


async def select_account_by_email(connection: Connection, *, email_key: str) -> Account | None:
    """The account of an address."""
    return await fetch_optional(
        connection,
        Account,
        """
        SELECT id, email, name, password_hash, password_version, is_admin,
               deactivated_at IS NULL AS is_active
        FROM auth.users
        WHERE email_key = $1
        """,
        email_key,
    )


async def select_account(connection: Connection, user_id: UUID) -> Account | None:
    """An account."""
    return await fetch_optional(
        connection,
        Account,
        """
        SELECT id, email, name, password_hash, password_version, is_admin,
               deactivated_at IS NULL AS is_active
        FROM auth.users
        WHERE id = $1
        """,
        user_id,
    )


async def lock_account(connection: Connection, user_id: UUID) -> Account | None:
    """The account, kept from changing until the transaction ends."""
    return await fetch_optional(
        connection,
        Account,
        """
        SELECT id, email, name, password_hash, password_version, is_admin,
               deactivated_at IS NULL AS is_active
        FROM auth.users
        WHERE id = $1
        FOR UPDATE
        """,
        user_id,
    )


async def select_me(connection: Connection, user_id: UUID) -> Me:
    """A person as they see themselves."""
    return await fetch_one(
        connection,
        Me,
        "SELECT id, email, name, is_admin, created_at FROM auth.users WHERE id = $1",
        user_id,
    )


async def update_name(connection: Connection, user_id: UUID, *, name: str) -> bool:
    """Give a person another name; False where it is the one that they have."""
    status = await connection.execute(
        "UPDATE auth.users SET name = $2 WHERE id = $1 AND name <> $2", user_id, name
    )
    return status == "UPDATE 1"


async def update_login(
    connection: Connection, user_id: UUID, *, new_hash: str | None, password_version: int
) -> bool:
    """Note a sign-in, and the hash at its new cost where there is one.

    False where the person was deactivated or got another password while theirs was checked.
    """
    status = await connection.execute(
        """
        UPDATE auth.users
        SET last_login_at = now(), password_hash = COALESCE($2, password_hash)
        WHERE id = $1 AND deactivated_at IS NULL AND password_version = $3
        """,
        user_id,
        new_hash,
        password_version,
    )
    return status == "UPDATE 1"


async def update_password(connection: Connection, user_id: UUID, *, password_hash: str) -> None:
    """Give a person another password."""
    await connection.execute(
        """
        UPDATE auth.users
        SET password_hash = $2, password_version = password_version + 1
        WHERE id = $1
        """,
        user_id,
        password_hash,
    )


async def update_is_admin(connection: Connection, user_id: UUID, *, is_admin: bool) -> None:
    """Make a person an administrator, or no longer one."""
    await connection.execute("UPDATE auth.users SET is_admin = $2 WHERE id = $1", user_id, is_admin)


async def update_deactivated(connection: Connection, user_id: UUID, *, deactivated: bool) -> None:
    """Shut a person out, or let them in again."""
    await connection.execute(
        "UPDATE auth.users SET deactivated_at = CASE WHEN $2 THEN now() END WHERE id = $1",
        user_id,
        deactivated,
    )


async def lock_admins(connection: Connection) -> list[UUID]:
    """The active administrators; no other transaction changes who they are until this one ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('auth.admins', 2))")
    rows = await connection.fetch(
        "SELECT id FROM auth.users WHERE is_admin AND deactivated_at IS NULL ORDER BY id FOR UPDATE"
    )
    return _IDS.validate_python([row["id"] for row in rows])


async def select_people(connection: Connection, *, prefix: str, limit: int) -> list[Person]:
    """Active people of whose name a word, or whose address, begins so. Case does not matter."""
    return await fetch_all(
        connection,
        Person,
        """
        SELECT id, name, email
        FROM auth.users
        WHERE deactivated_at IS NULL
          AND (
              starts_with(email, lower($1))
              OR starts_with(lower(name), lower($1))
              OR strpos(lower(name), ' ' || lower($1)) > 0
          )
        ORDER BY lower(name), id
        LIMIT $2
        """,
        prefix,
        limit,
    )


async def select_users(
    connection: Connection,
    *,
    prefix: str | None,
    active: bool | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[User]:
    """Newest first."""
    return await fetch_all(
        connection,
        User,
        """
        SELECT id, email, name, is_admin, created_at, last_login_at,
               CASE WHEN deactivated_at IS NULL THEN 'active' ELSE 'deactivated' END AS status
        FROM auth.users
        WHERE (
              $1::text IS NULL
              OR starts_with(email, lower($1))
              OR starts_with(lower(name), lower($1))
              OR strpos(lower(name), ' ' || lower($1)) > 0
          )
          AND ($2::boolean IS NULL OR (deactivated_at IS NULL) = $2)
          AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid))
        ORDER BY created_at DESC, id DESC
        LIMIT $5
        """,
        prefix,
        active,
        before and before[0],
        before and before[1],
        limit,
    )


async def select_user(connection: Connection, user_id: UUID) -> User:
    """A person as an administrator sees them."""
    return await fetch_one(
        connection,
        User,
        """
        SELECT id, email, name, is_admin, created_at, last_login_at,
               CASE WHEN deactivated_at IS NULL THEN 'active' ELSE 'deactivated' END AS status
        FROM auth.users
        WHERE id = $1
        """,
        user_id,
    )

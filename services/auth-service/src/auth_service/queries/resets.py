"""SQL on links for a new password."""

from uuid import UUID

from servicekit.database import Connection

VALID_MINUTES = 30


async def insert_reset(connection: Connection, *, token_hash: bytes, user_id: UUID) -> None:
    """Add a link, good for half an hour."""
    await connection.execute(
        """
        INSERT INTO auth.password_resets (token_hash, user_id, expires_at)
        VALUES ($1, $2, now() + make_interval(mins => $3))
        """,
        token_hash,
        user_id,
        VALID_MINUTES,
    )


async def select_reset(connection: Connection, *, token_hash: bytes) -> UUID | None:
    """Whose password a link that is still good would set."""
    return await connection.fetchval(
        """
        SELECT user_id
        FROM auth.password_resets
        WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now()
        """,
        token_hash,
    )


async def use_reset(connection: Connection, *, token_hash: bytes) -> UUID | None:
    """Use the link up; of many at once one succeeds."""
    return await connection.fetchval(
        """
        UPDATE auth.password_resets
        SET used_at = now()
        WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now()
        RETURNING user_id
        """,
        token_hash,
    )


async def delete_resets(connection: Connection, *, user_id: UUID) -> None:
    """Make every link of the person void."""
    await connection.execute("DELETE FROM auth.password_resets WHERE user_id = $1", user_id)


async def delete_expired_resets(connection: Connection) -> None:
    """Forget links that are no longer good."""
    await connection.execute("DELETE FROM auth.password_resets WHERE expires_at < now()")

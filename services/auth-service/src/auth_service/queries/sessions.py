"""SQL on sessions and their refresh tokens."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel
from servicekit.database import Connection, fetch_all, fetch_one, fetch_optional

from auth_service.addresses import Origin
from auth_service.models.sessions import OpenSession

ABSOLUTE_DAYS = 30


class Link(BaseModel, frozen=True):
    """A refresh token's place in its session's chain; `*_sec` count from now."""

    session_id: UUID
    user_id: UUID
    generation: int
    is_open: bool
    used_sec_ago: float | None
    successor_hash: bytes | None
    successor_used: bool | None
    expires_in_sec: int


class Winner(BaseModel, frozen=True):
    """The refresh token that has just been used, and how long its session lives on."""

    session_id: UUID
    user_id: UUID
    generation: int
    expires_in_sec: int


class Holder(BaseModel, frozen=True):
    """Whose session an access token belongs to."""

    user_id: UUID


class Revoked(NamedTuple):
    """Sessions that ended, and when this was so."""

    session_ids: list[UUID]
    as_of: datetime


async def insert_session(
    connection: Connection, *, session_id: UUID, user_id: UUID, origin: Origin, idle_sec: int
) -> int:
    """Begin a session; answers after how many seconds it ends unused."""
    return await connection.fetchval(
        """
        INSERT INTO auth.sessions (
            id, user_id, user_agent, address, network, expires_at, absolute_expires_at
        )
        VALUES (
            $1, $2, $3, $4, $5,
            now() + make_interval(secs => least($6, $7 * 86400)),
            now() + make_interval(days => $7)
        )
        RETURNING extract(epoch FROM expires_at - now())::integer
        """,
        session_id,
        user_id,
        origin.user_agent,
        origin.address,
        origin.network,
        idle_sec,
        ABSOLUTE_DAYS,
    )


async def insert_refresh_token(
    connection: Connection, *, token_hash: bytes, session_id: UUID, generation: int
) -> None:
    """Add a link to a session's chain."""
    await connection.execute(
        "INSERT INTO auth.refresh_tokens (token_hash, session_id, generation) VALUES ($1, $2, $3)",
        token_hash,
        session_id,
        generation,
    )


async def use_refresh_token(
    connection: Connection, *, token_hash: bytes, idle_sec: int
) -> Winner | None:
    """Use the token, if nobody has and its session is open; of many at once one succeeds."""
    return await fetch_optional(
        connection,
        Winner,
        """
        WITH used AS (
            UPDATE auth.refresh_tokens
            SET used_at = clock_timestamp()
            WHERE token_hash = $1
              AND used_at IS NULL
              AND EXISTS (
                  SELECT FROM auth.sessions
                  JOIN auth.users ON users.id = sessions.user_id AND users.deactivated_at IS NULL
                  WHERE sessions.id = refresh_tokens.session_id
                    AND sessions.revoked_at IS NULL
                    AND sessions.expires_at > now()
              )
            RETURNING session_id, generation
        )
        UPDATE auth.sessions
        SET last_used_at = now(),
            expires_at = least(now() + make_interval(secs => $2), absolute_expires_at)
        FROM used
        WHERE id = used.session_id
        RETURNING id AS session_id, user_id, used.generation,
                  extract(epoch FROM expires_at - now())::integer AS expires_in_sec
        """,
        token_hash,
        idle_sec,
    )


async def select_link(connection: Connection, *, token_hash: bytes) -> Link | None:
    """A refresh token with its session and its successor."""
    return await fetch_optional(
        connection,
        Link,
        """
        SELECT this.session_id, this.generation, sessions.user_id,
               sessions.revoked_at IS NULL AND sessions.expires_at > now()
                   AND users.deactivated_at IS NULL AS is_open,
               extract(epoch FROM clock_timestamp() - this.used_at)::float8 AS used_sec_ago,
               next.token_hash AS successor_hash,
               next.used_at IS NOT NULL AS successor_used,
               extract(epoch FROM auth.sessions.expires_at - now())::integer AS expires_in_sec
        FROM auth.refresh_tokens AS this
        JOIN auth.sessions ON sessions.id = this.session_id
        JOIN auth.users ON users.id = sessions.user_id
        LEFT JOIN auth.refresh_tokens AS next
            ON next.session_id = this.session_id AND next.generation = this.generation + 1
        WHERE this.token_hash = $1
        """,
        token_hash,
    )


async def select_holder(
    connection: Connection, *, session_id: UUID, user_id: UUID
) -> Holder | None:
    """The person of a session that has not ended."""
    return await fetch_optional(
        connection,
        Holder,
        """
        SELECT users.id AS user_id
        FROM auth.sessions
        JOIN auth.users ON users.id = sessions.user_id
        WHERE sessions.id = $1 AND users.id = $2
          AND sessions.revoked_at IS NULL
          AND sessions.absolute_expires_at > now()
          AND users.deactivated_at IS NULL
        """,
        session_id,
        user_id,
    )


async def select_open_sessions(
    connection: Connection,
    *,
    user_id: UUID,
    current: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[OpenSession]:
    """Newest first."""
    return await fetch_all(
        connection,
        OpenSession,
        """
        SELECT id, created_at, last_used_at, user_agent, host(address) AS address,
               id IS NOT DISTINCT FROM $2::uuid AS current
        FROM auth.sessions
        WHERE user_id = $1
          AND revoked_at IS NULL
          AND expires_at > now()
          AND ($3::uuid IS NULL OR id < $3)
        ORDER BY id DESC
        LIMIT $4
        """,
        user_id,
        current,
        before,
        limit,
    )


async def revoke_session(
    connection: Connection, session_id: UUID, *, user_id: UUID | None = None
) -> UUID | None:
    """End a session, if it is open and the person's; answers whose it was."""
    return await connection.fetchval(
        """
        UPDATE auth.sessions
        SET revoked_at = clock_timestamp()
        WHERE id = $1 AND revoked_at IS NULL AND ($2::uuid IS NULL OR user_id = $2)
        RETURNING user_id
        """,
        session_id,
        user_id,
    )


async def revoke_sessions(connection: Connection, *, user_id: UUID, but: UUID | None = None) -> int:
    """End every session of the person, or every other one; answers how many."""
    status = await connection.execute(
        """
        UPDATE auth.sessions
        SET revoked_at = clock_timestamp()
        WHERE user_id = $1 AND revoked_at IS NULL AND id IS DISTINCT FROM $2::uuid
        """,
        user_id,
        but,
    )
    return int(status.split()[1])


async def select_revoked(connection: Connection, *, within_sec: int) -> Revoked:
    """Sessions that were ended so lately that an access token may outlive them."""

    class Row(BaseModel):
        ids: list[UUID]
        as_of: datetime

    row = await fetch_one(
        connection,
        Row,
        """
        SELECT COALESCE(array_agg(id), '{}') AS ids, now() AS as_of
        FROM auth.sessions
        WHERE revoked_at > now() - make_interval(secs => $1)
        """,
        within_sec,
    )
    return Revoked(row.ids, row.as_of)


async def is_known_device(
    connection: Connection, *, email_key: str, origin: Origin, days: int
) -> bool:
    """Whether the person has signed in from this network with this program before."""
    return await connection.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM auth.sessions
            JOIN auth.users ON users.id = sessions.user_id
            WHERE users.email_key = $1
              AND sessions.network = $2
              AND sessions.user_agent = $3
              AND sessions.created_at > now() - make_interval(days => $4)
        )
        """,
        email_key,
        origin.network,
        origin.user_agent,
        days,
    )


async def delete_ended_sessions(connection: Connection, *, after_days: int) -> int:
    """Forget sessions that ended long ago, with their tokens; answers how many."""
    status = await connection.execute(
        "DELETE FROM auth.sessions WHERE absolute_expires_at < now() - make_interval(days => $1)",
        after_days,
    )
    return int(status.split()[1])

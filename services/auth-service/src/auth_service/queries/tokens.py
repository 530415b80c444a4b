"""SQL on API tokens."""

from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_one, fetch_optional
from servicekit.identity import Role
from servicekit.machine_tokens import MachineToken

from auth_service.models.tokens import Credential, EndedToken, Token


async def insert_token(
    connection: Connection,
    secret: MachineToken,
    *,
    token_id: UUID,
    name: str,
    project_id: UUID,
    user_id: UUID,
    role: Role,
    expires_in_days: int | None,
) -> Token:
    """Add a token; of its secret only the hash is kept."""
    return await fetch_one(
        connection,
        Token,
        """
        INSERT INTO auth.api_tokens (
            id, key_id, secret_hash, name, project_id, user_id, role, expires_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(days => $8))
        RETURNING id, name, project_id, user_id,
                  (SELECT name FROM auth.users WHERE users.id = $6) AS user_name,
                  role, key_id, created_at, expires_at, last_used_at, revoked_at
        """,
        token_id,
        secret.key_id,
        secret.secret_hash,
        name,
        project_id,
        user_id,
        role,
        expires_in_days,
    )


async def select_token(connection: Connection, token_id: UUID) -> Token | None:
    """A token, revoked or not."""
    return await fetch_optional(
        connection,
        Token,
        """
        SELECT api_tokens.id, api_tokens.name, project_id, user_id, users.name AS user_name, role,
               key_id, api_tokens.created_at, expires_at, last_used_at, revoked_at
        FROM auth.api_tokens
        JOIN auth.users ON users.id = user_id
        WHERE api_tokens.id = $1
        """,
        token_id,
    )


async def select_tokens(
    connection: Connection,
    *,
    project_id: UUID | None,
    user_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[Token]:
    """Newest first; of a project, of a person, or of a person in a project."""
    return await fetch_all(
        connection,
        Token,
        """
        SELECT api_tokens.id, api_tokens.name, project_id, user_id, users.name AS user_name, role,
               key_id, api_tokens.created_at, expires_at, last_used_at, revoked_at
        FROM auth.api_tokens
        JOIN auth.users ON users.id = user_id
        WHERE ($1::uuid IS NULL OR project_id = $1)
          AND ($2::uuid IS NULL OR user_id = $2)
          AND ($3::uuid IS NULL OR api_tokens.id < $3)
        ORDER BY api_tokens.id DESC
        LIMIT $4
        """,
        project_id,
        user_id,
        before,
        limit,
    )


async def select_credential(connection: Connection, *, key_id: str) -> Credential | None:
    """What a token with this key id is compared with; good means neither ended nor its person."""
    return await fetch_optional(
        connection,
        Credential,
        """
        SELECT api_tokens.id, secret_hash, project_id, user_id, role,
               revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
                   AND users.deactivated_at IS NULL AS is_good
        FROM auth.api_tokens
        JOIN auth.users ON users.id = user_id
        WHERE key_id = $1
        """,
        key_id,
    )


async def touch_token(connection: Connection, token_id: UUID) -> None:
    """Note that the token is in use, once a minute at most."""
    await connection.execute(
        """
        UPDATE auth.api_tokens
        SET last_used_at = now()
        WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
        """,
        token_id,
    )


async def revoke_token(connection: Connection, token_id: UUID) -> EndedToken | None:
    """None where it was revoked before."""
    return await fetch_optional(
        connection,
        EndedToken,
        """
        UPDATE auth.api_tokens
        SET revoked_at = now()
        WHERE id = $1 AND revoked_at IS NULL
        RETURNING id, name, project_id, user_id
        """,
        token_id,
    )


async def revoke_tokens(
    connection: Connection, *, user_id: UUID, project_id: UUID | None = None
) -> list[EndedToken]:
    """End every token of the person, or those in one project; answers those that were good."""
    return await fetch_all(
        connection,
        EndedToken,
        """
        UPDATE auth.api_tokens
        SET revoked_at = now()
        WHERE user_id = $1 AND revoked_at IS NULL AND ($2::uuid IS NULL OR project_id = $2)
        RETURNING id, name, project_id, user_id
        """,
        user_id,
        project_id,
    )

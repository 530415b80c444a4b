"""SQL on the tokens of sensors: one function, one statement."""

from datetime import datetime, timedelta
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_optional
from servicekit.machine_tokens import MachineToken

from experiment_service.models.sensor_tokens import SensorToken

_TOKENS = """
    SELECT id, sensor_id, key_id, created_by, created_at, expires_at, revoked_at,
           CASE WHEN revoked_at IS NOT NULL OR expires_at <= clock_timestamp() THEN 'ended'
                WHEN expires_at IS NULL THEN 'current'
                ELSE 'grace' END AS state
    FROM experiment.sensor_tokens
"""


async def insert_token(
    connection: Connection,
    secret: MachineToken,
    *,
    token_id: UUID,
    sensor_id: UUID,
    user_id: UUID,
    at: datetime,
) -> None:
    """Add a token; of its secret only the hash is kept."""
    await connection.execute(
        """
        INSERT INTO experiment.sensor_tokens (
            id, sensor_id, project_id, key_id, secret_hash, created_by, created_at
        )
        SELECT $1, s.id, s.project_id, $3, $4, $5, $6
        FROM experiment.sensors s
        WHERE s.id = $2
        """,
        token_id,
        sensor_id,
        secret.key_id,
        secret.secret_hash,
        user_id,
        at,
    )


async def update_tokens_ending(
    connection: Connection, *, sensor_id: UUID, at: datetime, grace: timedelta
) -> None:
    """Let the valid tokens of a sensor end after the grace, and none later than it did before."""
    await connection.execute(
        """
        UPDATE experiment.sensor_tokens
        SET expires_at = least(expires_at, $2::timestamptz + $3::interval),
            revoked_at = CASE WHEN $3::interval = interval '0' THEN $2 END
        WHERE sensor_id = $1 AND revoked_at IS NULL
          AND (expires_at IS NULL OR expires_at > $2)
        """,
        sensor_id,
        at,
        grace,
    )


async def select_token(
    connection: Connection, *, sensor_id: UUID, token_id: UUID
) -> SensorToken | None:
    """A token of the sensor, ended or not."""
    return await fetch_optional(
        connection,
        SensorToken,
        _TOKENS + "WHERE sensor_id = $1 AND id = $2",
        sensor_id,
        token_id,
    )


async def select_tokens(
    connection: Connection, *, sensor_id: UUID, before: UUID | None, limit: int
) -> list[SensorToken]:
    """The tokens of a sensor, the newest first."""
    return await fetch_all(
        connection,
        SensorToken,
        _TOKENS
        + """
        WHERE sensor_id = $1 AND ($2::uuid IS NULL OR id < $2)
        ORDER BY id DESC
        LIMIT $3
        """,
        sensor_id,
        before,
        limit,
    )


async def update_token_revoked(connection: Connection, *, token_id: UUID, at: datetime) -> None:
    """End a token at once."""
    await connection.execute(
        """
        UPDATE experiment.sensor_tokens SET revoked_at = $2
        WHERE id = $1 AND revoked_at IS NULL
        """,
        token_id,
        at,
    )

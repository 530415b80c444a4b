"""SQL on signing keys."""

from servicekit.database import Connection


async def insert_key(connection: Connection, *, kid: str) -> bool:
    """Note that a key is in use; False where it was noted before."""
    status = await connection.execute(
        "INSERT INTO auth.signing_keys (kid) VALUES ($1) ON CONFLICT DO NOTHING", kid
    )
    return status == "INSERT 0 1"

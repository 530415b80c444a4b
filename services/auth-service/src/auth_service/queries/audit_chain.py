"""SQL on the chains of the audit: how long they are, what was forgotten, and their rows in turn."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from servicekit.database import Connection, fetch_all

PLATFORM = UUID(int=0)


class Chain(BaseModel, frozen=True):
    """A chain of audit events, a project's or the platform's own (nil), as its head says it is."""

    chain: UUID
    length: int
    hash: bytes
    began_at: datetime


class Forgotten(BaseModel, frozen=True):
    """A part of a chain that went with its month."""

    first: int
    last: int
    hash: bytes


class Link(BaseModel, frozen=True):
    """An event as it is hashed; see docs/audit.md for the order of the texts."""

    id: UUID
    number: int
    hash: bytes
    texts: list[str | None]


async def select_chains(connection: Connection) -> list[Chain]:
    """All chains."""
    return await fetch_all(
        connection, Chain, "SELECT chain, length, hash, began_at FROM auth.audit_chains"
    )


async def select_forgotten(connection: Connection, chain: UUID) -> list[Forgotten]:
    """What was forgotten of a chain, in its order."""
    return await fetch_all(
        connection,
        Forgotten,
        "SELECT first, last, hash FROM auth.audit_forgotten WHERE chain = $1 ORDER BY first",
        chain,
    )


async def select_links(
    connection: Connection, chain: UUID, *, after: int, limit: int
) -> list[Link]:
    """The next events of a chain."""
    # A plan for any chain would not know that the platform's own is the one without a project.
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    return await fetch_all(
        connection,
        Link,
        """
        SELECT id, chain_number AS number, hash,
               ARRAY[
                   chain_number::text, id::text,
                   to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                   action, result, actor_kind, actor_id::text, actor_name, project_id::text,
                   target_type, target_id, host(address), details::text, trace_id
               ] AS texts
        FROM auth.audit_events
        WHERE chain_number > $2
          AND (project_id = $1 OR ($1 = '00000000-0000-0000-0000-000000000000'
                                   AND project_id IS NULL))
        ORDER BY chain_number
        LIMIT $3
        """,
        chain,
        after,
        limit,
    )


async def count_links(connection: Connection, chain: UUID, *, upto: int) -> tuple[int, int]:
    """How many events have a number up to that one, and how many one beyond the chain's end now."""
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    row = await connection.fetchrow(
        """
        SELECT count(*) FILTER (WHERE chain_number <= $2) AS within,
               count(*) FILTER (WHERE chain_number >
                   (SELECT length FROM auth.audit_chains WHERE chain = $1)) AS beyond
        FROM auth.audit_events
        WHERE chain_number IS NOT NULL
          AND (project_id = $1 OR ($1 = '00000000-0000-0000-0000-000000000000'
                                   AND project_id IS NULL))
        """,
        chain,
        upto,
    )
    return (row["within"], row["beyond"]) if row else (0, 0)


async def select_unchained(connection: Connection) -> tuple[UUID, datetime] | None:
    """An event of after the chains began, or of no chain at all, that stands in none."""
    row = await connection.fetchrow(
        """
        SELECT id, at
        FROM auth.audit_events
        WHERE (chain_number IS NULL OR hash IS NULL)
          AND at > (SELECT began_at FROM auth.audit_chains
                    WHERE chain = '00000000-0000-0000-0000-000000000000')
        LIMIT 1
        """
    )
    return (row["id"], row["at"]) if row else None


async def select_chainless(connection: Connection) -> UUID | None:
    """A project whose events have a chain of which nothing is known."""
    return await connection.fetchval(
        """
        SELECT coalesce(project_id, '00000000-0000-0000-0000-000000000000')
        FROM auth.audit_events
        WHERE chain_number IS NOT NULL
        EXCEPT
        SELECT chain FROM auth.audit_chains
        LIMIT 1
        """
    )

"""SQL on throttles: who failed how often, and when they may try again."""

from datetime import timedelta

from pydantic import BaseModel
from servicekit.database import Connection, fetch_one


class Refusal(BaseModel, frozen=True):
    """An attempt that was not admitted."""

    wait_sec: float
    is_first: bool


async def take_attempt(
    connection: Connection,
    *,
    subject: bytes,
    free: int,
    longest_sec: float,
    forget_sec: float,
) -> bool:
    """Count one attempt as failed before its outcome is known; of many at once each counts.

    After `free` failures the next attempt has to wait 1, 2, 4, … at most `longest_sec` seconds;
    all is forgotten after `forget_sec` without an attempt. False where it has to wait, and nothing
    was counted.
    """
    admitted = await connection.fetchval(
        """
        INSERT INTO auth.throttles AS t (subject, failures, not_before, last_at, noted)
        VALUES ($1, 1, now(), now(), false)
        ON CONFLICT (subject) DO UPDATE
        SET failures = CASE WHEN t.last_at < now() - $4::interval THEN 1 ELSE t.failures + 1 END,
            last_at = now(),
            noted = false,
            not_before = CASE
                WHEN t.last_at < now() - $4::interval OR t.failures + 1 < $2 THEN now()
                ELSE now() + make_interval(
                    secs => least($3, power(2, least(t.failures + 1 - $2, 20)))
                )
            END
        WHERE t.not_before <= clock_timestamp()
        RETURNING true
        """,
        subject,
        free,
        longest_sec,
        timedelta(seconds=forget_sec),
    )
    return admitted is not None


async def refuse_at_first(
    connection: Connection, *, subject: bytes, failures: int, sec: float
) -> bool:
    """Let a subject that never tried before begin with a delay; False for all others."""
    begun = await connection.fetchval(
        """
        INSERT INTO auth.throttles (subject, failures, not_before, last_at, noted)
        VALUES ($1, $2, now() + make_interval(secs => $3), now(), false)
        ON CONFLICT (subject) DO NOTHING
        RETURNING true
        """,
        subject,
        failures,
        sec,
    )
    return begun is not None


async def count_failures(connection: Connection, *, subject: bytes, within_sec: float) -> int:
    """How often attempts of the subject failed within the last seconds."""
    return await connection.fetchval(
        """
        SELECT COALESCE(sum(failures), 0)::integer
        FROM auth.throttles
        WHERE subject = $1 AND last_at > now() - $2::interval
        """,
        subject,
        timedelta(seconds=within_sec),
    )


async def note_refusal(connection: Connection, *, subject: bytes) -> Refusal:
    """How long the subject has to wait, and whether this is the first refusal of the delay."""
    return await fetch_one(
        connection,
        Refusal,
        """
        WITH before AS (SELECT noted FROM auth.throttles WHERE subject = $1 FOR UPDATE)
        UPDATE auth.throttles
        SET noted = true
        FROM before
        WHERE subject = $1
        RETURNING greatest(extract(epoch FROM not_before - now()), 0.1)::float8 AS wait_sec,
                  NOT before.noted AS is_first
        """,
        subject,
    )


async def give_back_attempt(connection: Connection, *, subject: bytes, wholly: bool) -> None:
    """An attempt succeeded after all: uncount it, or forget everything about the subject."""
    await connection.execute(
        """
        UPDATE auth.throttles
        SET failures = CASE WHEN $2 THEN 0 ELSE greatest(failures - 1, 0) END,
            not_before = CASE WHEN $2 THEN now() ELSE not_before END
        WHERE subject = $1
        """,
        subject,
        wholly,
    )


async def delete_forgotten(connection: Connection, *, after_sec: float) -> None:
    """Drop rows that have no effect any more."""
    await connection.execute(
        "DELETE FROM auth.throttles WHERE last_at < now() - $1::interval AND not_before < now()",
        timedelta(seconds=after_sec),
    )

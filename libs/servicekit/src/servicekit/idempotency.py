"""Safe repeats: a POST with an Idempotency-Key happens once, whoever is killed when.

The row that remembers the answer is written in the transaction of the effect, so
either both are there or none. The scope is caller, route and key.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from aiohttp import web

from servicekit.database import DATABASE, Connection, Database, PinnedConnection
from servicekit.identity import PRINCIPAL
from servicekit.problems import Conflict, Invalid, Malformed

KEPT_HOURS = 24

_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class Seal(Protocol):
    """Makes kept answers unreadable to whoever has the database alone."""

    def close(self, body: bytes) -> bytes:
        """The answer, sealed."""
        ...

    def open(self, sealed: bytes) -> bytes | None:
        """What `close` was given; None where the key that sealed it is gone."""
        ...


SEAL: web.AppKey[Seal] = web.AppKey("seal", Seal)
"""For services whose answers hold secrets: what answers are kept under."""

REQUEST_DATABASE = web.RequestKey("request_database", object)


class KeyInFlight(Conflict):
    """A request with this Idempotency-Key is still being served."""

    code = "idempotency-key-in-flight"


class KeyReused(Invalid):
    """This Idempotency-Key was used with another body."""

    code = "idempotency-key-reused"


class AnswerGone(Conflict):
    """The answer that this Idempotency-Key was given can no longer be read."""

    code = "idempotency-answer-gone"


def request_database(request: web.Request) -> Database:
    """The database for this request: the pool, or the connection that its key is pinned to."""
    pinned = request.get(REQUEST_DATABASE)
    return cast("Database", pinned) if pinned else request.app[DATABASE]


async def serve_once(
    request: web.Request,
    route: str,
    raw: bytes,
    serve: Callable[[], Awaitable[web.StreamResponse]],
) -> web.StreamResponse:
    """Serve the request, or answer again what its key was answered before.

    Raises:
        Malformed: the key is empty, too long or not ASCII.
        KeyInFlight: the first request with the key has not finished.
        KeyReused: the key came with another body.
        AnswerGone: the key that sealed the answer was rotated out.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return await serve()
    if not _KEY.fullmatch(key):
        msg = "An Idempotency-Key has 1-200 visible ASCII characters."
        raise Malformed(msg)
    principal = request.get(PRINCIPAL)
    caller = principal.key if principal else ""
    body_hash = hashlib.sha256(str(request.rel_url).encode() + b"\n" + raw).digest()
    async with request.app[DATABASE].acquire() as connection, connection.transaction():
        if not await _lock(connection, caller, route, key):
            raise KeyInFlight
        seal = request.app.get(SEAL)
        if earlier := await _replay(connection, caller, route, key, body_hash, seal):
            return earlier
        request[REQUEST_DATABASE] = PinnedConnection(connection)
        response = await serve()
        await _remember(connection, caller, route, key, body_hash, response, seal)
        return response


async def delete_expired_keys(database: Database) -> None:
    """Forget answers older than a day."""
    async with database.acquire() as connection:
        await connection.execute(
            "DELETE FROM idempotency_keys WHERE created_at < now() - make_interval(hours => $1)",
            KEPT_HOURS,
        )


async def _lock(connection: Connection, caller: str, route: str, key: str) -> bool:
    return await connection.fetchval(
        "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 1))", f"{caller}\n{route}\n{key}"
    )


async def _replay(
    connection: Connection,
    caller: str,
    route: str,
    key: str,
    body_hash: bytes,
    seal: Seal | None,
) -> web.Response | None:
    row = await connection.fetchrow(
        """
        SELECT body_hash, status, headers, body
        FROM idempotency_keys
        WHERE caller = $1 AND route = $2 AND key = $3
        """,
        caller,
        route,
        key,
    )
    if row is None:
        return None
    if row["body_hash"] != body_hash:
        raise KeyReused
    body = seal.open(row["body"]) if seal else row["body"]
    if body is None:
        raise AnswerGone
    headers = {**row["headers"], "Idempotent-Replayed": "true"}
    return web.Response(status=row["status"], headers=headers, body=body)


async def _remember(
    connection: Connection,
    caller: str,
    route: str,
    key: str,
    body_hash: bytes,
    response: web.StreamResponse,
    seal: Seal | None,
) -> None:
    answer = response.body if isinstance(response, web.Response) else b""
    body = answer if isinstance(answer, bytes) else b""
    await connection.execute(
        """
        INSERT INTO idempotency_keys (caller, route, key, body_hash, status, headers, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        caller,
        route,
        key,
        body_hash,
        response.status,
        {
            name: response.headers[name]
            for name in ("Content-Type", "ETag")
            if name in response.headers
        },
        seal.close(body) if seal else body,
    )

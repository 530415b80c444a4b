"""A service's web application: the same doors on every house."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any

import asyncpg
import orjson
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from servicekit import limits, observability, openapi
from servicekit.database import DATABASE, Pool, answers
from servicekit.denials import DENIED, Denied, note_denial
from servicekit.idempotency import delete_expired_keys, serve_once
from servicekit.identity import Identity
from servicekit.lately import LATELY, Lately
from servicekit.problems import (
    Invalid,
    MethodNotAllowed,
    NotFound,
    Problem,
    RequestRefused,
    TooLarge,
    Unavailable,
    respond,
)
from servicekit.routing import Endpoint, Routes

log = structlog.get_logger()

type Context = Callable[[web.Application], AsyncIterator[None]]
type Check = Callable[[web.Application], Awaitable[bool | str]]
"""Whether something answers; or why it is of no use though it does."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


# Less than whoever asks for readiness waits: the gateway does for 5 s.
READY_WITHIN_SEC = 3.0


class UnguardedRoute(Exception):
    """A route declares no policy; every route must say who may call it."""


@dataclass(slots=True)
class Lifecycle:
    """Whether the service is taking work or on its way out.

    While it is draining it serves everything, live streams too: who came again at once might
    meet it once more. When it is closing streams end, and go on at another process.
    """

    draining: asyncio.Event = field(default_factory=asyncio.Event)
    closing: asyncio.Event = field(default_factory=asyncio.Event)


LIFECYCLE = web.AppKey("lifecycle", Lifecycle)
ENDPOINTS: web.AppKey[list[Endpoint]] = web.AppKey("endpoints", list)
IDENTITY: web.AppKey[Identity] = web.AppKey("identity", Identity)


def application(
    *,
    name: str,
    version: str,
    routes: Iterable[Routes],
    contexts: Iterable[Context],
    identity: Identity,
    checks: Mapping[str, Check] | None = None,
    doors: Iterable[web.RouteDef] = (),
    denied: Denied = note_denial,
) -> web.Application:
    """Wire routes, identity and background contexts into one application.

    `checks` are what `/ready` asks beside PostgreSQL, by the name it shows; `doors` are routes
    that speak another dialect than ours and see to their policies themselves; `denied` notes a 403.

    Raises:
        UnguardedRoute: an endpoint without a policy.
    """
    endpoints = [endpoint for group in routes for endpoint in group]
    for endpoint in endpoints:
        if endpoint.policy is None:
            raise UnguardedRoute(f"{endpoint.method} {endpoint.path}")
    app = web.Application(middlewares=[observability.request_middleware, problem_middleware])
    app[ENDPOINTS] = endpoints
    app[IDENTITY] = identity
    app[LATELY] = Lately()
    app[DENIED] = denied
    app[LIFECYCLE] = Lifecycle()
    app.cleanup_ctx.extend(contexts)
    app.cleanup_ctx.append(_forget_expired_keys)
    # Written when somebody asks: it takes longer than all the rest of starting.
    contract = cache(lambda: orjson.dumps(openapi.document(name, version, endpoints)))
    _add_doors(app, contract, dict(checks or {}))
    for endpoint in endpoints:
        app.router.add_route(endpoint.method, endpoint.pattern, _serve(endpoint))
    app.router.add_routes(doors)
    app.on_response_prepare.append(_add_headers)
    return app


def _serve(endpoint: Endpoint) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        path = endpoint.path_arguments(request)
        await _admit(request, endpoint, path)
        arguments, raw = await endpoint.arguments(request)

        async def call() -> web.StreamResponse:
            return endpoint.answer(await endpoint.handler(request, **path, **arguments))

        if endpoint.idempotent:
            return await serve_once(request, f"{endpoint.method} {endpoint.path}", raw, call)
        return await call()

    return handler


async def _admit(request: web.Request, endpoint: Endpoint, path: Mapping[str, Any]) -> None:
    policy, identity = endpoint.policy, request.app[IDENTITY]
    if policy is None or policy.kind in {"public", "service"}:
        await limits.count(request, endpoint.limit)
        if policy:
            await policy.admit(request, identity, path)
        return
    principal = await limits.identify_counted(request, identity, endpoint.limit)
    await policy.allow(request, identity, principal, path)


def _add_doors(
    app: web.Application, contract: Callable[[], bytes], checks: dict[str, Check]
) -> None:
    async def health(request: web.Request) -> web.Response:
        # The gateway asks this before it chooses one of several: who leaves gets nothing new.
        if request.app[LIFECYCLE].draining.is_set():
            return web.json_response({"status": "draining"}, status=503)
        return web.json_response({"status": "ok"})

    async def ready(request: web.Request) -> web.Response:
        app = request.app
        asked: dict[str, Awaitable[bool | str]] = {}
        if DATABASE in app:
            asked["postgresql"] = answers(app[DATABASE])
        asked |= {name: check(app) for name, check in checks.items()}
        # All at once and each within the same time: one that hangs must not hide the others.
        said = await asyncio.gather(*(_standing(answer) for answer in asked.values()))
        dependencies = dict(zip(asked, said, strict=True))
        draining = app[LIFECYCLE].draining.is_set()
        fine = not draining and all(state == "ok" for state in dependencies.values())
        status = "draining" if draining else "ready" if fine else "not ready"
        return web.json_response(
            {"status": status, "dependencies": dependencies}, status=200 if fine else 503
        )

    async def openapi_json(_request: web.Request) -> web.Response:
        # In a thread, so that nobody else waits the first time.
        document = await asyncio.to_thread(contract)
        return web.Response(body=document, content_type="application/json")

    app.router.add_get("/health", health)
    app.router.add_get("/ready", ready)
    app.router.add_get("/metrics", observability.metrics)
    app.router.add_get("/openapi.json", openapi_json)


async def _standing(answer: Awaitable[bool | str]) -> str:
    try:
        async with asyncio.timeout(READY_WITHIN_SEC):
            found = await answer
    except TimeoutError:
        found = False
    return found if isinstance(found, str) else "ok" if found else "unreachable"


@web.middleware
async def problem_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every exception into a problem document; only surprises are logged as errors."""
    try:
        return await handler(request)
    except Problem as problem:
        log.info("request.problem", code=problem.code, detail=problem.detail)
        await request.app[DENIED](request, problem)
        return respond(problem)
    except web.HTTPException as exc:
        return _respond_to_http(request, exc)
    except Exception as exc:
        return respond(problem_of(exc))


def problem_of(exc: Exception) -> Problem:
    """What the caller is told of an exception that nobody has caught; it is logged here."""
    problem = _database_problem(exc)
    if problem is None:
        log.exception("request.crashed", exc_info=exc)
        return Problem()
    log.warning("request.database_problem", code=problem.code, error=repr(exc))
    return problem


def _database_problem(exc: Exception) -> Problem | None:
    """What the caller is told of a database that fails; None where it is a mistake of ours."""
    match exc:
        case asyncpg.PostgresConnectionError() | asyncpg.CannotConnectNowError() | OSError():
            return Unavailable("The database does not answer.")
        case asyncpg.InternalClientError():
            # What asyncpg says where the server has ended a connection that it is about to use.
            return Unavailable("The database does not answer.")
        case asyncpg.InterfaceError() | asyncpg.InsufficientResourcesError() | TimeoutError():
            return Unavailable("The database does not keep up.")
        case asyncpg.DataError() | asyncpg.CharacterNotInRepertoireError():
            # Models refuse such values earlier; where one slips through, it is still no crash.
            return Invalid("A value cannot be stored as it is.")
        case _:
            return None


def _respond_to_http(request: web.Request, exc: web.HTTPException) -> web.StreamResponse:
    match exc:
        case web.HTTPNotFound():
            return respond(NotFound())
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(exc.allowed_methods))
            problem = MethodNotAllowed(
                f"{request.method} is not among {allowed}.", headers={"Allow": allowed}
            )
            return respond(problem)
        case web.HTTPRequestEntityTooLarge():
            return respond(TooLarge())
        case _ if exc.status < HTTPStatus.BAD_REQUEST:  # a redirect is an answer
            raise exc
        case _:
            return respond(RequestRefused(exc.reason), exc.status)


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    limits.add_headers(request, response)
    if request.app[LIFECYCLE].draining.is_set() and response.status >= HTTPStatus.OK:
        # Whoever comes by this connection again would meet a closed door.
        response.force_close()
        response.headers["Connection"] = "close"


async def _forget_expired_keys(app: web.Application) -> AsyncIterator[None]:
    async def sweep() -> None:
        while True:
            await asyncio.sleep(3600)
            with contextlib.suppress(Problem, OSError, asyncpg.PostgresError):
                await delete_expired_keys(app[DATABASE])

    task = asyncio.create_task(sweep()) if isinstance(app.get(DATABASE), Pool) else None
    yield
    if task:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

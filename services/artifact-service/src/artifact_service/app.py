"""How the service is put together."""

from collections.abc import AsyncIterator, Callable
from importlib.metadata import version

import asyncpg
from aiohttp import web
from servicekit import mlflow
from servicekit.application import Check, application
from servicekit.auth_client import AuthClient
from servicekit.database import DATABASE, database
from servicekit.debug_identity import DebugIdentity
from servicekit.identity import Identity
from servicekit.limits import request_limits
from servicekit.outbox import Relay
from servicekit.problems import Problem
from servicekit.sinks import sinks

from artifact_service.jobs.collector import collector
from artifact_service.mlflow import calls, multipart
from artifact_service.queries.runs import has_published_runs
from artifact_service.routes import archives, artifacts, details, lookups, uploads
from artifact_service.settings import KEEP_UPLOADS_SEC, Settings
from artifact_service.stores.contract import STORE
from artifact_service.stores.opening import open_store

NAME = "artifact-service"
VERSION = version("artifact-service")
SCHEMA = "artifact"


def create_app(settings: Settings, identity: Identity | None = None) -> web.Application:
    """The service; `identity` in place of auth-service where a test brings its own."""
    contexts = [
        request_limits(settings),
        database(str(settings.database_url), schema=SCHEMA, size=settings.database_pool_size),
        _store(settings.artifact_store_url),
        collector(keep_sec=settings.artifact_keep_sec),
        Relay(sinks(settings, service=NAME)).context,
    ]
    checks: dict[str, Check] = {
        "experiment-service": _runs_are_published,
        "object-store": _store_answers,
    }
    if identity is None and settings.auth_service_url:
        identity = client = AuthClient(settings.auth_service_url)
        contexts.append(client.context)
        checks["auth-service"] = _tokens_can_be_verified(client)
    app = application(
        name=NAME,
        version=VERSION,
        routes=[
            artifacts.routes,
            archives.routes,
            details.routes,
            lookups.routes,
            uploads.routes,
        ],
        contexts=contexts,
        identity=identity or DebugIdentity(settings),
        checks=checks,
        doors=[*mlflow.doors(calls.calls), *mlflow.doors(multipart.calls)],
    )
    app[KEEP_UPLOADS_SEC] = settings.artifact_upload_keep_sec
    return app


def _store(address: str) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(app: web.Application) -> AsyncIterator[None]:
        app[STORE] = open_store(address)
        yield

    return context


async def _store_answers(app: web.Application) -> bool:
    return await app[STORE].answers()


def _tokens_can_be_verified(client: AuthClient) -> Check:
    async def check(_app: web.Application) -> bool:
        return await client.ready()

    return check


async def _runs_are_published(app: web.Application) -> bool:
    try:
        async with app[DATABASE].acquire() as connection:
            return await has_published_runs(connection)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, Problem):
        return False

"""How the service is put together."""

from importlib.metadata import version

import asyncpg
from aiohttp import web
from servicekit.application import Check, application
from servicekit.auth_client import AuthClient
from servicekit.database import DATABASE, database
from servicekit.debug_identity import DebugIdentity
from servicekit.identity import Identity
from servicekit.limits import request_limits
from servicekit.outbox import Relay
from servicekit.problems import Problem
from servicekit.sinks import sinks

from comparison_service.clients.services import Services
from comparison_service.queries.experiments import has_published_experiments
from comparison_service.routes import baselines, evaluation, export, runs, saved, series, telemetry
from comparison_service.settings import Settings

NAME = "comparison-service"
VERSION = version("comparison-service")
SCHEMA = "comparison"


def create_app(settings: Settings, identity: Identity | None = None) -> web.Application:
    """The service; `identity` in place of auth-service where a test brings its own."""
    services = Services(
        {
            "experiment-service": settings.experiment_service_url,
            "telemetry-ingest-service": settings.telemetry_service_url,
            "metrics-service": settings.metrics_service_url,
            "artifact-service": settings.artifact_service_url,
        },
        timeout_sec=settings.read_timeout_sec,
    )
    contexts = [
        request_limits(settings),
        database(str(settings.database_url), schema=SCHEMA, size=settings.database_pool_size),
        services.context,
        Relay(sinks(settings, service=NAME)).context,
    ]
    # What is away while runs are compared is named in the answer; only what all need counts here.
    checks: dict[str, Check] = {"experiment-service": _experiments_are_published}
    if identity is None and settings.auth_service_url:
        identity = client = AuthClient(settings.auth_service_url)
        contexts.append(client.context)
        checks["auth-service"] = _tokens_can_be_verified(client)
    return application(
        name=NAME,
        version=VERSION,
        routes=[
            runs.routes,
            series.routes,
            telemetry.routes,
            evaluation.routes,
            export.routes,
            saved.routes,
            baselines.routes,
        ],
        contexts=contexts,
        identity=identity or DebugIdentity(settings),
        checks=checks,
    )


def _tokens_can_be_verified(client: AuthClient) -> Check:
    async def check(_app: web.Application) -> bool:
        return await client.ready()

    return check


async def _experiments_are_published(app: web.Application) -> bool:
    try:
        async with app[DATABASE].acquire() as connection:
            return await has_published_experiments(connection)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, Problem):
        return False

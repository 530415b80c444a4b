"""How the service is put together."""

from datetime import timedelta
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
from servicekit.sinks import audit_trail
from servicekit.wakeups import Wakeups

from metrics_service.clients.experiments import Experiments
from metrics_service.jobs.feeds import Feeds
from metrics_service.jobs.upkeep import upkeep
from metrics_service.jobs.writer import writer
from metrics_service.mlflow import calls
from metrics_service.queries.runs import has_published_runs
from metrics_service.routes import batches, buckets, exports, series, stream
from metrics_service.settings import Settings

NAME = "metrics-service"
VERSION = version("metrics-service")
SCHEMA = "metrics"


def create_app(settings: Settings, identity: Identity | None = None) -> web.Application:
    """The service; `identity` in place of auth-service where a test brings its own."""
    wakeups = Wakeups(settings.telemetry_broker_url, "runbench:metrics")
    feeds = Feeds(wakeups)
    contexts = [
        request_limits(settings),
        database(str(settings.database_url), schema=SCHEMA, size=settings.database_pool_size),
        wakeups.context,
        writer(wakeups),
        Experiments(settings.experiment_service_url).context,
        feeds.context,
        upkeep(timedelta(days=settings.batch_ids_kept_days)),
        Relay(audit_trail(settings)).context,
    ]
    checks: dict[str, Check] = {"experiment-service": _runs_are_published}
    if identity is None and settings.auth_service_url:
        identity = client = AuthClient(settings.auth_service_url)
        contexts.append(client.context)

        checks["auth-service"] = _tokens_can_be_verified(client)
    return application(
        name=NAME,
        version=VERSION,
        routes=[
            batches.routes,
            series.routes,
            buckets.routes,
            exports.routes,
            stream.routes,
        ],
        contexts=contexts,
        identity=identity or DebugIdentity(settings),
        checks=checks,
        doors=mlflow.doors(calls.calls),
    )


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

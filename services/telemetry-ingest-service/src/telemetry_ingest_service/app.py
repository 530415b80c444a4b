"""How the service is put together."""

from datetime import timedelta
from importlib.metadata import version

import asyncpg
from aiohttp import web
from servicekit.application import Check, application
from servicekit.auth_client import AuthClient
from servicekit.database import DATABASE, database
from servicekit.debug_identity import DebugIdentity
from servicekit.identity import Identity
from servicekit.problems import Problem
from servicekit.wakeups import Wakeups

from telemetry_ingest_service.jobs.limits import limits
from telemetry_ingest_service.jobs.upkeep import upkeep
from telemetry_ingest_service.jobs.viewers import Viewers
from telemetry_ingest_service.jobs.writer import writer
from telemetry_ingest_service.operations.sensors import SensorIdentity, Sensors
from telemetry_ingest_service.queries.sensors import has_published_sensors
from telemetry_ingest_service.routes import activity, buckets, ingest, series
from telemetry_ingest_service.settings import Settings

NAME = "telemetry-ingest-service"
VERSION = version("telemetry-ingest-service")
SCHEMA = "telemetry"
CHANNEL = "runbench:telemetry"


def create_app(settings: Settings, identity: Identity | None = None) -> web.Application:
    """The service; `identity` in place of auth-service where a test brings its own."""
    wakeups = Wakeups(settings.telemetry_broker_url, CHANNEL)
    sensors = Sensors()
    contexts = [
        database(str(settings.database_url), schema=SCHEMA, size=settings.database_pool_size),
        wakeups.context,
        limits(settings.telemetry_broker_url, rate=settings.sensor_readings_per_sec),
        Viewers(wakeups).context,
        writer(wakeups),
        upkeep(timedelta(days=settings.batch_ids_kept_days)),
    ]
    checks: dict[str, Check] = {"experiment-service": _sensors_are_published}
    if identity is None and settings.auth_service_url:
        identity = client = AuthClient(settings.auth_service_url)
        contexts.append(client.context)

        async def auth_answers(_app: web.Application) -> bool:
            return await client.ready()

        checks["auth-service"] = auth_answers
    app = application(
        name=NAME,
        version=VERSION,
        routes=[ingest.routes, activity.routes, series.routes, buckets.routes],
        contexts=contexts,
        identity=SensorIdentity(identity or DebugIdentity(settings), sensors, DATABASE),
        checks=checks,
    )
    app[ingest.SENSORS] = sensors
    return app


async def _sensors_are_published(app: web.Application) -> bool:
    try:
        async with app[DATABASE].acquire() as connection:
            return await has_published_sensors(connection)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, Problem):
        return False

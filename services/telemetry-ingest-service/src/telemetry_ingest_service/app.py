"""How the service is put together."""

from contextlib import suppress
from datetime import timedelta
from functools import partial
from importlib.metadata import version

import asyncpg
from aiohttp import web
from servicekit.application import Check, Context, application
from servicekit.auth_client import AuthClient
from servicekit.database import DATABASE, database
from servicekit.debug_identity import DebugIdentity
from servicekit.identity import Identity
from servicekit.limits import request_limits
from servicekit.outbox import Relay
from servicekit.problems import Problem
from servicekit.sinks import audit_trail
from servicekit.wakeups import Wakeups

from telemetry_ingest_service.jobs.buffer import buffered
from telemetry_ingest_service.jobs.crossings import crossings
from telemetry_ingest_service.jobs.feeds import Feeds
from telemetry_ingest_service.jobs.limits import limits
from telemetry_ingest_service.jobs.mover import movers
from telemetry_ingest_service.jobs.stream import Stream, StreamAway
from telemetry_ingest_service.jobs.upkeep import upkeep
from telemetry_ingest_service.jobs.writer import writer
from telemetry_ingest_service.operations.sensors import SensorIdentity, Sensors
from telemetry_ingest_service.queries.sensors import has_published_sensors
from telemetry_ingest_service.routes import (
    activity,
    buckets,
    imports,
    ingest,
    series,
    set_aside,
)
from telemetry_ingest_service.settings import Settings

NAME = "telemetry-ingest-service"
VERSION = version("telemetry-ingest-service")
SCHEMA = "telemetry"
CHANNEL = "runbench:telemetry"
KNOWN_MINUTES = 15


def create_app(settings: Settings, identity: Identity | None = None) -> web.Application:
    """The service; `identity` in place of auth-service where a test brings its own."""
    wakeups = Wakeups(settings.telemetry_broker_url, CHANNEL)
    stream = (
        Stream(
            settings.telemetry_broker_url,
            most_bytes=settings.bytes_of_a_shard,
            replicas=settings.telemetry_buffer_replicas,
        )
        if settings.telemetry_broker_url
        else None
    )
    buffering = settings.telemetry_buffer == "stream"
    # What the buffer takes while PostgreSQL is away is of sensors that were known before.
    sensors = Sensors(outlast=timedelta(minutes=KNOWN_MINUTES if buffering else 0))
    contexts = [
        request_limits(settings),
        database(str(settings.database_url), schema=SCHEMA, size=settings.database_pool_size),
        wakeups.context,
        limits(rate=settings.sensor_readings_per_sec),
        Feeds(wakeups).context,
        writer(wakeups),
        *_buffer(stream, settings),
        crossings,
        upkeep(timedelta(days=settings.batch_ids_kept_days)),
        Relay(audit_trail(settings)).context,
    ]
    checks: dict[str, Check] = {"experiment-service": _sensors_are_published}
    if buffering and stream:
        checks["buffer"] = partial(_keeps, stream, settings.telemetry_buffer_shards)
    if identity is None and settings.auth_service_url:
        identity = client = AuthClient(settings.auth_service_url)
        contexts.append(client.context)

        async def auth_answers(_app: web.Application) -> bool:
            return await client.ready()

        checks["auth-service"] = auth_answers
    app = application(
        name=NAME,
        version=VERSION,
        routes=[
            ingest.routes,
            imports.routes,
            activity.routes,
            set_aside.routes,
            series.routes,
            buckets.routes,
        ],
        contexts=contexts,
        identity=SensorIdentity(identity or DebugIdentity(settings), sensors, DATABASE),
        checks=checks,
    )
    app[ingest.SENSORS] = sensors
    return app


def _buffer(stream: Stream | None, settings: Settings) -> list[Context]:
    if stream is None:
        return []
    if settings.telemetry_buffer == "off":
        return [movers(stream, shards=0)]
    shards = settings.telemetry_buffer_shards
    taking = buffered(stream, shards=shards)
    return [taking, movers(stream, shards=shards)] if settings.telemetry_buffer_moves else [taking]


async def _keeps(stream: Stream, shards: int, _app: web.Application) -> bool | str:
    for shard in range(shards):
        with suppress(StreamAway):  # meanwhile PostgreSQL takes what comes
            if trouble := await stream.trouble(shard):
                return trouble
    return True


async def _sensors_are_published(app: web.Application) -> bool:
    try:
        async with app[DATABASE].acquire() as connection:
            return await has_published_sensors(connection)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, Problem):
        return False

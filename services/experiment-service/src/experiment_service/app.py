"""How the service is put together."""

from importlib.metadata import version

from aiohttp import web
from servicekit import mlflow
from servicekit.application import Check, application
from servicekit.auth_client import AuthClient
from servicekit.database import database
from servicekit.debug_identity import DebugIdentity
from servicekit.idempotency import SEAL
from servicekit.identity import Identity
from servicekit.limits import request_limits
from servicekit.mail import Mailer
from servicekit.outbox import Relay
from servicekit.outgoing import Caller
from servicekit.sinks import sinks

from experiment_service.clients.recipients import AuthRecipients, Recipients
from experiment_service.jobs.feeds import Feeds
from experiment_service.jobs.mailing import Mailing
from experiment_service.jobs.sender import Sender
from experiment_service.jobs.sweeper import sweeper
from experiment_service.jobs.wakeups import ProjectWakeups
from experiment_service.jobs.watching import watching
from experiment_service.mlflow import experiment_calls, model_calls, probes, run_calls
from experiment_service.operations.mailing import Post
from experiment_service.operations.sensor_tokens import ShownOnce
from experiment_service.operations.webhook_secrets import SecretBox
from experiment_service.routes import (
    bulk,
    captures,
    experiments,
    fields,
    groups,
    lookups,
    metric_watches,
    notifications,
    profiles,
    run_sensors,
    runs,
    sensor_tokens,
    sensor_watches,
    sensors,
    stream,
    views,
    webhooks,
)
from experiment_service.settings import Settings

NAME = "experiment-service"
VERSION = version("experiment-service")
SCHEMA = "experiment"


def create_app(
    settings: Settings, identity: Identity | None = None, recipients: Recipients | None = None
) -> web.Application:
    """The service; `identity` and `recipients` where a test brings its own for auth-service."""
    wakeups = ProjectWakeups(settings.telemetry_broker_url)
    feeds = Feeds(wakeups)
    sender = Sender(
        Caller(settings.webhook_allowed_networks),
        SecretBox(settings.webhook_keys),
        kept_days=settings.webhook_log_days,
    )
    contexts = [
        request_limits(settings),
        database(
            str(settings.database_url),
            schema=SCHEMA,
            size=settings.database_pool_size,
            planned_each_time=True,
        ),
        wakeups.context,
        feeds.context,
        sweeper(settings, wakeups),
        sender.context,
        Relay(sinks(settings, service=NAME)).context,
        watching(sender),
    ]
    if recipients is None and settings.auth_service_url and settings.service_secrets:
        recipients = known = AuthRecipients(settings.auth_service_url, settings.service_secrets[0])
        contexts.append(known.context)
    post = Post(Mailer(settings), recipients, portal=str(settings.public_url))
    contexts.append(Mailing(post, kept_days=settings.webhook_log_days).context)
    checks: dict[str, Check] = {}
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
            experiments.routes,
            stream.routes,
            bulk.routes,
            lookups.routes,
            runs.routes,
            groups.routes,
            fields.routes,
            views.routes,
            sensors.routes,
            sensor_tokens.routes,
            sensor_watches.routes,
            run_sensors.routes,
            captures.routes,
            profiles.routes,
            webhooks.routes,
            metric_watches.routes,
            notifications.routes,
        ],
        contexts=contexts,
        identity=identity or DebugIdentity(settings),
        checks=checks,
        doors=mlflow.doors(
            call
            for room in (experiment_calls, run_calls, model_calls, probes)
            for call in room.calls
        ),
    )
    app[SEAL] = ShownOnce()
    app.on_response_prepare.append(wakeups.announce_change)
    return app

"""How the service is put together."""

from collections.abc import AsyncIterator

from aiohttp import web
from servicekit.application import application
from servicekit.database import DATABASE, database
from servicekit.idempotency import SEAL
from servicekit.limits import request_limits
from servicekit.outbox import Relay
from servicekit.policy import SERVICE_SECRETS
from servicekit.sinks import sinks
from servicekit.tracing import begin_trace

from auth_service.call import SETTINGS
from auth_service.clients.mail import MAIL, Mail
from auth_service.denials import note_denial
from auth_service.identity import OwnIdentity
from auth_service.jobs import audit_months, sweep
from auth_service.operations.start import make_first_admin, note_keys
from auth_service.passwords import HASHER, Hasher
from auth_service.routes import (
    admin,
    inbox,
    members,
    people,
    projects,
    recipients,
    sessions,
    tokens,
    well_known,
)
from auth_service.settings import Settings
from auth_service.signing import KEYS, Keys

NAME = "auth-service"
VERSION = "0.1.0"
SCHEMA = "auth"
# What the running service may do is less than what the owner of the schema may: docs/audit.md.
ROLE = "runbench_auth_app"


def create_app(settings: Settings) -> web.Application:
    """The whole wiring: settings, keys, routes, and what runs beside them."""
    keys = Keys(settings.secrets)
    app = application(
        name=NAME,
        version=VERSION,
        routes=[
            sessions.routes,
            people.routes,
            projects.routes,
            members.routes,
            tokens.routes,
            admin.routes,
            inbox.routes,
            recipients.routes,
            well_known.routes,
        ],
        contexts=[
            request_limits(settings),
            database(
                str(settings.database_url),
                schema=SCHEMA,
                size=settings.database_pool_size,
                role=ROLE,
            ),
            # The audit is written here, beside what is told: it is no listener of its own service.
            Relay(sinks(settings, service=NAME, audit=False)).context,
            _tools,
            sweep.context,
            audit_months.context,
        ],
        identity=OwnIdentity(keys),
        denied=note_denial,
    )
    app[SETTINGS] = settings
    app[KEYS] = keys
    app[SEAL] = keys.seal
    app[SERVICE_SECRETS] = settings.service_secrets
    return app


async def _tools(app: web.Application) -> AsyncIterator[None]:
    settings = app[SETTINGS]
    app[HASHER] = Hasher(rounds=settings.bcrypt_rounds)
    app[MAIL] = Mail(settings)
    begin_trace("", "")  # what is done at the start has a trace too, in the log and in the audit
    await note_keys(app[DATABASE], app[KEYS])
    await make_first_admin(app[DATABASE], app[HASHER], settings)
    yield
    await app[MAIL].close()
    app[HASHER].close()

"""How the service is put together."""

from aiohttp import web
from servicekit.application import application
from servicekit.auth_client import AuthClient
from servicekit.database import database
from servicekit.debug_identity import DebugIdentity
from servicekit.identity import Identity

from experiment_service.routes import bulk, experiments, runs
from experiment_service.settings import Settings

VERSION = "0.1.0"


def create_app(settings: Settings, identity: Identity | None = None) -> web.Application:
    """The whole service; `identity` takes the place of what the settings say of it."""
    auth = AuthClient(settings.auth_service_url) if settings.auth_service_url else None
    return application(
        name="experiment-service",
        version=VERSION,
        routes=[experiments.routes, bulk.routes, runs.routes],
        contexts=[
            database(
                str(settings.database_url),
                schema="experiment",
                size=settings.database_pool_size,
            ),
            *([auth.context] if auth else []),
        ],
        identity=identity or auth or DebugIdentity(settings),
        checks={"auth_service": lambda _app: auth.ready()} if auth else {},
    )

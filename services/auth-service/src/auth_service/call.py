"""What an operation works with: where the call comes from, and the tools of the house."""

from dataclasses import dataclass

from aiohttp import web
from servicekit.database import Database
from servicekit.idempotency import request_database

from auth_service.addresses import Origin, origin_of
from auth_service.clients.mail import MAIL, Mail
from auth_service.passwords import HASHER, Hasher
from auth_service.settings import Settings
from auth_service.signing import KEYS, Keys

SETTINGS = web.AppKey("settings", Settings)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of somebody, from somewhere."""

    database: Database
    origin: Origin
    settings: Settings
    keys: Keys
    hasher: Hasher
    mail: Mail


def call_of(request: web.Request) -> Call:
    """The call that a request is."""
    app = request.app
    settings = app[SETTINGS]
    return Call(
        database=request_database(request),
        origin=origin_of(request, settings.trusted_proxies),
        settings=settings,
        keys=app[KEYS],
        hasher=app[HASHER],
        mail=app[MAIL],
    )

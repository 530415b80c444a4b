"""/.well-known: what other services verify tokens with."""

from aiohttp.web import Request
from servicekit import policy
from servicekit.routing import Routes

from auth_service.call import call_of
from auth_service.models.keys import KeySet, Revocations
from auth_service.operations import sessions
from auth_service.signing import KEYS

routes = Routes("keys")


@routes.get("/.well-known/jwks.json", policy=policy.public(), limit="inside")
async def read_keys(request: Request) -> KeySet:
    """Read the public keys of access tokens."""
    return KeySet(keys=request.app[KEYS].published)


@routes.get("/.well-known/revocations", policy=policy.public(), limit="inside")
async def list_revocations(request: Request) -> Revocations:
    """List the sessions that ended lately, as SHA-256 of their ids; for services only."""
    return await sessions.list_revocations(call_of(request))

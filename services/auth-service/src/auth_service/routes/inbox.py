"""/internal/events: what other services tell the audit trail; the gateway leads nobody here."""

from aiohttp.web import Request
from servicekit import policy
from servicekit.routing import Routes

from auth_service.call import call_of
from auth_service.models.audit import ToldEvents
from auth_service.operations import inbox

routes = Routes("events")

BODY_LIMIT = 8 << 20


@routes.post("/internal/events", policy=policy.service(), status=204, body_limit=BODY_LIMIT)
async def receive_events(request: Request, body: ToldEvents) -> None:
    """Take events of another service into the audit trail; a repeat changes nothing."""
    await inbox.receive(call_of(request).database, body.events)

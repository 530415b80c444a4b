"""/internal/recipients: whom another service may write to; the gateway leads nobody here."""

from aiohttp.web import Request
from servicekit import policy
from servicekit.routing import Routes

from auth_service.call import call_of
from auth_service.models.recipients import RecipientQuery, Recipients
from auth_service.operations import recipients as operations

routes = Routes("events")


@routes.post("/internal/recipients", policy=policy.service(), status=200)
async def find_recipients(request: Request, body: RecipientQuery) -> Recipients:
    """Find the mail addresses of people who are active members of a project now."""
    return await operations.find_recipients(call_of(request).database, body)

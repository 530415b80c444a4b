"""/api/v1/projects/{project_id}/webhooks, /api/v1/webhooks/… and /api/v1/webhook-deliveries/…"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.idempotency import request_database
from servicekit.identity import PRINCIPAL
from servicekit.pagination import Page, PageQuery
from servicekit.problems import InvalidCursor, PreconditionFailed
from servicekit.routing import Routes

from experiment_service import errors
from experiment_service.jobs.sender import SENDER
from experiment_service.models.webhooks import (
    Delivery,
    DeliveryDetails,
    DeliveryQuery,
    NewWebhook,
    SecretRotation,
    Webhook,
    WebhookChange,
    WebhookWithSecret,
)
from experiment_service.operations import deliveries
from experiment_service.operations import webhooks as operations
from experiment_service.queries.webhook_deliveries import select_delivery_project
from experiment_service.queries.webhooks import select_webhook_project

routes = Routes("webhooks")

OF_WEBHOOK = policy.row("webhook_id", select_webhook_project)
OF_DELIVERY = policy.row("delivery_id", select_delivery_project)


@routes.get(
    "/api/v1/projects/{project_id}/webhooks",
    policy=policy.owner(when_archived=True),
    raises=(InvalidCursor,),
)
async def list_webhooks(request: Request, project_id: UUID, query: PageQuery) -> Page[Webhook]:
    """List a project's webhooks, without their secrets."""
    return await operations.list_webhooks(request_database(request), project_id, query)


@routes.post(
    "/api/v1/projects/{project_id}/webhooks",
    policy=policy.owner(),
    raises=(errors.LimitExceeded, errors.WebhooksOff),
    idempotent=True,
)
async def create_webhook(request: Request, project_id: UUID, body: NewWebhook) -> WebhookWithSecret:
    """Add an address that is told of what happens; the answer shows its secret once."""
    sender = request.app[SENDER]
    return await operations.create_webhook(
        request_database(request),
        request[PRINCIPAL],
        project_id,
        body,
        caller=sender.caller,
        box=sender.box,
    )


@routes.get("/api/v1/webhooks/{webhook_id}", policy=policy.owner(OF_WEBHOOK, when_archived=True))
async def get_webhook(request: Request, webhook_id: UUID) -> Webhook:
    """Read a webhook, without its secret."""
    return await operations.get_webhook(request_database(request), webhook_id)


@routes.patch(
    "/api/v1/webhooks/{webhook_id}",
    policy=policy.owner(OF_WEBHOOK),
    raises=(PreconditionFailed,),
)
async def change_webhook(
    request: Request, webhook_id: UUID, body: WebhookChange, if_match: int | None
) -> Webhook:
    """Change a webhook, pause it, or let it go on and send what has waited."""
    sender = request.app[SENDER]
    changed = await operations.change_webhook(
        request_database(request), webhook_id, body, caller=sender.caller, if_match=if_match
    )
    sender.wake()
    return changed


@routes.delete("/api/v1/webhooks/{webhook_id}", policy=policy.owner(OF_WEBHOOK, when_archived=True))
async def delete_webhook(request: Request, webhook_id: UUID) -> None:
    """Delete a webhook with its log; what is on its way is not sent any more."""
    await operations.remove_webhook(request_database(request), webhook_id)


@routes.post(
    "/api/v1/webhooks/{webhook_id}/secret",
    policy=policy.owner(OF_WEBHOOK),
    raises=(errors.WebhooksOff,),
    idempotent=True,
)
async def rotate_webhook_secret(
    request: Request, webhook_id: UUID, body: SecretRotation
) -> WebhookWithSecret:
    """Sign with a new secret, which the answer shows once, and for the grace with both."""
    return await operations.rotate_secret(
        request_database(request), webhook_id, body, request.app[SENDER].box
    )


@routes.post("/api/v1/webhooks/{webhook_id}/test", policy=policy.owner(OF_WEBHOOK), limit="costly")
async def test_webhook(request: Request, webhook_id: UUID) -> DeliveryDetails:
    """Send the event `webhook.test` once, at once, and say how it went."""
    sender = request.app[SENDER]
    return await deliveries.test_webhook(
        request.app[DATABASE], sender.caller, sender.box, webhook_id
    )


@routes.get(
    "/api/v1/webhooks/{webhook_id}/deliveries",
    policy=policy.owner(OF_WEBHOOK, when_archived=True),
    raises=(InvalidCursor,),
)
async def list_webhook_deliveries(
    request: Request, webhook_id: UUID, query: DeliveryQuery
) -> Page[Delivery]:
    """List what a webhook was or is to be told, the newest first."""
    return await deliveries.list_deliveries(request_database(request), webhook_id, query)


@routes.get(
    "/api/v1/webhook-deliveries/{delivery_id}",
    policy=policy.owner(OF_DELIVERY, when_archived=True),
)
async def get_webhook_delivery(request: Request, delivery_id: UUID) -> DeliveryDetails:
    """Read a delivery: what is sent, and how each call went."""
    return await deliveries.get_delivery(request_database(request), delivery_id)


@routes.post(
    "/api/v1/webhook-deliveries/{delivery_id}/redeliver",
    policy=policy.owner(OF_DELIVERY),
    limit="costly",
)
async def redeliver(request: Request, delivery_id: UUID) -> DeliveryDetails:
    """Send a delivery again, whatever became of it; the receiver sees the same id."""
    again = await deliveries.redeliver(request.app[DATABASE], delivery_id)
    request.app[SENDER].wake()
    return again

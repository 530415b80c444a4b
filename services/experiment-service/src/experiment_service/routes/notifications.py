"""/api/v1/projects/{project_id}/notification-rules, notifications and /notification-rules/…"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.idempotency import request_database
from servicekit.identity import PRINCIPAL
from servicekit.pagination import Page, PageQuery
from servicekit.problems import Invalid, InvalidCursor, NotFound, PreconditionFailed, Unavailable
from servicekit.routing import Routes

from experiment_service import errors
from experiment_service.jobs.mailing import POST
from experiment_service.models.notifications import (
    MailState,
    NewNotificationRule,
    Notification,
    NotificationQuery,
    NotificationRule,
    NotificationRuleChange,
    TestMail,
)
from experiment_service.operations import mailing
from experiment_service.operations import notifications as operations
from experiment_service.queries.notification_rules import select_rule_project

routes = Routes("notifications")

OF_RULE = policy.row("rule_id", select_rule_project)


@routes.get(
    "/api/v1/projects/{project_id}/notification-rules",
    policy=policy.viewer(),
    raises=(InvalidCursor,),
)
async def list_notification_rules(
    request: Request, project_id: UUID, query: PageQuery
) -> Page[NotificationRule]:
    """List what the caller is told of by mail in a project."""
    return await operations.list_rules(
        request_database(request), request[PRINCIPAL], project_id, query
    )


@routes.post(
    "/api/v1/projects/{project_id}/notification-rules",
    policy=policy.viewer(),
    raises=(Invalid, errors.LimitExceeded),
    idempotent=True,
)
async def create_notification_rule(
    request: Request, project_id: UUID, body: NewNotificationRule
) -> NotificationRule:
    """Be told of events by mail, at the address of one's own account."""
    return await operations.add_rule(
        request_database(request), request[PRINCIPAL], project_id, body
    )


@routes.patch(
    "/api/v1/notification-rules/{rule_id}",
    policy=policy.viewer(OF_RULE),
    raises=(NotFound, Invalid, PreconditionFailed),
)
async def change_notification_rule(
    request: Request, rule_id: UUID, body: NotificationRuleChange, if_match: int | None
) -> NotificationRule:
    """Change one's rule, pause it or let it go on; those of others are not there."""
    return await operations.change_rule(
        request_database(request), request[PRINCIPAL], rule_id, body, if_match=if_match
    )


@routes.delete(
    "/api/v1/notification-rules/{rule_id}", policy=policy.viewer(OF_RULE), raises=(NotFound,)
)
async def delete_notification_rule(request: Request, rule_id: UUID) -> None:
    """Forget one's rule with its log."""
    await operations.remove_rule(request_database(request), request[PRINCIPAL], rule_id)


@routes.get(
    "/api/v1/projects/{project_id}/notifications",
    policy=policy.viewer(),
    raises=(InvalidCursor,),
)
async def list_notifications(
    request: Request, project_id: UUID, query: NotificationQuery
) -> Page[Notification]:
    """List what the caller was or is to be told of by mail, the newest first."""
    return await operations.list_notifications(
        request_database(request), request[PRINCIPAL], project_id, query
    )


@routes.get(
    "/api/v1/projects/{project_id}/notifications/mail",
    policy=policy.viewer(),
    raises=(Unavailable,),
)
async def read_mail_state(request: Request, project_id: UUID) -> MailState:
    """Read whether mail is set up here, and where the caller's mails go."""
    return await mailing.read_mail_state(request.app[POST], request[PRINCIPAL], project_id)


@routes.post(
    "/api/v1/projects/{project_id}/notifications/test",
    policy=policy.viewer(),
    raises=(errors.LimitExceeded, Unavailable),
)
async def send_test_mail(request: Request, project_id: UUID, body: TestMail) -> Notification:
    """Send the caller a test mail at once, and say how it went."""
    return await mailing.send_test(
        request.app[DATABASE], request.app[POST], request[PRINCIPAL], project_id, body.language
    )

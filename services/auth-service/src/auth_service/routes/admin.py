"""/api/v1/admin: people, for who manages the platform."""

from uuid import UUID

from aiohttp.web import Request, StreamResponse
from servicekit import policy
from servicekit.files import stream_file
from servicekit.identity import PRINCIPAL
from servicekit.pagination import Page
from servicekit.routing import Routes

from auth_service import errors
from auth_service.call import call_of
from auth_service.models.audit import AuditEvent, AuditExport, AuditQuery
from auth_service.models.people import User, UserChange, UserQuery
from auth_service.operations import admin as operations
from auth_service.operations import audit, audit_export

routes = Routes("administration")


@routes.get("/api/v1/admin/users", policy=policy.admin())
async def list_users(request: Request, query: UserQuery) -> Page[User]:
    """List all people, newest first."""
    return await operations.list_users(call_of(request).database, query)


@routes.post(
    "/api/v1/admin/users/{user_id}/deactivate",
    policy=policy.admin(),
    status=200,
    raises=(errors.UserNotFound, errors.LastAdmin),
)
async def deactivate_user(request: Request, user_id: UUID) -> User:
    """Shut a person out; their sessions and API tokens end at once."""
    return await operations.deactivate_user(call_of(request), request[PRINCIPAL], user_id)


@routes.post(
    "/api/v1/admin/users/{user_id}/activate",
    policy=policy.admin(),
    status=200,
    raises=(errors.UserNotFound,),
)
async def activate_user(request: Request, user_id: UUID) -> User:
    """Let a person in again."""
    return await operations.activate_user(call_of(request), request[PRINCIPAL], user_id)


@routes.patch(
    "/api/v1/admin/users/{user_id}",
    policy=policy.admin(),
    raises=(errors.UserNotFound, errors.UserDeactivated, errors.LastAdmin),
)
async def change_user(request: Request, user_id: UUID, body: UserChange) -> User:
    """Make a person an administrator, or no longer one."""
    return await operations.change_user(call_of(request), request[PRINCIPAL], user_id, body)


@routes.post(
    "/api/v1/admin/users/{user_id}/reset-password",
    policy=policy.admin(),
    status=204,
    raises=(errors.UserNotFound, errors.UserDeactivated),
)
async def reset_password(request: Request, user_id: UUID) -> None:
    """Mail a person a link for a new password."""
    await operations.reset_password(call_of(request), request[PRINCIPAL], user_id)


@routes.get("/api/v1/admin/audit", policy=policy.admin())
async def list_audit(request: Request, query: AuditQuery) -> Page[AuditEvent]:
    """List what happened on the whole platform, newest first."""
    return await audit.list_events(call_of(request).database, query)


@routes.get(
    "/api/v1/admin/audit/export",
    policy=policy.admin(),
    sends=("text/csv", "application/jsonl"),
    limit="costly",
)
async def export_audit(request: Request, query: AuditExport) -> StreamResponse:
    """Take what happened on the whole platform as a file, newest first.

    CSV, or JSON Lines with `format=jsonl` (application/jsonl).
    """
    pieces = await audit_export.export(call_of(request), request[PRINCIPAL], query)
    return await stream_file(
        request, pieces, content_type=query.media_type, name=f"audit.{query.format}"
    )

"""/api/v1/projects/{project_id}/views and /api/v1/views/{view_id}"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.idempotency import request_database
from servicekit.identity import ACCESS, PRINCIPAL
from servicekit.pagination import Page
from servicekit.problems import Forbidden, InvalidCursor, PreconditionFailed
from servicekit.routing import Routes

from experiment_service import errors
from experiment_service.models.views import NewView, View, ViewChange, ViewQuery
from experiment_service.operations import views as operations
from experiment_service.queries.views import select_view_project

routes = Routes("views")

OF_VIEW = policy.row("view_id", select_view_project)


@routes.get("/api/v1/projects/{project_id}/views", policy=policy.viewer(), raises=(InvalidCursor,))
async def list_views(request: Request, project_id: UUID, query: ViewQuery) -> Page[View]:
    """List a project's shared views and one's own, by name."""
    return await operations.list_views(
        request_database(request), request[PRINCIPAL], project_id, query
    )


@routes.post(
    "/api/v1/projects/{project_id}/views",
    policy=policy.viewer(when_archived=False),
    raises=(Forbidden, errors.ViewNameTaken, errors.LimitExceeded),
    idempotent=True,
)
async def create_view(request: Request, project_id: UUID, body: NewView) -> View:
    """Save a view: a personal one as any member, a shared one as an editor."""
    return await operations.create_view(
        request_database(request), request[PRINCIPAL], project_id, request[ACCESS].role, body
    )


@routes.get("/api/v1/views/{view_id}", policy=policy.viewer(OF_VIEW))
async def get_view(request: Request, view_id: UUID) -> View:
    """Read a view that is shared or one's own."""
    return await operations.get_view(request_database(request), request[PRINCIPAL], view_id)


@routes.patch(
    "/api/v1/views/{view_id}",
    policy=policy.viewer(OF_VIEW, when_archived=False),
    raises=(Forbidden, errors.ViewNameTaken, errors.LimitExceeded, PreconditionFailed),
)
async def change_view(
    request: Request, view_id: UUID, body: ViewChange, if_match: int | None
) -> View:
    """Change a view that is one's own, or a shared one as an editor."""
    return await operations.change_view(
        request_database(request),
        request[PRINCIPAL],
        view_id,
        request[ACCESS].role,
        body,
        if_match=if_match,
    )


@routes.delete(
    "/api/v1/views/{view_id}",
    policy=policy.viewer(OF_VIEW, when_archived=False),
    raises=(Forbidden,),
)
async def delete_view(request: Request, view_id: UUID) -> None:
    """Delete a view that is one's own, or a shared one as an editor."""
    await operations.remove_view(
        request_database(request), request[PRINCIPAL], view_id, request[ACCESS].role
    )

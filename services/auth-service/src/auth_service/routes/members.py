"""/api/v1/projects/{project_id}/members"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.identity import PRINCIPAL
from servicekit.pagination import Page, PageQuery
from servicekit.problems import ProjectArchived
from servicekit.routing import Routes

from auth_service import errors
from auth_service.call import call_of
from auth_service.models.projects import Member, MemberRole
from auth_service.operations import members as operations

routes = Routes("members")


@routes.get("/api/v1/projects/{project_id}/members", policy=policy.viewer())
async def list_members(request: Request, project_id: UUID, query: PageQuery) -> Page[Member]:
    """List the members of a project, by name."""
    return await operations.list_members(call_of(request).database, project_id, query)


@routes.put(
    "/api/v1/projects/{project_id}/members/{user_id}",
    policy=policy.owner(people_only=True),
    raises=(errors.LastOwner, errors.UserDeactivated, errors.UserNotFound),
)
async def set_member(request: Request, project_id: UUID, user_id: UUID, body: MemberRole) -> Member:
    """Give a person a role in a project, their first or another."""
    return await operations.set_member(
        call_of(request), request[PRINCIPAL], project_id, user_id, body
    )


@routes.delete(
    "/api/v1/projects/{project_id}/members/{user_id}",
    policy=policy.viewer(people_only=True),
    raises=(errors.LastOwner, errors.MemberNotFound, ProjectArchived),
)
async def remove_member(request: Request, project_id: UUID, user_id: UUID) -> None:
    """Remove a person from a project as its owner, or leave it."""
    await operations.remove_member(call_of(request), request[PRINCIPAL], project_id, user_id)

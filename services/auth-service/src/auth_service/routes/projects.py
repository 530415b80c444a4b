"""/api/v1/projects: projects and what the caller may do in them."""

from uuid import UUID

from aiohttp.web import Request, StreamResponse
from servicekit import policy
from servicekit.files import stream_file
from servicekit.identity import ACCESS, PRINCIPAL, Access
from servicekit.pagination import Page
from servicekit.problems import PreconditionFailed
from servicekit.routing import Routes

from auth_service import errors
from auth_service.call import call_of
from auth_service.models.audit import AuditEvent, AuditExport, AuditQuery
from auth_service.models.projects import NewProject, Project, ProjectChange, ProjectQuery
from auth_service.operations import audit, audit_export
from auth_service.operations import projects as operations

routes = Routes("projects")


@routes.get("/api/v1/projects", policy=policy.signed_in(), limit="inside")
async def list_projects(request: Request, query: ProjectQuery) -> Page[Project]:
    """List the projects that one is a member of."""
    return await operations.list_projects(call_of(request).database, request[PRINCIPAL], query)


@routes.post(
    "/api/v1/projects",
    policy=policy.person(),
    raises=(errors.ProjectSlugTaken,),
    idempotent=True,
)
async def create_project(request: Request, body: NewProject) -> Project:
    """Make a project and become its owner."""
    return await operations.create_project(call_of(request), request[PRINCIPAL], body)


@routes.get("/api/v1/projects/{project_id}", policy=policy.viewer())
async def read_project(request: Request, project_id: UUID) -> Project:
    """Read a project."""
    return await operations.read_project(call_of(request).database, request[PRINCIPAL], project_id)


@routes.patch(
    "/api/v1/projects/{project_id}",
    policy=policy.owner(),
    raises=(errors.ProjectSlugTaken, PreconditionFailed),
)
async def change_project(
    request: Request, project_id: UUID, body: ProjectChange, if_match: int | None
) -> Project:
    """Change name, slug or description."""
    return await operations.change_project(
        call_of(request), request[PRINCIPAL], project_id, body, if_match
    )


@routes.delete("/api/v1/projects/{project_id}", policy=policy.owner())
async def archive_project(request: Request, project_id: UUID) -> None:
    """Archive a project; nothing is deleted."""
    await operations.archive_project(call_of(request), request[PRINCIPAL], project_id)


@routes.post(
    "/api/v1/projects/{project_id}/restore",
    policy=policy.owner(when_archived=True),
    status=200,
)
async def restore_project(request: Request, project_id: UUID) -> Project:
    """Bring an archived project back."""
    return await operations.restore_project(call_of(request), request[PRINCIPAL], project_id)


@routes.get("/api/v1/projects/{project_id}/access", policy=policy.viewer(), limit="inside")
async def read_access(request: Request, project_id: UUID) -> Access:  # noqa: ARG001 - see policy
    """Read what one may do in a project; other services ask this with the caller's token."""
    return request[ACCESS]


@routes.get("/api/v1/projects/{project_id}/audit", policy=policy.owner(when_archived=True))
async def list_project_audit(
    request: Request, project_id: UUID, query: AuditQuery
) -> Page[AuditEvent]:
    """List what happened in a project, newest first."""
    return await audit.list_events(call_of(request).database, query, project_id=project_id)


@routes.get(
    "/api/v1/projects/{project_id}/audit/export",
    limit="costly",
    policy=policy.owner(when_archived=True),
    sends=("text/csv", "application/jsonl"),
)
async def export_project_audit(
    request: Request, project_id: UUID, query: AuditExport
) -> StreamResponse:
    """Take what happened in a project as a file, newest first.

    CSV, or JSON Lines with `format=jsonl` (application/jsonl).
    """
    pieces = await audit_export.export(
        call_of(request), request[PRINCIPAL], query, project_id=project_id
    )
    return await stream_file(
        request, pieces, content_type=query.media_type, name=f"audit.{query.format}"
    )

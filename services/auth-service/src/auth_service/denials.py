"""Noting in the audit who was refused what: signed in, but without the right."""

from uuid import UUID

from aiohttp import web
from servicekit.database import DATABASE
from servicekit.identity import PRINCIPAL, Principal
from servicekit.problems import Forbidden, Problem

from auth_service.addresses import origin_of
from auth_service.call import SETTINGS
from auth_service.models.audit import NewEvent
from auth_service.operations.audit import record


async def note_denial(request: web.Request, problem: Problem) -> None:
    """Write an event for a 403 that no operation has written one for."""
    principal = request.get(PRINCIPAL)
    if principal and type(problem) is Forbidden:
        await _note(request, principal, problem)


async def _note(request: web.Request, principal: Principal, problem: Forbidden) -> None:
    resource = request.match_info.route.resource
    project_id = request.match_info.get("project_id")
    event = NewEvent(
        action="access.denied",
        actor_id=principal.user_id,
        project_id=UUID(project_id) if project_id else None,
        result="denied",
        details={
            "method": request.method,
            "route": resource.canonical if resource else None,
            "reason": problem.detail,
        },
    )
    origin = origin_of(request, request.app[SETTINGS].trusted_proxies)
    async with request.app[DATABASE].acquire() as connection:
        await record(connection, origin, event)

"""Who the caller of a request is, and whether they may see another project than the route's."""

from uuid import UUID

from aiohttp.web import Request
from servicekit.application import IDENTITY
from servicekit.identity import ACCESS, PRINCIPAL, Access
from servicekit.lately import LATELY

from artifact_service.operations.inputs import AccessTo
from artifact_service.operations.telling import Reader


def access_to(request: Request) -> AccessTo:
    """Asks for the caller's part in a project."""

    async def ask(project_id: UUID) -> Access | None:
        return await request.app[IDENTITY].access(request, request[PRINCIPAL], project_id)

    return ask


def reader_of(request: Request) -> Reader:
    """Who reads, as the audit trail is told."""
    return Reader(request[PRINCIPAL], request[ACCESS].project_id, request.app[LATELY])

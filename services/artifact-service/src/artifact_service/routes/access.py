"""Whether the caller of a request may see another project than the one that the route names."""

from uuid import UUID

from aiohttp.web import Request
from servicekit.application import IDENTITY
from servicekit.identity import PRINCIPAL, Access

from artifact_service.operations.inputs import AccessTo


def access_to(request: Request) -> AccessTo:
    """Asks for the caller's part in a project."""

    async def ask(project_id: UUID) -> Access | None:
        return await request.app[IDENTITY].access(request, request[PRINCIPAL], project_id)

    return ask

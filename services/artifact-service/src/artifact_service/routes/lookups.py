"""POST /api/v1/artifacts/lookup: the files of several runs at once."""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.application import IDENTITY
from servicekit.database import DATABASE
from servicekit.identity import PRINCIPAL
from servicekit.problems import NotFound
from servicekit.routing import Routes

from artifact_service.models.lookups import ArtifactLookup, RunArtifactList
from artifact_service.operations import lookups

routes = Routes("artifacts")


@routes.post(
    "/api/v1/artifacts/lookup",
    policy=policy.signed_in(),
    raises=(NotFound,),
    status=200,
    limit="inside",
)
async def look_up_artifacts(request: Request, body: ArtifactLookup) -> RunArtifactList:
    """List the files of several runs at once, of any projects that the caller sees."""
    identity, principal = request.app[IDENTITY], request[PRINCIPAL]

    async def may_read(project_id: UUID) -> bool:
        return await identity.access(request, principal, project_id) is not None

    return await lookups.look_up_artifacts(request.app[DATABASE], body, may_read)

"""POST /api/v1/runs/lookup, /api/v1/capture-sessions/lookup: many rows of any projects at once."""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.application import IDENTITY
from servicekit.idempotency import request_database
from servicekit.identity import PRINCIPAL
from servicekit.problems import NotFound
from servicekit.routing import Routes

from experiment_service.models.captures import CaptureLookup, CaptureSessionList
from experiment_service.models.runs import RunList, RunLookup
from experiment_service.operations import lookups

routes = Routes("runs")


@routes.post(
    "/api/v1/runs/lookup", policy=policy.signed_in(), raises=(NotFound,), status=200, limit="inside"
)
async def look_up_runs(request: Request, body: RunLookup) -> RunList:
    """Read several runs at once, of any projects that the caller sees; all of them or none."""
    return await lookups.look_up_runs(request_database(request), body, _may_read(request))


@routes.post(
    "/api/v1/capture-sessions/lookup",
    policy=policy.signed_in(),
    raises=(NotFound,),
    status=200,
    limit="inside",
)
async def look_up_capture_sessions(request: Request, body: CaptureLookup) -> CaptureSessionList:
    """Read the capture sessions of several runs, or several by their ids; all of them or none."""
    return await lookups.look_up_captures(request_database(request), body, _may_read(request))


def _may_read(request: Request) -> lookups.MayRead:
    identity, principal = request.app[IDENTITY], request[PRINCIPAL]

    async def ask(project_id: UUID) -> bool:
        return await identity.access(request, principal, project_id) is not None

    return ask

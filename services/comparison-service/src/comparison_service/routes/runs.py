"""POST /api/v1/comparisons/runs"""

from aiohttp.web import Request
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.problems import NotFound, Unavailable
from servicekit.routing import Routes

from comparison_service import errors
from comparison_service.clients.services import SERVICES, Caller
from comparison_service.models.runs import ComparedRuns, RunsComparison
from comparison_service.operations import runs as operations
from comparison_service.operations.reading import Reading

routes = Routes("comparisons")


@routes.post(
    "/api/v1/comparisons/runs",
    policy=policy.signed_in(),
    raises=(NotFound, Unavailable, errors.TooMuchToCompare),
    status=200,
    limit="costly",
)
async def compare_runs(request: Request, body: RunsComparison) -> ComparedRuns:
    """Put runs side by side: params, tags, environment, metrics and files, what differs first."""
    return await operations.compare_runs(request.app[DATABASE], reading_of(request), body)


def reading_of(request: Request) -> Reading:
    """Reads what the caller may see."""
    return Reading(request.app[SERVICES], Caller(request))

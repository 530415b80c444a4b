"""POST /api/v1/projects/{project_id}/runs/groups"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.idempotency import request_database
from servicekit.problems import Invalid
from servicekit.routing import Routes

from experiment_service.models.run_groups import GroupSearch, RunGroups
from experiment_service.operations import run_groups as operations

routes = Routes("runs")


@routes.post(
    "/api/v1/projects/{project_id}/runs/groups",
    policy=policy.viewer(),
    raises=(Invalid,),
    status=200,
    limit="costly",
)
async def group_runs(request: Request, project_id: UUID, body: GroupSearch) -> RunGroups:
    """Put a project's runs into groups by what they have in common.

    Each group comes with its size and figures of the metrics that were asked for.
    """
    return await operations.group_runs(request_database(request), project_id, body)

"""/api/v1/projects/{project_id}/runs/bulk-tag and …/bulk-status"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.idempotency import request_database
from servicekit.observability import ARRIVED
from servicekit.problems import Invalid
from servicekit.routing import Routes

from experiment_service import errors
from experiment_service.models.runs import BulkStatus, BulkStatusChanged, BulkTagged, BulkTags
from experiment_service.operations import run_states, run_tags

routes = Routes("runs")


@routes.post(
    "/api/v1/projects/{project_id}/runs/bulk-tag",
    policy=policy.editor(),
    raises=(errors.RunArchived, errors.LimitExceeded, Invalid),
    status=200,
    limit="costly",
)
async def tag_runs(request: Request, project_id: UUID, body: BulkTags) -> BulkTagged:
    """Set and remove tags on many runs, on all of them or on none."""
    return await run_tags.tag_runs(request_database(request), project_id, body)


@routes.post(
    "/api/v1/projects/{project_id}/runs/bulk-status",
    policy=policy.editor(),
    status=200,
    limit="costly",
)
async def change_run_statuses(
    request: Request, project_id: UUID, body: BulkStatus
) -> BulkStatusChanged:
    """Give many runs a status.

    Those that cannot take the step are named with the reason; the others take it.
    """
    return await run_states.change_statuses(
        request_database(request), project_id, body, arrived=request[ARRIVED]
    )

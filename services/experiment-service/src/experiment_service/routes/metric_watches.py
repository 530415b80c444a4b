"""/api/v1/projects/{project_id}/metric-watches and /api/v1/metric-watches/{watch_id}"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.idempotency import request_database
from servicekit.identity import PRINCIPAL
from servicekit.pagination import Page, PageQuery
from servicekit.problems import InvalidCursor
from servicekit.routing import Routes

from experiment_service import errors
from experiment_service.models.metric_watches import MetricWatch, NewMetricWatch
from experiment_service.operations import metric_watches as operations
from experiment_service.queries.metric_watches import select_watch_project

routes = Routes("webhooks")

OF_WATCH = policy.row("watch_id", select_watch_project)


@routes.get(
    "/api/v1/projects/{project_id}/metric-watches",
    policy=policy.viewer(),
    raises=(InvalidCursor,),
)
async def list_metric_watches(
    request: Request, project_id: UUID, query: PageQuery
) -> Page[MetricWatch]:
    """List the limits that are set on metrics of a project's runs."""
    return await operations.list_watches(request_database(request), project_id, query)


@routes.post(
    "/api/v1/projects/{project_id}/metric-watches",
    policy=policy.editor(),
    raises=(errors.LimitExceeded,),
    idempotent=True,
)
async def create_metric_watch(
    request: Request, project_id: UUID, body: NewMetricWatch
) -> MetricWatch:
    """Set a limit on a metric; webhooks are told of each run that is found beyond it, once."""
    return await operations.add_watch(
        request_database(request), request[PRINCIPAL], project_id, body
    )


@routes.delete("/api/v1/metric-watches/{watch_id}", policy=policy.editor(OF_WATCH))
async def delete_metric_watch(request: Request, watch_id: UUID) -> None:
    """Forget a limit."""
    await operations.remove_watch(request_database(request), watch_id)

"""POST /api/v1/runs/{run_id}/metrics"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.routing import Routes

from metrics_service.errors import RunArchived
from metrics_service.jobs.writer import WRITER
from metrics_service.models.batches import Accepted, NewBatch
from metrics_service.operations import batches as operations
from metrics_service.operations.access import OF_RUN

routes = Routes("metrics")

BODY_LIMIT = 16 << 20


@routes.post(
    "/api/v1/runs/{run_id}/metrics",
    policy=policy.editor(OF_RUN),
    raises=(RunArchived,),
    status=200,
    body_limit=BODY_LIMIT,
    limit="ingest",
)
async def log_metrics(request: Request, run_id: UUID, body: NewBatch) -> Accepted:
    """Log points of any metrics of a run.

    All points are stored when this answers, or none. A call that repeats a `batch_id` of the
    run changes nothing, so whoever heard no answer can safely call again.
    """
    return await operations.log_batch(request.app[WRITER], run_id, body)

"""/api/v1/experiments/{experiment_id}/baseline"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.idempotency import request_database
from servicekit.identity import PRINCIPAL
from servicekit.routing import Routes

from comparison_service import errors
from comparison_service.models.saved import Baseline, NewBaseline
from comparison_service.operations import baselines as operations
from comparison_service.queries.experiments import select_experiment_project

routes = Routes("comparisons")

OF_EXPERIMENT = policy.row("experiment_id", select_experiment_project)


@routes.get("/api/v1/experiments/{experiment_id}/baseline", policy=policy.viewer(OF_EXPERIMENT))
async def get_baseline(request: Request, experiment_id: UUID) -> Baseline:
    """Read which run the others of an experiment are compared with."""
    return await operations.get_baseline(request_database(request), experiment_id)


@routes.put(
    "/api/v1/experiments/{experiment_id}/baseline",
    policy=policy.editor(OF_EXPERIMENT),
    raises=(errors.RunElsewhere,),
)
async def set_baseline(request: Request, experiment_id: UUID, body: NewBaseline) -> Baseline:
    """Compare the runs of an experiment with one of them."""
    return await operations.set_baseline(
        request_database(request), request[PRINCIPAL], experiment_id, body
    )


@routes.delete("/api/v1/experiments/{experiment_id}/baseline", policy=policy.editor(OF_EXPERIMENT))
async def clear_baseline(request: Request, experiment_id: UUID) -> None:
    """Let an experiment have no baseline."""
    await operations.clear_baseline(request_database(request), experiment_id)

"""/api/v1/projects/{project_id}/comparisons and /api/v1/comparisons/{comparison_id}"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.idempotency import request_database
from servicekit.identity import PRINCIPAL
from servicekit.pagination import Page
from servicekit.problems import InvalidCursor, PreconditionFailed
from servicekit.routing import Routes

from comparison_service import errors
from comparison_service.models.saved import (
    Comparison,
    ComparisonChange,
    ComparisonQuery,
    NewComparison,
)
from comparison_service.operations import saved as operations
from comparison_service.queries.saved import select_comparison_project

routes = Routes("comparisons")

OF_COMPARISON = policy.row("comparison_id", select_comparison_project)


@routes.get(
    "/api/v1/projects/{project_id}/comparisons", policy=policy.viewer(), raises=(InvalidCursor,)
)
async def list_comparisons(
    request: Request, project_id: UUID, query: ComparisonQuery
) -> Page[Comparison]:
    """List a project's saved comparisons, the newest first."""
    return await operations.list_comparisons(request_database(request), project_id, query)


@routes.post(
    "/api/v1/projects/{project_id}/comparisons",
    policy=policy.editor(),
    raises=(errors.LimitExceeded,),
    idempotent=True,
)
async def save_comparison(request: Request, project_id: UUID, body: NewComparison) -> Comparison:
    """Save a comparison."""
    return await operations.create_comparison(
        request_database(request), request[PRINCIPAL], project_id, body
    )


@routes.get("/api/v1/comparisons/{comparison_id}", policy=policy.viewer(OF_COMPARISON))
async def get_comparison(request: Request, comparison_id: UUID) -> Comparison:
    """Read a saved comparison."""
    return await operations.get_comparison(request_database(request), comparison_id)


@routes.patch(
    "/api/v1/comparisons/{comparison_id}",
    policy=policy.editor(OF_COMPARISON),
    raises=(PreconditionFailed,),
)
async def change_comparison(
    request: Request, comparison_id: UUID, body: ComparisonChange, if_match: int | None
) -> Comparison:
    """Change a saved comparison."""
    return await operations.change_comparison(
        request_database(request), request[PRINCIPAL], comparison_id, body, if_match=if_match
    )


@routes.delete("/api/v1/comparisons/{comparison_id}", policy=policy.editor(OF_COMPARISON))
async def delete_comparison(request: Request, comparison_id: UUID) -> None:
    """Delete a saved comparison; the runs stay."""
    await operations.remove_comparison(request_database(request), comparison_id)

"""/api/v1/projects/{project_id}/runs/fields"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.idempotency import request_database
from servicekit.problems import Invalid
from servicekit.routing import Routes

from experiment_service.models.fields import FieldsQuery, FieldValues, RunFields, ValuesQuery
from experiment_service.operations import fields as operations

routes = Routes("runs")


@routes.get("/api/v1/projects/{project_id}/runs/fields", policy=policy.viewer())
async def list_fields(request: Request, project_id: UUID, query: FieldsQuery) -> RunFields:
    """List what a project's runs can be searched, sorted and grouped by."""
    return await operations.list_fields(request_database(request), project_id, query)


@routes.get(
    "/api/v1/projects/{project_id}/runs/fields/values",
    policy=policy.viewer(),
    raises=(Invalid,),
)
async def list_field_values(request: Request, project_id: UUID, query: ValuesQuery) -> FieldValues:
    """List values that a field has among a project's runs, the most frequent first."""
    return await operations.list_values(request_database(request), project_id, query)

"""/api/v1/projects/{project_id}/telemetry/set-aside, /api/v1/telemetry/set-aside/{id}"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.identity import ACCESS
from servicekit.pagination import Page
from servicekit.problems import InvalidCursor
from servicekit.routing import Routes

from telemetry_ingest_service.errors import StillNotStorable
from telemetry_ingest_service.jobs.writer import WAKEUPS
from telemetry_ingest_service.models.set_aside import SetAside, SetAsideQuery, StoredAfterAll
from telemetry_ingest_service.operations import set_aside as operations
from telemetry_ingest_service.queries.set_aside import select_project_of_set_aside

routes = Routes("telemetry")

OF_BATCH = policy.row("set_aside_id", select_project_of_set_aside)


@routes.get(
    "/api/v1/projects/{project_id}/telemetry/set-aside",
    policy=policy.viewer(),
    raises=(InvalidCursor,),
)
async def list_set_aside(
    request: Request, project_id: UUID, query: SetAsideQuery
) -> Page[SetAside]:
    """List the batches of a project's sensors that were taken but cannot be stored, the last first.

    They stop nothing, and are kept until somebody stores them after all or discards them.
    """
    return await operations.list_set_aside(request.app[DATABASE], project_id, query)


@routes.post(
    "/api/v1/telemetry/set-aside/{set_aside_id}/retry",
    policy=policy.editor(OF_BATCH),
    raises=(StillNotStorable,),
    status=200,
)
async def retry_set_aside(request: Request, set_aside_id: UUID) -> StoredAfterAll:
    """Store a batch that was set aside, once what was in its way is gone."""
    sensor_id, answer = await operations.store_after_all(request.app[DATABASE], set_aside_id)
    request.app[WAKEUPS].announce(sensor_id)
    return answer


@routes.delete("/api/v1/telemetry/set-aside/{set_aside_id}", policy=policy.owner(OF_BATCH))
async def discard_set_aside(request: Request, set_aside_id: UUID) -> None:
    """Throw away a batch that was set aside: its readings are gone for good."""
    await operations.discard(request.app[DATABASE], request[ACCESS].project_id, set_aside_id)

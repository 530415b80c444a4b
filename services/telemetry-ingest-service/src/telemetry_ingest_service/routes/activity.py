"""GET /api/v1/sensors/{sensor_id}/errors and …/heartbeats"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.routing import Routes

from telemetry_ingest_service.models.activity import HeartbeatQuery, Heartbeats, SensorErrors
from telemetry_ingest_service.operations import activity as operations
from telemetry_ingest_service.queries.sensors import select_sensor_projects

routes = Routes("telemetry")

OF_SENSOR = policy.rows("sensor_id", select_sensor_projects)


@routes.get("/api/v1/sensors/{sensor_id}/errors", policy=policy.viewer(OF_SENSOR))
async def list_sensor_errors(request: Request, sensor_id: UUID) -> SensorErrors:
    """What a sensor sent and was refused: the last 200 kinds of mistakes, minute by minute."""
    return await operations.list_errors(request.app[DATABASE], sensor_id)


@routes.get("/api/v1/sensors/{sensor_id}/heartbeats", policy=policy.viewer(OF_SENSOR))
async def list_sensor_heartbeats(
    request: Request, sensor_id: UUID, query: HeartbeatQuery
) -> Heartbeats:
    """The minutes in which a sensor sent: how much, and how late it came; a week at most."""
    return await operations.list_heartbeats(request.app[DATABASE], sensor_id, query)

"""/api/v1/sensors/{sensor_id}/watches"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.idempotency import request_database
from servicekit.identity import PRINCIPAL
from servicekit.pagination import Page, PageQuery
from servicekit.problems import Invalid, InvalidCursor, NotFound
from servicekit.routing import Routes

from experiment_service import errors
from experiment_service.models.sensor_watches import NewSensorWatch, SensorWatch
from experiment_service.operations import sensor_watches as operations
from experiment_service.routes.sensors import OF_SENSOR

routes = Routes("sensors")


@routes.get(
    "/api/v1/sensors/{sensor_id}/watches", policy=policy.viewer(OF_SENSOR), raises=(InvalidCursor,)
)
async def list_sensor_watches(
    request: Request, sensor_id: UUID, query: PageQuery
) -> Page[SensorWatch]:
    """List the limits that are set on a sensor's signals."""
    return await operations.list_sensor_watches(request_database(request), sensor_id, query)


@routes.post(
    "/api/v1/sensors/{sensor_id}/watches",
    policy=policy.editor(OF_SENSOR),
    raises=(Invalid, errors.LimitExceeded),
    idempotent=True,
)
async def create_sensor_watch(
    request: Request, sensor_id: UUID, body: NewSensorWatch
) -> SensorWatch:
    """Set a limit on a signal; whoever sees the sensor can be told when a reading crosses it."""
    return await operations.add_sensor_watch(
        request_database(request), request[PRINCIPAL], sensor_id, body
    )


@routes.delete(
    "/api/v1/sensors/{sensor_id}/watches/{sensor_watch_id}",
    policy=policy.editor(OF_SENSOR),
    raises=(NotFound,),
)
async def delete_sensor_watch(request: Request, sensor_id: UUID, sensor_watch_id: UUID) -> None:
    """Forget a limit."""
    await operations.remove_sensor_watch(request_database(request), sensor_id, sensor_watch_id)

"""/api/v1/runs/{run_id}/sensors"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.idempotency import request_database
from servicekit.identity import ACCESS, PRINCIPAL
from servicekit.pagination import Page
from servicekit.routing import Routes

from experiment_service import errors
from experiment_service.models.sensors import Sensor
from experiment_service.operations import run_sensors as operations
from experiment_service.routes.runs import OF_RUN

routes = Routes("runs")


@routes.get("/api/v1/runs/{run_id}/sensors", policy=policy.viewer(OF_RUN))
async def list_run_sensors(request: Request, run_id: UUID) -> Page[Sensor]:
    """List the sensors that a run's capture sessions record unless they name others."""
    return await operations.list_run_sensors(request_database(request), run_id)


@routes.put(
    "/api/v1/runs/{run_id}/sensors/{sensor_id}",
    policy=policy.editor(OF_RUN),
    raises=(errors.SensorDecommissioned, errors.RunArchived, errors.LimitExceeded),
)
async def attach_sensor(request: Request, run_id: UUID, sensor_id: UUID) -> Sensor:
    """Attach a sensor to a run."""
    return await operations.attach_sensor(
        request_database(request),
        request[PRINCIPAL],
        run_id,
        request[ACCESS].project_id,
        sensor_id,
    )


@routes.delete(
    "/api/v1/runs/{run_id}/sensors/{sensor_id}",
    policy=policy.editor(OF_RUN),
    raises=(errors.RunArchived,),
)
async def detach_sensor(request: Request, run_id: UUID, sensor_id: UUID) -> None:
    """Detach a sensor from a run."""
    await operations.detach_sensor(
        request_database(request), run_id, request[ACCESS].project_id, sensor_id
    )

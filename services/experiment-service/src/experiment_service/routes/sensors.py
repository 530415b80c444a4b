"""/api/v1/projects/{project_id}/sensors and /api/v1/sensors/{sensor_id}"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.application import IDENTITY
from servicekit.idempotency import request_database
from servicekit.identity import PRINCIPAL, Access
from servicekit.pagination import Page
from servicekit.problems import (
    Forbidden,
    Invalid,
    InvalidCursor,
    PreconditionFailed,
    ProjectArchived,
)
from servicekit.routing import Routes

from experiment_service import errors
from experiment_service.models.sensors import (
    NewSensor,
    NewSignal,
    RegisteredSensor,
    Sensor,
    SensorChange,
    SensorQuery,
    SignalChange,
)
from experiment_service.operations import sensor_reading
from experiment_service.operations import sensors as operations
from experiment_service.queries.sensors import select_sensor_projects

routes = Routes("sensors")

OF_SENSOR = policy.rows("sensor_id", select_sensor_projects)


@routes.post(
    "/api/v1/projects/{project_id}/sensors",
    policy=policy.editor(),
    raises=(errors.SensorNameTaken, errors.LimitExceeded),
    idempotent=True,
)
async def create_sensor(request: Request, project_id: UUID, body: NewSensor) -> RegisteredSensor:
    """Register a sensor; the answer shows its token, once."""
    return await operations.create_sensor(
        request_database(request), request[PRINCIPAL], project_id, body
    )


@routes.get(
    "/api/v1/projects/{project_id}/sensors", policy=policy.viewer(), raises=(InvalidCursor,)
)
async def list_sensors(request: Request, project_id: UUID, query: SensorQuery) -> Page[Sensor]:
    """List the sensors of a project and those that are shared with it."""
    return await sensor_reading.list_sensors(request_database(request), project_id, query)


@routes.get("/api/v1/sensors/{sensor_id}", policy=policy.viewer(OF_SENSOR))
async def get_sensor(request: Request, sensor_id: UUID) -> Sensor:
    """Read a sensor."""
    return await sensor_reading.get_sensor(request_database(request), sensor_id)


@routes.patch(
    "/api/v1/sensors/{sensor_id}",
    policy=policy.editor(OF_SENSOR),
    raises=(
        errors.SensorDecommissioned,
        errors.SensorNameTaken,
        errors.LimitExceeded,
        PreconditionFailed,
    ),
)
async def change_sensor(
    request: Request, sensor_id: UUID, body: SensorChange, if_match: int | None
) -> Sensor:
    """Change a sensor; tags are merged."""
    return await operations.change_sensor(
        request_database(request), sensor_id, body, if_match=if_match
    )


@routes.delete(
    "/api/v1/sensors/{sensor_id}",
    policy=policy.editor(OF_SENSOR),
    raises=(errors.SensorInUse,),
)
async def decommission_sensor(request: Request, sensor_id: UUID) -> None:
    """Take a sensor out of use for good.

    Its tokens end and its name is free again; its readings stay. Not while a capture session
    is recording it.
    """
    await operations.decommission_sensor(request_database(request), sensor_id)


@routes.post(
    "/api/v1/sensors/{sensor_id}/signals",
    policy=policy.editor(OF_SENSOR),
    raises=(errors.SignalNameTaken, errors.SensorDecommissioned, errors.LimitExceeded),
    idempotent=True,
)
async def add_signal(request: Request, sensor_id: UUID, body: NewSignal) -> Sensor:
    """Add a signal to a sensor."""
    return await operations.add_signal(request_database(request), sensor_id, body)


@routes.patch(
    "/api/v1/sensors/{sensor_id}/signals/{signal}",
    policy=policy.editor(OF_SENSOR),
    raises=(errors.SensorDecommissioned,),
)
async def change_signal(
    request: Request, sensor_id: UUID, signal: str, body: SignalChange
) -> Sensor:
    """Change a signal's title, units or expected rate; its name stays."""
    return await operations.change_signal(request_database(request), sensor_id, signal, body)


@routes.delete(
    "/api/v1/sensors/{sensor_id}/signals/{signal}",
    policy=policy.editor(OF_SENSOR),
    raises=(errors.SensorDecommissioned, errors.SignalInUse),
)
async def remove_signal(request: Request, sensor_id: UUID, signal: str) -> None:
    """Remove a signal, while the sensor has sent no readings."""
    await operations.remove_signal(request_database(request), sensor_id, signal)


@routes.put(
    "/api/v1/sensors/{sensor_id}/projects/{project_id}",
    policy=policy.editor(OF_SENSOR),
    raises=(
        Forbidden,
        Invalid,
        ProjectArchived,
        errors.SensorDecommissioned,
        errors.LimitExceeded,
    ),
)
async def share_sensor(request: Request, sensor_id: UUID, project_id: UUID) -> Sensor:
    """Share a sensor with another project, in which one is an editor too."""

    async def access_to(other: UUID) -> Access | None:
        return await request.app[IDENTITY].access(request, request[PRINCIPAL], other)

    return await operations.share_sensor(
        request_database(request), request[PRINCIPAL], sensor_id, project_id, access_to
    )


@routes.delete(
    "/api/v1/sensors/{sensor_id}/projects/{project_id}",
    policy=policy.editor(OF_SENSOR),
    raises=(errors.SensorInUse,),
)
async def unshare_sensor(request: Request, sensor_id: UUID, project_id: UUID) -> None:
    """End the sharing of a sensor with a project; what its runs recorded stays theirs."""
    await operations.unshare_sensor(request_database(request), sensor_id, project_id)

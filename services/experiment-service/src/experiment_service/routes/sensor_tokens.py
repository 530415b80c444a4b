"""/api/v1/sensors/{sensor_id}/tokens"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.idempotency import request_database
from servicekit.identity import PRINCIPAL
from servicekit.pagination import Page, PageQuery
from servicekit.problems import InvalidCursor
from servicekit.routing import Routes

from experiment_service import errors
from experiment_service.models.sensor_tokens import RotatedToken, Rotation, SensorToken
from experiment_service.operations import sensor_tokens as operations
from experiment_service.routes.sensors import OF_SENSOR

routes = Routes("sensors")


@routes.get(
    "/api/v1/sensors/{sensor_id}/tokens", policy=policy.viewer(OF_SENSOR), raises=(InvalidCursor,)
)
async def list_sensor_tokens(
    request: Request, sensor_id: UUID, query: PageQuery
) -> Page[SensorToken]:
    """List a sensor's tokens, the newest first, without their secrets."""
    return await operations.list_tokens(request_database(request), sensor_id, query)


@routes.post(
    "/api/v1/sensors/{sensor_id}/tokens",
    policy=policy.editor(OF_SENSOR),
    raises=(errors.SensorDecommissioned,),
    idempotent=True,
)
async def rotate_sensor_token(request: Request, sensor_id: UUID, body: Rotation) -> RotatedToken:
    """Give a sensor a new token, which the answer shows once.

    Those before stay valid for the grace, and no longer than they had been anyway.
    """
    return await operations.rotate_token(
        request_database(request), request[PRINCIPAL], sensor_id, body
    )


@routes.delete("/api/v1/sensors/{sensor_id}/tokens/{token_id}", policy=policy.editor(OF_SENSOR))
async def revoke_sensor_token(request: Request, sensor_id: UUID, token_id: UUID) -> None:
    """End a token at once."""
    await operations.revoke_token(request_database(request), sensor_id, token_id)

"""/api/v1/sensors/{sensor_id}/profiles and /api/v1/profiles/{profile_id}"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.idempotency import request_database
from servicekit.identity import PRINCIPAL
from servicekit.pagination import Page
from servicekit.problems import Invalid, InvalidCursor, PreconditionFailed
from servicekit.routing import Routes

from experiment_service import errors
from experiment_service.models.profiles import (
    Calculation,
    ConversionProfile,
    ConversionProfileChange,
    Converted,
    NewConversionProfile,
    ProfileQuery,
    Publication,
)
from experiment_service.operations import conversion
from experiment_service.operations import profiles as operations
from experiment_service.queries.profiles import select_profile_projects
from experiment_service.routes.sensors import OF_SENSOR

routes = Routes("profiles")

OF_PROFILE = policy.rows("profile_id", select_profile_projects)


@routes.post(
    "/api/v1/sensors/{sensor_id}/profiles",
    policy=policy.editor(OF_SENSOR),
    raises=(Invalid, errors.LimitExceeded),
    idempotent=True,
)
async def create_profile(
    request: Request, sensor_id: UUID, body: NewConversionProfile
) -> ConversionProfile:
    """Draft a conversion profile of a sensor's signal."""
    return await operations.create_profile(
        request_database(request), request[PRINCIPAL], sensor_id, body
    )


@routes.get(
    "/api/v1/sensors/{sensor_id}/profiles",
    policy=policy.viewer(OF_SENSOR),
    raises=(InvalidCursor,),
)
async def list_profiles(
    request: Request, sensor_id: UUID, query: ProfileQuery
) -> Page[ConversionProfile]:
    """List a sensor's conversion profiles, the newest first."""
    return await operations.list_profiles(request_database(request), sensor_id, query)


@routes.post("/api/v1/profiles/convert", policy=policy.signed_in(), raises=(Invalid,), status=200)
async def convert_values(
    request: Request,  # noqa: ARG001 - the signature of a handler
    body: Calculation,
) -> Converted:
    """Show what a profile makes of raw values; it need not be stored."""
    return conversion.convert_values(body)


@routes.get("/api/v1/profiles/{profile_id}", policy=policy.viewer(OF_PROFILE))
async def get_profile(request: Request, profile_id: UUID) -> ConversionProfile:
    """Read a conversion profile."""
    return await operations.get_profile(request_database(request), profile_id)


@routes.patch(
    "/api/v1/profiles/{profile_id}",
    policy=policy.editor(OF_PROFILE),
    raises=(errors.ProfilePublished, Invalid, PreconditionFailed),
)
async def change_profile(
    request: Request, profile_id: UUID, body: ConversionProfileChange, if_match: int | None
) -> ConversionProfile:
    """Change a draft; `parameters` are replaced as a whole."""
    return await operations.change_profile(
        request_database(request), profile_id, body, if_match=if_match
    )


@routes.delete(
    "/api/v1/profiles/{profile_id}",
    policy=policy.editor(OF_PROFILE),
    raises=(errors.ProfilePublished,),
)
async def delete_profile(request: Request, profile_id: UUID) -> None:
    """Delete a draft."""
    await operations.delete_profile(request_database(request), profile_id)


@routes.post(
    "/api/v1/profiles/{profile_id}/publish",
    policy=policy.editor(OF_PROFILE),
    raises=(errors.ProfilePublished, errors.ProfileTimeTaken, Invalid),
    status=200,
)
async def publish_profile(
    request: Request, profile_id: UUID, body: Publication
) -> ConversionProfile:
    """Publish a draft from a moment on; the profile that is valid then ends there."""
    return await operations.publish_profile(
        request_database(request), request[PRINCIPAL], profile_id, body
    )


@routes.post(
    "/api/v1/profiles/{profile_id}/retire",
    policy=policy.editor(OF_PROFILE),
    raises=(errors.ProfileNotPublished,),
    status=200,
)
async def retire_profile(request: Request, profile_id: UUID) -> ConversionProfile:
    """End an active profile now, or take back one that is scheduled."""
    return await operations.retire_profile(request_database(request), profile_id)

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
    NewProfile,
    Profile,
    ProfileChange,
    ProfileQuery,
    Publication,
)
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
async def create_profile(request: Request, sensor_id: UUID, body: NewProfile) -> Profile:
    """Draft a conversion profile of a sensor's signal."""
    return await operations.create_profile(
        request_database(request), request[PRINCIPAL], sensor_id, body
    )


@routes.get(
    "/api/v1/sensors/{sensor_id}/profiles",
    policy=policy.viewer(OF_SENSOR),
    raises=(InvalidCursor,),
)
async def list_profiles(request: Request, sensor_id: UUID, query: ProfileQuery) -> Page[Profile]:
    """List a sensor's conversion profiles, the newest first."""
    return await operations.list_profiles(request_database(request), sensor_id, query)


@routes.get("/api/v1/profiles/{profile_id}", policy=policy.viewer(OF_PROFILE))
async def get_profile(request: Request, profile_id: UUID) -> Profile:
    """Read a conversion profile."""
    return await operations.get_profile(request_database(request), profile_id)


@routes.patch(
    "/api/v1/profiles/{profile_id}",
    policy=policy.editor(OF_PROFILE),
    raises=(errors.ProfilePublished, Invalid, PreconditionFailed),
)
async def change_profile(
    request: Request, profile_id: UUID, body: ProfileChange, if_match: int | None
) -> Profile:
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
async def publish_profile(request: Request, profile_id: UUID, body: Publication) -> Profile:
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
async def retire_profile(request: Request, profile_id: UUID) -> Profile:
    """End an active profile now, or take back one that is scheduled."""
    return await operations.retire_profile(request_database(request), profile_id)

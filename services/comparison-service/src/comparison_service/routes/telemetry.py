"""POST /api/v1/comparisons/telemetry"""

from aiohttp.web import Request
from servicekit import policy
from servicekit.problems import NotFound, Unavailable
from servicekit.routing import Routes

from comparison_service.models.telemetry import ComparedTelemetry, TelemetryComparison
from comparison_service.operations import telemetry as operations
from comparison_service.routes.runs import reading_of

routes = Routes("comparisons")


@routes.post(
    "/api/v1/comparisons/telemetry",
    policy=policy.signed_in(),
    raises=(NotFound, Unavailable),
    status=200,
    limit="costly",
)
async def compare_telemetry(request: Request, body: TelemetryComparison) -> ComparedTelemetry:
    """Lay readings of capture sessions over each other, from their starts or from events on."""
    return await operations.compare_telemetry(reading_of(request), body)

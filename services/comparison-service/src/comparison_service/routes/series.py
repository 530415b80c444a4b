"""POST /api/v1/comparisons/series, /api/v1/comparisons/correlations"""

from aiohttp.web import Request
from servicekit import policy
from servicekit.problems import NotFound, Unavailable
from servicekit.routing import Routes

from comparison_service import errors
from comparison_service.models.correlations import Correlations, CorrelationsQuery
from comparison_service.models.series import ComparedSeries, SeriesComparison
from comparison_service.operations.correlations import correlate
from comparison_service.operations.series import compare_series as compare
from comparison_service.routes.runs import reading_of

routes = Routes("comparisons")

RAISES = (NotFound, Unavailable, errors.TooMuchToCompare)


@routes.post(
    "/api/v1/comparisons/series",
    policy=policy.signed_in(),
    raises=RAISES,
    status=200,
    limit="costly",
)
async def compare_series(request: Request, body: SeriesComparison) -> ComparedSeries:
    """Lay metrics of runs over each other, with statistics over groups of runs."""
    return await compare(reading_of(request), body)


@routes.post(
    "/api/v1/comparisons/correlations",
    policy=policy.signed_in(),
    raises=RAISES,
    status=200,
    limit="costly",
)
async def correlate_params(request: Request, body: CorrelationsQuery) -> Correlations:
    """Say how the params of runs go with a metric."""
    return await correlate(reading_of(request), body)

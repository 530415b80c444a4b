"""GET /api/v1/metrics/buckets"""

from aiohttp.web import Request
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.problems import NotFound
from servicekit.routing import Routes

from metrics_service.models.series import BucketQuery, BucketsList
from metrics_service.operations import buckets as operations
from metrics_service.routes.series import may_read

routes = Routes("metrics")


@routes.get("/api/v1/metrics/buckets", policy=policy.signed_in(), raises=(NotFound,))
async def read_buckets(request: Request, query: BucketQuery) -> BucketsList:
    """Read least, greatest, mean and count of series by intervals that all runs share."""
    return await operations.read_buckets(request.app[DATABASE], query, may_read(request))

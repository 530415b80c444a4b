"""GET /api/v1/telemetry/buckets, POST /api/v1/telemetry/statistics"""

from aiohttp.web import Request
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.problems import Invalid, NotFound
from servicekit.routing import Routes

from telemetry_ingest_service.models.buckets import BucketQuery, SignalBucketsList
from telemetry_ingest_service.models.statistics import SignalStatisticsList, StatisticsQuery
from telemetry_ingest_service.operations import buckets as operations
from telemetry_ingest_service.operations import statistics
from telemetry_ingest_service.routes.series import may_read

routes = Routes("telemetry")


@routes.get("/api/v1/telemetry/buckets", policy=policy.signed_in(), raises=(NotFound, Invalid))
async def read_telemetry_buckets(request: Request, query: BucketQuery) -> SignalBucketsList:
    """Read least, greatest, mean and count of signals by intervals that all of them share.

    Physical figures are those of the converted readings. By a linear profile they are worked out
    from the raw ones; by any other, every reading is converted, of which there may be 2,000,000
    in all.
    """
    return await operations.read_buckets(request.app[DATABASE], query, may_read(request))


@routes.post(
    "/api/v1/telemetry/statistics",
    policy=policy.signed_in(),
    raises=(NotFound,),
    status=200,
    limit="inside",
)
async def read_telemetry_statistics(
    request: Request, body: StatisticsQuery
) -> SignalStatisticsList:
    """Read mean, deviation and percentiles of signals over all that capture sessions hold."""
    return await statistics.read_statistics(request.app[DATABASE], body, may_read(request))

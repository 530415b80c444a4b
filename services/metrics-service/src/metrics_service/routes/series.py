"""Reading what was logged: /api/v1/runs/{run_id}/metrics, /api/v1/metrics/series"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.application import IDENTITY
from servicekit.database import DATABASE
from servicekit.identity import PRINCIPAL
from servicekit.pagination import Page
from servicekit.problems import NotFound
from servicekit.routing import Routes

from metrics_service.models.aligned import AlignedMetrics, AlignedQuery
from metrics_service.models.series import (
    Metric,
    MetricQuery,
    RunMetricList,
    RunSeriesList,
    RunSeriesQuery,
    SeriesList,
    SeriesQuery,
    SummaryQuery,
)
from metrics_service.models.statistics import MetricStatisticsList, StatisticsQuery
from metrics_service.operations import aligned, statistics
from metrics_service.operations import series as operations
from metrics_service.operations.access import OF_RUN

routes = Routes("metrics")


@routes.get("/api/v1/runs/{run_id}/metrics", policy=policy.viewer(OF_RUN))
async def list_metrics(request: Request, run_id: UUID, query: MetricQuery) -> Page[Metric]:
    """List a run's metrics by key, each with its first, last, lowest and highest value."""
    return await operations.list_metrics(request.app[DATABASE], run_id, query)


@routes.get("/api/v1/runs/{run_id}/metrics/series", policy=policy.viewer(OF_RUN))
async def read_series(request: Request, run_id: UUID, query: SeriesQuery) -> SeriesList:
    """Read series of one run, as finely as a picture shows them."""
    return await operations.read_series(request.app[DATABASE], run_id, query)


@routes.get("/api/v1/metrics/series", policy=policy.signed_in(), raises=(NotFound,))
async def read_series_of_runs(request: Request, query: RunSeriesQuery) -> RunSeriesList:
    """Read series of several runs at once, of any projects that the caller sees."""
    return await operations.read_series_of_runs(request.app[DATABASE], query, may_read(request))


@routes.post(
    "/api/v1/metrics/summaries",
    policy=policy.signed_in(),
    raises=(NotFound,),
    status=200,
    limit="inside",
)
async def sum_up_runs(request: Request, body: SummaryQuery) -> RunMetricList:
    """Read the metrics of several runs, each summed up, of any projects that the caller sees."""
    return await operations.sum_up_runs(request.app[DATABASE], body, may_read(request))


@routes.post(
    "/api/v1/metrics/aligned",
    policy=policy.signed_in(),
    raises=(NotFound,),
    status=200,
    limit="inside",
)
async def read_aligned_metrics(request: Request, body: AlignedQuery) -> AlignedMetrics:
    """Read metrics of several runs on one grid each, of any projects that the caller sees."""
    return await aligned.read_aligned_metrics(request.app[DATABASE], body, may_read(request))


@routes.post(
    "/api/v1/metrics/statistics",
    policy=policy.signed_in(),
    raises=(NotFound,),
    status=200,
    limit="inside",
)
async def read_statistics(request: Request, body: StatisticsQuery) -> MetricStatisticsList:
    """Read mean, deviation and percentiles of metrics of several runs, over all their values."""
    return await statistics.read_statistics(request.app[DATABASE], body, may_read(request))


def may_read(request: Request) -> operations.MayRead:
    """Whether the caller of a request sees a project."""
    identity, principal = request.app[IDENTITY], request[PRINCIPAL]

    async def ask(project_id: UUID) -> bool:
        return await identity.access(request, principal, project_id) is not None

    return ask

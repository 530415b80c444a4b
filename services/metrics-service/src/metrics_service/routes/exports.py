"""GET /api/v1/runs/{run_id}/metrics/export"""

from uuid import UUID

from aiohttp.web import Request, StreamResponse
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.files import stream_file
from servicekit.identity import ACCESS
from servicekit.problems import Unavailable
from servicekit.routing import Routes

from metrics_service.models.series import ExportQuery
from metrics_service.operations.access import OF_RUN
from metrics_service.operations.exports import export_metrics

routes = Routes("metrics")

_TYPES = {
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "csv": "text/csv; charset=utf-8",
}


@routes.get(
    "/api/v1/runs/{run_id}/metrics/export",
    policy=policy.viewer(OF_RUN),
    raises=(Unavailable,),
    sends=tuple(_TYPES.values()),
    limit="costly",
)
async def export_run(request: Request, run_id: UUID, query: ExportQuery) -> StreamResponse:
    """Export every point of a run's metrics (key, step, value, time), as a file that is streamed.

    Values are exact in every form. A file that breaks off is not complete: the connection ends
    without its last piece.
    """
    project_id = request[ACCESS].project_id
    async with export_metrics(request.app[DATABASE], project_id, run_id, query) as pieces:
        return await stream_file(
            request,
            pieces,
            content_type=_TYPES[query.format],
            name=f"{run_id}.{query.format}",
        )

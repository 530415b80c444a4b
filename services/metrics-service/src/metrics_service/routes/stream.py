"""GET /api/v1/runs/{run_id}/metrics/stream"""

from functools import partial
from uuid import UUID

from aiohttp.web import Request, StreamResponse
from servicekit import policy
from servicekit.application import IDENTITY
from servicekit.database import DATABASE
from servicekit.routing import Routes
from servicekit.sse import event_stream

from metrics_service.jobs.feeds import FEEDS, follow
from metrics_service.models.series import StreamQuery
from metrics_service.operations.access import OF_RUN
from metrics_service.operations.live import first_position

routes = Routes("metrics")

VIEWERS = policy.viewer(OF_RUN)


@routes.get("/api/v1/runs/{run_id}/metrics/stream", policy=VIEWERS, streams=True)
async def stream_metrics(request: Request, run_id: UUID, query: StreamQuery) -> StreamResponse:
    """Follow a run: a `metrics` event for what is logged, a `run` event when it ends.

    Each `metrics` event's id says how far the run was sent; with `Last-Event-ID` or `after`
    the stream goes on exactly there. A run that has ended before is told at once, after what
    it logged; `run` comes again if an interrupted run goes on.
    """
    database = request.app[DATABASE]
    said = request.headers.get("Last-Event-ID") or query.after
    position = await first_position(database, run_id, said)
    admit = partial(VIEWERS.admit, request, request.app[IDENTITY], {"run_id": run_id})
    async with (
        request.app[FEEDS].watch(database, run_id) as feed,
        event_stream(request) as (response, stream),
    ):
        await follow(database, feed, stream, position=position, admit=admit)
    return response

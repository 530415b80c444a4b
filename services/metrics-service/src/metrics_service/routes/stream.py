"""GET /api/v1/runs/{run_id}/metrics/stream, GET /api/v1/metrics/stream"""

from functools import partial
from uuid import UUID

from aiohttp.web import Request, StreamResponse
from servicekit import policy
from servicekit.application import IDENTITY
from servicekit.database import DATABASE
from servicekit.problems import NotFound
from servicekit.routing import Routes
from servicekit.sse import event_stream

from metrics_service.jobs.feeds import FEEDS, follow
from metrics_service.jobs.viewers import RunsViewer, RunViewer
from metrics_service.models.series import RunsStreamQuery, StreamQuery
from metrics_service.operations.access import OF_RUN
from metrics_service.operations.live import first_places, first_position
from metrics_service.operations.series import admit_runs
from metrics_service.routes.series import may_read

routes = Routes("metrics")

VIEWERS = policy.viewer(OF_RUN)
SIGNED_IN = policy.signed_in()


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
        request.app[FEEDS].watch(database, [run_id]) as watching,
        event_stream(request) as (response, stream),
    ):
        await follow(database, watching, RunViewer(stream, position), admit)
    return response


@routes.get("/api/v1/metrics/stream", policy=SIGNED_IN, raises=(NotFound,), streams=True)
async def stream_metrics_of_runs(request: Request, query: RunsStreamQuery) -> StreamResponse:
    """Follow several runs on one connection: `metrics` and `run` events that name their run.

    Each `metrics` event's id says how far all runs were sent; with `Last-Event-ID` or `after` the
    stream of the same runs goes on exactly there.
    """
    database = request.app[DATABASE]
    run_ids = await admit_runs(database, query.run_id, may_read(request))
    said = request.headers.get("Last-Event-ID") or query.after
    places = await first_places(database, run_ids, said)
    keys = frozenset(query.key) if query.key else None

    async def admit() -> None:
        await SIGNED_IN.admit(request, request.app[IDENTITY], {})
        await admit_runs(database, run_ids, may_read(request))

    async with (
        request.app[FEEDS].watch(database, run_ids) as watching,
        event_stream(request) as (response, stream),
    ):
        await follow(database, watching, RunsViewer(stream, places, keys), admit)
    return response

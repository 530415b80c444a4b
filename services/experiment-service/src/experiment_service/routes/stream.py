"""GET /api/v1/projects/{project_id}/runs/stream"""

from functools import partial
from uuid import UUID

from aiohttp.web import Request, StreamResponse
from pydantic import Field
from servicekit import policy
from servicekit.application import IDENTITY
from servicekit.database import DATABASE
from servicekit.fields import Query
from servicekit.problems import Malformed
from servicekit.routing import Routes
from servicekit.sse import event_stream

from experiment_service.jobs.feeds import FEEDS, follow
from experiment_service.models.changes import Place

routes = Routes("runs")

VIEWERS = policy.viewer()


class StreamQuery(Query):
    """Where to go on."""

    after: str | None = Field(
        default=None, max_length=100, description="As Last-Event-ID, for a first connection."
    )


@routes.get(
    "/api/v1/projects/{project_id}/runs/stream",
    policy=VIEWERS,
    raises=(Malformed,),
    streams=True,
)
async def stream_runs(request: Request, project_id: UUID, query: StreamQuery) -> StreamResponse:
    """Follow a project's runs: a `run` event with each run that changes, as it is then.

    With `Last-Event-ID` or `after` the stream goes on where it was. A new one begins with
    `ready` and with what changed in the last ten seconds, so that nothing falls between it
    and a list read just before. Events without an id tell new metrics of a running run.
    """
    last = request.headers.get("Last-Event-ID") or query.after
    after = Place.parse(last) if last else None
    database = request.app[DATABASE]
    admit = partial(VIEWERS.admit, request, request.app[IDENTITY], {"project_id": project_id})
    async with (
        request.app[FEEDS].watch(database, project_id) as feed,
        event_stream(request) as (response, stream),
    ):
        await follow(database, feed, stream, after=after, admit=admit)
    return response

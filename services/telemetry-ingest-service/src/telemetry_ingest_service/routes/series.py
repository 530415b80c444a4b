"""/api/v1/telemetry/series, latest, stream, export; /api/v1/capture-sessions/{id}/telemetry"""

from uuid import UUID

from aiohttp.web import Request, StreamResponse
from servicekit import policy
from servicekit.application import IDENTITY
from servicekit.database import DATABASE
from servicekit.files import stream_file
from servicekit.identity import ACCESS, PRINCIPAL
from servicekit.problems import NotFound, Unavailable
from servicekit.routing import Routes
from servicekit.sse import event_stream

from telemetry_ingest_service.jobs.feeds import FEEDS
from telemetry_ingest_service.jobs.viewers import follow
from telemetry_ingest_service.models.series import (
    ContentsList,
    ExportQuery,
    LatestList,
    LatestQuery,
    SeriesQuery,
    SessionExportQuery,
    SessionQuery,
    SignalSeriesList,
    StreamQuery,
)
from telemetry_ingest_service.operations import series as operations
from telemetry_ingest_service.operations.exports import export_sensors, export_session
from telemetry_ingest_service.operations.live import first_places
from telemetry_ingest_service.queries.reading import select_window_project

routes = Routes("telemetry")

SIGNED_IN = policy.signed_in()
OF_SESSION = policy.row("capture_session_id", select_window_project)

_TYPES = {
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "csv": "text/csv; charset=utf-8",
}


@routes.get("/api/v1/telemetry/series", policy=SIGNED_IN, raises=(NotFound,))
async def read_telemetry(request: Request, query: SeriesQuery) -> SignalSeriesList:
    """Read signals of sensors, as finely as a picture shows them, raw, physical or both.

    Physical values are worked out by the profile that held when each reading was taken.
    """
    return await operations.read_series(request.app[DATABASE], query, may_read(request))


@routes.get("/api/v1/telemetry/latest", policy=SIGNED_IN, raises=(NotFound,))
async def read_latest_telemetry(request: Request, query: LatestQuery) -> LatestList:
    """Read the newest reading of each signal of the sensors."""
    return await operations.read_latest(request.app[DATABASE], query.sensor_id, may_read(request))


@routes.get("/api/v1/telemetry/stream", policy=SIGNED_IN, raises=(NotFound,), streams=True)
async def stream_telemetry(request: Request, query: StreamQuery) -> StreamResponse:
    """Follow sensors on one connection: a `readings` event for what one of them sent.

    Each event's id says how far all of them were sent; with `Last-Event-ID` or `after` the stream
    goes on exactly there. A viewer that is slow gets larger events: `thinned` says that a signal's
    readings were reduced to what a picture shows, `count` how many there were.
    """
    database = request.app[DATABASE]
    sensor_ids = await operations.admit_sensors(database, query.sensor_id, may_read(request))
    said = request.headers.get("Last-Event-ID") or query.after
    places = await first_places(database, sensor_ids, said)
    feeds = request.app[FEEDS]

    async def admit() -> None:
        await SIGNED_IN.admit(request, request.app[IDENTITY], {})
        await operations.check_seen(sensor_ids, feeds.projects(sensor_ids), may_read(request))

    async with event_stream(request) as (response, stream):
        await follow(
            database,
            feeds,
            stream,
            sensor_ids,
            places,
            query.values,
            admit,
        )
    return response


@routes.get(
    "/api/v1/telemetry/export",
    policy=SIGNED_IN,
    raises=(NotFound, Unavailable),
    sends=tuple(_TYPES.values()),
    limit="costly",
)
async def export_telemetry(request: Request, query: ExportQuery) -> StreamResponse:
    """Export every reading of sensors as a file that is streamed.

    Its columns are sensor_id, signal, time, received_at, raw, physical, unit, late. A file that
    breaks off is not complete: the connection ends without its last piece.
    """
    async with export_sensors(request.app[DATABASE], query, may_read(request)) as pieces:
        return await stream_file(
            request,
            pieces,
            content_type=_TYPES[query.format],
            name=f"telemetry.{query.format}",
        )


@routes.get(
    "/api/v1/capture-sessions/{capture_session_id}/telemetry",
    policy=policy.viewer(OF_SESSION),
    raises=(NotFound,),
    limit="inside",
)
async def read_session_telemetry(
    request: Request, capture_session_id: UUID, query: SessionQuery
) -> SignalSeriesList:
    """Read what a capture session holds, by the profiles that it pins."""
    return await operations.read_session(request.app[DATABASE], capture_session_id, query)


@routes.get(
    "/api/v1/capture-sessions/{capture_session_id}/telemetry/summary",
    policy=policy.viewer(OF_SESSION),
)
async def sum_up_session_telemetry(request: Request, capture_session_id: UUID) -> ContentsList:
    """Sum up what a capture session holds: how much of each signal, and how much came late."""
    return await operations.sum_up_session(request.app[DATABASE], capture_session_id)


@routes.get(
    "/api/v1/capture-sessions/{capture_session_id}/telemetry/export",
    policy=policy.viewer(OF_SESSION),
    raises=(NotFound, Unavailable),
    sends=tuple(_TYPES.values()),
    limit="costly",
)
async def export_session_telemetry(
    request: Request, capture_session_id: UUID, query: SessionExportQuery
) -> StreamResponse:
    """Export everything that a capture session holds, late readings marked."""
    project_id = request[ACCESS].project_id
    exported = export_session(request.app[DATABASE], project_id, capture_session_id, query)
    async with exported as pieces:
        return await stream_file(
            request,
            pieces,
            content_type=_TYPES[query.format],
            name=f"{capture_session_id}.{query.format}",
        )


def may_read(request: Request) -> operations.MayRead:
    """Whether the caller of a request sees a project."""
    identity, principal = request.app[IDENTITY], request[PRINCIPAL]

    async def ask(project_id: UUID) -> bool:
        return await identity.access(request, principal, project_id) is not None

    return ask

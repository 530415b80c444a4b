"""/api/v1/runs/{run_id}/capture-sessions and /api/v1/capture-sessions/{capture_session_id}"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.idempotency import request_database
from servicekit.identity import ACCESS, PRINCIPAL
from servicekit.observability import ARRIVED
from servicekit.pagination import Page, PageQuery
from servicekit.problems import Invalid, InvalidCursor, PreconditionFailed
from servicekit.routing import Routes

from experiment_service import errors
from experiment_service.models.captures import (
    CaptureEvent,
    CaptureSession,
    CaptureSessionChange,
    CaptureSessionQuery,
    NewCaptureEvent,
    NewCaptureSession,
)
from experiment_service.operations import captures as operations
from experiment_service.queries.captures import select_capture_project
from experiment_service.routes.runs import OF_RUN

routes = Routes("capture-sessions")

OF_CAPTURE = policy.row("capture_session_id", select_capture_project)


@routes.post(
    "/api/v1/runs/{run_id}/capture-sessions",
    policy=policy.editor(OF_RUN),
    raises=(errors.RunNotRunning, errors.CaptureSessionActive, errors.LimitExceeded, Invalid),
    idempotent=True,
)
async def start_capture_session(
    request: Request, run_id: UUID, body: NewCaptureSession
) -> CaptureSession:
    """Start to record sensors in a running run, which records one session at a time."""
    return await operations.start_capture(
        request_database(request),
        request[PRINCIPAL],
        run_id,
        request[ACCESS].project_id,
        body,
    )


@routes.get(
    "/api/v1/runs/{run_id}/capture-sessions",
    policy=policy.viewer(OF_RUN),
    raises=(InvalidCursor,),
)
async def list_capture_sessions(
    request: Request, run_id: UUID, query: CaptureSessionQuery
) -> Page[CaptureSession]:
    """List a run's capture sessions, the newest first."""
    return await operations.list_captures(request_database(request), run_id, query)


@routes.get("/api/v1/capture-sessions/{capture_session_id}", policy=policy.viewer(OF_CAPTURE))
async def get_capture_session(request: Request, capture_session_id: UUID) -> CaptureSession:
    """Read a capture session."""
    return await operations.get_capture(request_database(request), capture_session_id)


@routes.patch(
    "/api/v1/capture-sessions/{capture_session_id}",
    policy=policy.editor(OF_CAPTURE),
    raises=(PreconditionFailed,),
)
async def change_capture_session(
    request: Request,
    capture_session_id: UUID,
    body: CaptureSessionChange,
    if_match: int | None,
) -> CaptureSession:
    """Change the name or the note of a capture session."""
    return await operations.change_capture(
        request_database(request),
        capture_session_id,
        request[ACCESS].project_id,
        body,
        if_match=if_match,
    )


@routes.post(
    "/api/v1/capture-sessions/{capture_session_id}/stop",
    policy=policy.editor(OF_CAPTURE),
    raises=(errors.StatusConflict,),
    status=200,
)
async def stop_capture_session(request: Request, capture_session_id: UUID) -> CaptureSession:
    """Stop to record.

    One that had stopped already stays as it is; of requests that compete one wins and the
    others are refused.
    """
    return await operations.stop_capture(
        request_database(request),
        request[PRINCIPAL],
        capture_session_id,
        request[ACCESS].project_id,
        arrived=request[ARRIVED],
    )


@routes.put(
    "/api/v1/capture-sessions/{capture_session_id}/sensors/{sensor_id}",
    policy=policy.editor(OF_CAPTURE),
    raises=(errors.CaptureSessionStopped, errors.SensorDecommissioned, errors.LimitExceeded),
)
async def record_sensor(
    request: Request, capture_session_id: UUID, sensor_id: UUID
) -> CaptureSession:
    """Record a sensor too while the session runs; it counts for the whole of its span."""
    return await operations.add_capture_sensor(
        request_database(request),
        request[PRINCIPAL],
        capture_session_id,
        request[ACCESS].project_id,
        sensor_id,
    )


@routes.delete(
    "/api/v1/capture-sessions/{capture_session_id}/sensors/{sensor_id}",
    policy=policy.editor(OF_CAPTURE),
    raises=(errors.CaptureSessionStopped,),
)
async def leave_sensor_out(request: Request, capture_session_id: UUID, sensor_id: UUID) -> None:
    """Leave a sensor out of a session that runs; its readings stay."""
    await operations.remove_capture_sensor(
        request_database(request),
        request[PRINCIPAL],
        capture_session_id,
        request[ACCESS].project_id,
        sensor_id,
    )


@routes.post(
    "/api/v1/capture-sessions/{capture_session_id}/events",
    policy=policy.editor(OF_CAPTURE),
    raises=(Invalid, errors.LimitExceeded),
    idempotent=True,
    limit="ingest",
)
async def add_capture_event(
    request: Request, capture_session_id: UUID, body: NewCaptureEvent
) -> CaptureEvent:
    """Remember something that happened at a moment of a capture session."""
    return await operations.add_event(
        request_database(request),
        request[PRINCIPAL],
        capture_session_id,
        request[ACCESS].project_id,
        body,
    )


@routes.get(
    "/api/v1/capture-sessions/{capture_session_id}/events",
    policy=policy.viewer(OF_CAPTURE),
    raises=(InvalidCursor,),
    limit="inside",
)
async def list_capture_events(
    request: Request, capture_session_id: UUID, query: PageQuery
) -> Page[CaptureEvent]:
    """List the events of a capture session by their times."""
    return await operations.list_events(
        request_database(request), capture_session_id, cursor=query.cursor, limit=query.limit
    )

"""What is told of capture sessions: that they began and ended, whoever or whatever ended them."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from servicekit.database import Connection
from servicekit.events import SYSTEM, Event

from experiment_service.models.captures import CaptureSession
from experiment_service.models.events import (
    CAPTURE_STARTED,
    CAPTURE_STOPPED,
    CaptureData,
    CaptureStopData,
)
from experiment_service.operations.changing import Change
from experiment_service.operations.telling import tell
from experiment_service.queries.captures import (
    select_captures_by_ids,
    select_captures_ended_in_change,
)


async def tell_of_started_capture(connection: Connection, session: CaptureSession) -> None:
    """Tell that a recording began."""
    event = CAPTURE_STARTED.event(
        _data(session),
        project_id=session.project_id,
        subject_id=session.id,
        subject_name=session.name or None,
        at=session.started_at,
    )
    await tell(connection, [event])


async def tell_of_stopped_captures(connection: Connection, session_ids: Sequence[UUID]) -> None:
    """Tell of recordings that have just stopped, in the transaction in which they did."""
    if session_ids:
        sessions = await select_captures_by_ids(connection, ids=session_ids)
        await tell(connection, _stops(sessions))


async def tell_of_captures_ended_with_runs(now: Change, project_id: UUID) -> None:
    """Tell of the recordings that this change has ended with their runs."""
    sessions = await select_captures_ended_in_change(
        now.connection, project_id=project_id, change=now.turn.change
    )
    await tell(now.connection, _stops(sessions))


def _data(session: CaptureSession) -> CaptureData:
    return CaptureData(
        run_id=session.run_id,
        ordinal=session.ordinal,
        sensor_ids=[sensor.sensor_id for sensor in session.sensors],
    )


def _stops(sessions: Iterable[CaptureSession]) -> list[Event]:
    """One event each; what ends by its time is ended by nobody, whoever comes by just then."""
    return [
        CAPTURE_STOPPED.event(
            CaptureStopData(**dict(_data(session)), reason=session.stop_reason),
            project_id=session.project_id,
            subject_id=session.id,
            subject_name=session.name or None,
            at=session.stopped_at,
            actor=SYSTEM if session.stop_reason == "time" else None,
        )
        for session in sessions
        if session.stop_reason
    ]

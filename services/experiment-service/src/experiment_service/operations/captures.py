"""Capture sessions: started and stopped by the server's clock, one at a time in a run."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from servicekit.database import Connection, Database, constraint
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.pagination import Cursor, Page, page_of
from servicekit.problems import Invalid, NotFound, PreconditionFailed

from experiment_service.errors import (
    CaptureSessionActive,
    CaptureSessionStopped,
    LimitExceeded,
    RunNotRunning,
    StatusConflict,
)
from experiment_service.models.captures import (
    MAX_EVENTS,
    MAX_SENSORS_RECORDED,
    MAX_SESSIONS,
    CaptureEvent,
    CaptureSession,
    CaptureSessionChange,
    CaptureSessionQuery,
    NewCaptureEvent,
    NewCaptureSession,
)
from experiment_service.operations.capture_events import (
    tell_of_started_capture,
    tell_of_stopped_captures,
)
from experiment_service.operations.changing import Change, changing
from experiment_service.operations.run_reading import stored_run
from experiment_service.operations.run_sensors import check_usable, too_many_sensors
from experiment_service.queries.captures import (
    Pin,
    count_events,
    delete_capture_sensor,
    insert_capture,
    insert_capture_profiles,
    insert_capture_sensors,
    insert_event,
    select_active_pins,
    select_capture,
    select_captures,
    select_events,
    select_published_pins,
    update_capture,
    update_capture_stopped,
    update_capture_touched,
    update_due_captures,
    update_run_told,
)
from experiment_service.queries.run_sensors import lock_usable_sensors, select_sensor_ids_of_run

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=24)


async def start_capture(
    database: Database,
    principal: Principal,
    run_id: UUID,
    project_id: UUID,
    new: NewCaptureSession,
) -> CaptureSession:
    """Start to record a running run's sensors, or those that are named.

    Raises:
        RunNotRunning: the run does not run.
        CaptureSessionActive: it is recording already.
        Invalid: there is no sensor to record, or one is not the project's or not in use, or a
            profile is not a published one of a signal that is recorded.
        LimitExceeded: the run has as many capture sessions as it may.
    """
    capture_session_id = uuid7()
    async with changing(database, project_id) as now:
        run = await stored_run(now.connection, run_id)
        if run.status != "running":
            msg = f"The run is {run.status}; only a running run can record."
            raise RunNotRunning(msg)
        due = await update_due_captures(
            now.connection, project_id=project_id, at=now.turn.at, change=now.turn.change
        )
        await tell_of_stopped_captures(now.connection, due)
        sensor_ids = await _sensors_to_record(now.connection, run_id, project_id, new)
        pins = await _pins(now, sensor_ids, new)
        active = CaptureSessionActive("The run is recording already; stop that first.")
        with constraint("capture_sessions_active_key", otherwise=active):
            ordinal = await insert_capture(
                now.connection,
                capture_session_id=capture_session_id,
                run_id=run_id,
                project_id=project_id,
                name=new.name or "",
                note=new.note,
                user_id=principal.user_id,
                at=now.turn.at,
                stop_after_seconds=new.stop_after_seconds,
            )
        if ordinal > MAX_SESSIONS:
            msg = f"A run may have at most {MAX_SESSIONS} capture sessions."
            raise LimitExceeded(msg)
        await insert_capture_sensors(
            now.connection,
            capture_session_id=capture_session_id,
            project_id=project_id,
            sensor_ids=sensor_ids,
        )
        await insert_capture_profiles(
            now.connection, capture_session_id=capture_session_id, pins=pins
        )
        session = await _told(now, run_id, capture_session_id)
        await tell_of_started_capture(now.connection, session)
        return session


async def stop_capture(
    database: Database,
    principal: Principal,
    capture_session_id: UUID,
    project_id: UUID,
    *,
    arrived: float,
) -> CaptureSession:
    """Stop to record; a session that had stopped when the request came stays as it is.

    Raises:
        StatusConflict: it stopped while this request was on its way.
    """
    async with changing(database, project_id, arrived=arrived) as now:
        if await update_capture_stopped(
            now.connection,
            capture_session_id=capture_session_id,
            user_id=principal.user_id,
            at=now.turn.at,
        ):
            await tell_of_stopped_captures(now.connection, [capture_session_id])
            session = await _session(now.connection, capture_session_id)
            return await _told(now, session.run_id, capture_session_id)
        session = await _session(now.connection, capture_session_id)
        if session.stopped_at and session.stopped_at > now.arrived_at:
            msg = "The capture session has stopped."
            raise StatusConflict(msg)
        return session


async def list_captures(
    database: Database, run_id: UUID, query: CaptureSessionQuery
) -> Page[CaptureSession]:
    """One page of a run's capture sessions."""
    after: int | None = None
    if query.cursor:
        after = Cursor.decode(query.cursor, sort=query.sort).value_as(int)
        if not 0 < after < 1 << 31:
            after = 0
    async with database.acquire() as connection:
        sessions = await select_captures(
            connection,
            run_id=run_id,
            status=query.status,
            after=after,
            descending=query.sort.startswith("-"),
            limit=query.limit + 1,
        )
    return page_of(
        sessions,
        limit=query.limit,
        cursor=lambda session: Cursor(sort=query.sort, value=session.ordinal),
    )


async def get_capture(database: Database, capture_session_id: UUID) -> CaptureSession:
    """One capture session."""
    async with database.acquire() as connection:
        return await _session(connection, capture_session_id)


async def change_capture(
    database: Database,
    capture_session_id: UUID,
    project_id: UUID,
    change: CaptureSessionChange,
    *,
    if_match: int | None,
) -> CaptureSession:
    """Change the name or the note, also after it has stopped.

    Raises:
        PreconditionFailed: it is no longer the version that `if_match` names.
    """
    async with changing(database, project_id) as now:
        before = await _session(now.connection, capture_session_id)
        if if_match is not None and before.version != if_match:
            raise PreconditionFailed
        edited = before.model_copy(update=change.given)
        if edited == before:
            return before
        await update_capture(now.connection, edited)
        return await _told(now, before.run_id, capture_session_id)


async def add_capture_sensor(
    database: Database,
    principal: Principal,
    capture_session_id: UUID,
    project_id: UUID,
    sensor_id: UUID,
) -> CaptureSession:
    """Record a sensor too, for the whole span of the session.

    Raises:
        CaptureSessionStopped: what it records no longer changes.
        NotFound, SensorDecommissioned: see `run_sensors.check_usable`.
        LimitExceeded: it records as many as it may.
    """
    async with changing(database, project_id) as now:
        session = await _running(now.connection, capture_session_id)
        await check_usable(now.connection, project_id, sensor_id)
        if not await insert_capture_sensors(
            now.connection,
            capture_session_id=capture_session_id,
            project_id=project_id,
            sensor_ids=[sensor_id],
        ):
            return session
        if len(session.sensors) >= MAX_SENSORS_RECORDED:
            raise too_many_sensors()
        await update_capture_touched(now.connection, capture_session_id=capture_session_id)
        changed = await _told(now, session.run_id, capture_session_id)
        await _note_sensor(now, principal, changed, sensor_id, "sensor_added")
        return changed


async def remove_capture_sensor(
    database: Database,
    principal: Principal,
    capture_session_id: UUID,
    project_id: UUID,
    sensor_id: UUID,
) -> None:
    """Leave a sensor out of the session, as if it had never been in it.

    Raises:
        CaptureSessionStopped: what it records no longer changes.
        NotFound: it is not recorded.
    """
    async with changing(database, project_id) as now:
        session = await _running(now.connection, capture_session_id)
        await _note_sensor(now, principal, session, sensor_id, "sensor_removed")
        await delete_capture_sensor(
            now.connection, capture_session_id=capture_session_id, sensor_id=sensor_id
        )
        await update_capture_touched(now.connection, capture_session_id=capture_session_id)
        await _told(now, session.run_id, capture_session_id)


async def add_event(
    database: Database,
    principal: Principal,
    capture_session_id: UUID,
    project_id: UUID,
    new: NewCaptureEvent,
) -> CaptureEvent:
    """Remember something of a capture session, also after it has stopped.

    Raises:
        Invalid: no clock of a rig says such a time.
        LimitExceeded: it has as many events as it may.
    """
    async with changing(database, project_id) as now:
        session = await _session(now.connection, capture_session_id)
        time = new.time or now.turn.at
        if not EARLIEST <= time <= now.turn.at + AHEAD:
            detail = "must lie between 1990 and a day from now"
            raise Invalid(errors=[{"pointer": "#/time", "detail": detail}])
        count = await count_events(now.connection, capture_session_id=capture_session_id)
        if count >= MAX_EVENTS:
            msg = f"A capture session may have at most {MAX_EVENTS} events."
            raise LimitExceeded(msg)
        event = await insert_event(
            now.connection,
            CaptureEvent(
                id=uuid7(),
                capture_session_id=capture_session_id,
                time=time,
                kind=new.kind,
                text=new.text,
                created_by=principal.user_id,
                created_at=now.turn.at,
            ),
            project_id=project_id,
        )
        await _told(now, session.run_id, capture_session_id)
        return event


async def list_events(
    database: Database, capture_session_id: UUID, *, cursor: str | None, limit: int
) -> Page[CaptureEvent]:
    """One page of a capture session's events, by their times."""
    after: tuple[datetime, UUID] | None = None
    if cursor:
        place = Cursor.decode(cursor, sort="time")
        after = place.value_as(datetime), place.row_id
    async with database.acquire() as connection:
        events = await select_events(
            connection, capture_session_id=capture_session_id, after=after, limit=limit + 1
        )
    return page_of(
        events,
        limit=limit,
        cursor=lambda event: Cursor(sort="time", value=event.time, id=event.id),
    )


async def _session(connection: Connection, capture_session_id: UUID) -> CaptureSession:
    session = await select_capture(connection, capture_session_id=capture_session_id)
    if session is None:
        raise NotFound
    return session


async def _running(connection: Connection, capture_session_id: UUID) -> CaptureSession:
    session = await _session(connection, capture_session_id)
    if session.status != "running":
        raise CaptureSessionStopped
    return session


async def _told(now: Change, run_id: UUID, capture_session_id: UUID) -> CaptureSession:
    """Let live views hear of it, and answer the session as it is now."""
    await update_run_told(now.connection, run_id=run_id, at=now.turn.at, change=now.turn.change)
    return await _session(now.connection, capture_session_id)


async def _sensors_to_record(
    connection: Connection, run_id: UUID, project_id: UUID, new: NewCaptureSession
) -> list[UUID]:
    wanted = new.sensor_ids or await select_sensor_ids_of_run(connection, run_id=run_id)
    found = await lock_usable_sensors(connection, project_id=project_id, sensor_ids=wanted)
    usable = [sensor_id for sensor_id in dict.fromkeys(wanted) if found.get(sensor_id) == "active"]
    if new.sensor_ids:
        wrong = [
            {
                "pointer": f"#/sensor_ids/{place}",
                "detail": "the sensor is decommissioned"
                if sensor_id in found
                else "there is no such sensor in this project",
            }
            for place, sensor_id in enumerate(new.sensor_ids)
            if sensor_id not in usable
        ]
        if wrong:
            raise Invalid(errors=wrong)
    if not usable:
        detail = "names no sensor, and the run has none that is in use"
        raise Invalid(errors=[{"pointer": "#/sensor_ids", "detail": detail}])
    return usable


async def _pins(now: Change, sensor_ids: list[UUID], new: NewCaptureSession) -> list[Pin]:
    named: list[Pin] = [
        (sensor_id, signal, profile_id)
        for sensor_id, by_signal in new.profiles.items()
        for signal, profile_id in by_signal.items()
    ]
    published = await select_published_pins(
        now.connection, sensor_ids=sensor_ids, profile_ids=[pin[2] for pin in named]
    )
    wrong = [
        {
            "pointer": f"#/profiles/{sensor_id}/{signal}",
            "detail": "names no published profile of this signal of a sensor that is recorded",
        }
        for sensor_id, signal, profile_id in named
        if (sensor_id, signal, profile_id) not in published
    ]
    if wrong:
        raise Invalid(errors=wrong)
    if not new.pin_profiles:
        return named
    kept = {pin[:2] for pin in named}
    active = await select_active_pins(now.connection, sensor_ids=sensor_ids, at=now.turn.at)
    return named + [pin for pin in active if pin[:2] not in kept]


async def _note_sensor(
    now: Change,
    principal: Principal,
    session: CaptureSession,
    sensor_id: UUID,
    kind: str,
) -> None:
    """Remember that a sensor came or went.

    Raises:
        NotFound: the session does not record it.
    """
    names = {sensor.sensor_id: sensor.name for sensor in session.sensors}
    if sensor_id not in names:
        raise NotFound
    event = {
        "id": uuid7(),
        "capture_session_id": session.id,
        "time": now.turn.at,
        "kind": kind,
        "text": names[sensor_id],
        "created_by": principal.user_id,
        "created_at": now.turn.at,
    }
    await insert_event(
        now.connection, CaptureEvent.model_validate(event), project_id=session.project_id
    )

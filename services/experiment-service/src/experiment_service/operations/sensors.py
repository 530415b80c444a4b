"""Registering, changing, sharing and decommissioning sensors."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from servicekit.database import Connection, Database, constraint
from servicekit.events import EventKind
from servicekit.identity import Access, Principal, Role
from servicekit.ids import uuid7
from servicekit.outbox import note
from servicekit.problems import (
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    ProjectArchived,
)

from experiment_service.errors import (
    LimitExceeded,
    SensorDecommissioned,
    SensorInUse,
    SensorNameTaken,
    SignalInUse,
    SignalNameTaken,
)
from experiment_service.models.audited import (
    SENSOR_SHARED,
    SENSOR_UNSHARED,
    SIGNAL_ADDED,
    SIGNAL_CHANGED,
    SIGNAL_REMOVED,
    ShareData,
    SignalData,
)
from experiment_service.models.events import (
    SENSOR_CHANGED,
    SENSOR_CREATED,
    SENSOR_DECOMMISSIONED,
    FieldsData,
    NoData,
)
from experiment_service.models.sensors import (
    MAX_SENSORS,
    MAX_SIGNALS,
    NewSensor,
    NewSignal,
    RegisteredSensor,
    Sensor,
    SensorChange,
    Signal,
    SignalChange,
)
from experiment_service.models.values import MAX_TAGS, merge_tags
from experiment_service.operations.runs import too_many_tags
from experiment_service.operations.sensor_reading import answer_sensor
from experiment_service.operations.sensor_tokens import add_token
from experiment_service.operations.telling import tell
from experiment_service.queries.sensors import (
    count_sensors,
    delete_signal,
    insert_sensor,
    insert_share,
    insert_signals,
    lock_sensor,
    lock_sensors_of_project,
    select_recording_run,
    update_sensor,
    update_sensor_decommissioned,
    update_sensor_touched,
    update_share_ended,
    update_signal,
)
from experiment_service.queries.turns import select_now

type AccessTo = Callable[[UUID], Awaitable[Access | None]]
"""What the caller may do in another project; None where they have no part in it."""


async def create_sensor(
    database: Database, principal: Principal, project_id: UUID, new: NewSensor
) -> RegisteredSensor:
    """Register a sensor; its token is in the answer and nowhere else.

    Raises:
        SensorNameTaken: another active sensor of the project has that name.
        LimitExceeded: the project has as many as it may.
    """
    async with database.acquire() as connection, connection.transaction():
        await _check_room(connection, project_id)
        now = await select_now(connection)
        sensor = Sensor(
            id=uuid7(),
            project_id=project_id,
            name=new.name,
            type=new.type,
            description=new.description,
            tags=new.tags,
            status="active",
            signals=[],
            health="never",
            last_received_at=None,
            readings=0,
            shared_with=[],
            created_by=principal.user_id,
            created_at=now,
            updated_at=now,
            decommissioned_at=None,
            version=1,
        )
        with _name_free(new.name):
            await insert_sensor(connection, sensor)
        await insert_signals(connection, sensor_id=sensor.id, signals=new.signals)
        _, token = await add_token(connection, principal, sensor.id, at=now)
        stored = await answer_sensor(connection, sensor.id)
        await _tell(connection, SENSOR_CREATED, NoData(), stored, at=now)
    return RegisteredSensor(**dict(stored), token=token)


async def change_sensor(
    database: Database, sensor_id: UUID, change: SensorChange, *, if_match: int | None
) -> Sensor:
    """Change what the patch names.

    Raises:
        PreconditionFailed: it is no longer the version that `if_match` names.
        SensorDecommissioned: it takes no changes.
        SensorNameTaken, LimitExceeded: as for a new one.
    """
    async with changing_sensor(database, sensor_id) as (connection, now):
        before = await answer_sensor(connection, sensor_id)
        if if_match is not None and before.version != if_match:
            raise PreconditionFailed
        edited = _edited(before, change.given)
        if edited == before:
            return before
        with _name_free(edited.name):
            await update_sensor(connection, edited, at=now)
        fields = FieldsData(fields=list(change.given))
        await _tell(connection, SENSOR_CHANGED, fields, edited, at=now)
        return await answer_sensor(connection, sensor_id)


async def decommission_sensor(database: Database, sensor_id: UUID) -> None:
    """Take a sensor out of use: its tokens end, its name is free, its readings stay.

    Raises:
        SensorInUse: a capture session is recording it.
    """
    async with database.acquire() as connection, connection.transaction():
        if await lock_sensor(connection, sensor_id) == "decommissioned":
            return
        await _check_not_recorded(connection, sensor_id, None)
        now = await select_now(connection)
        await update_sensor_decommissioned(connection, sensor_id=sensor_id, at=now)
        sensor = await answer_sensor(connection, sensor_id)
        await _tell(connection, SENSOR_DECOMMISSIONED, NoData(), sensor, at=now)


async def add_signal(database: Database, sensor_id: UUID, new: NewSignal) -> Sensor:
    """Add a signal.

    Raises:
        SignalNameTaken: the sensor has one of that name.
        LimitExceeded: it has as many as it may.
        SensorDecommissioned: it takes no changes.
    """
    taken = SignalNameTaken(f"There is a signal {new.name!r} already.")
    async with changing_sensor(database, sensor_id) as (connection, now):
        before = await answer_sensor(connection, sensor_id)
        if len(before.signals) >= MAX_SIGNALS:
            msg = f"A sensor may have at most {MAX_SIGNALS} signals."
            raise LimitExceeded(msg)
        with (
            constraint("sensor_signals_name_key", otherwise=taken),
            constraint("sensor_signals_pkey", otherwise=taken),
        ):
            await insert_signals(connection, sensor_id=sensor_id, signals=[new])
        await update_sensor_touched(connection, sensor_id=sensor_id, at=now)
        await _note(connection, SIGNAL_ADDED, SignalData(signal=new.name), before)
        return await answer_sensor(connection, sensor_id)


async def change_signal(
    database: Database, sensor_id: UUID, signal: str, change: SignalChange
) -> Sensor:
    """Change what the patch names of a signal; its name stays, since readings go by it.

    Raises:
        NotFound: the sensor has no such signal.
        SensorDecommissioned: it takes no changes.
    """
    async with changing_sensor(database, sensor_id) as (connection, now):
        before = await answer_sensor(connection, sensor_id)
        stored = signal_of(before, signal)
        edited = stored.model_copy(update=change.given)
        if edited == stored:
            return before
        await update_signal(connection, sensor_id=sensor_id, signal=edited)
        await update_sensor_touched(connection, sensor_id=sensor_id, at=now)
        changed = SignalData(signal=signal, fields=list(change.given))
        await _note(connection, SIGNAL_CHANGED, changed, before)
        return await answer_sensor(connection, sensor_id)


async def remove_signal(database: Database, sensor_id: UUID, signal: str) -> None:
    """Remove a signal that nothing was recorded under.

    Raises:
        NotFound: the sensor has no such signal.
        SignalInUse: the sensor has sent readings, or the signal has conversion profiles.
        SensorDecommissioned: it takes no changes.
    """
    async with changing_sensor(database, sensor_id) as (connection, now):
        before = await answer_sensor(connection, sensor_id)
        signal_of(before, signal)
        if before.readings:
            msg = "The sensor has sent readings, which go by the names of its signals."
            raise SignalInUse(msg)
        profiles = SignalInUse("The signal has conversion profiles; delete their drafts first.")
        with constraint("conversion_profiles_signal_fkey", otherwise=profiles):
            await delete_signal(connection, sensor_id=sensor_id, signal=signal)
        await update_sensor_touched(connection, sensor_id=sensor_id, at=now)
        await _note(connection, SIGNAL_REMOVED, SignalData(signal=signal), before)


async def share_sensor(
    database: Database,
    principal: Principal,
    sensor_id: UUID,
    project_id: UUID,
    access_to: AccessTo,
) -> Sensor:
    """Let the members of another project see and record a sensor.

    Raises:
        NotFound: the caller has no part in the other project.
        Forbidden: they are no editor there.
        ProjectArchived: it takes no changes.
        Invalid: the sensor is at home there.
        LimitExceeded: the other project has as many sensors as it may.
        SensorDecommissioned: it takes no changes.
    """
    access = await access_to(project_id)
    if access is None:
        raise NotFound
    if not access.role.includes(Role.EDITOR):
        msg = f"This needs the role editor in the other project too; yours there is {access.role}."
        raise Forbidden(msg)
    if access.archived:
        raise ProjectArchived
    async with changing_sensor(database, sensor_id) as (connection, now):
        before = await answer_sensor(connection, sensor_id)
        if before.project_id == project_id:
            detail = "the sensor belongs to this project"
            raise Invalid(errors=[{"parameter": "project_id", "detail": detail}])
        if project_id in before.shared_with:
            return before
        await _check_room(connection, project_id)
        await insert_share(
            connection,
            sensor_id=sensor_id,
            project_id=project_id,
            user_id=principal.user_id,
            at=now,
        )
        await update_sensor_touched(connection, sensor_id=sensor_id, at=now)
        await _note(connection, SENSOR_SHARED, ShareData(with_project_id=project_id), before)
        return await answer_sensor(connection, sensor_id)


async def unshare_sensor(database: Database, sensor_id: UUID, project_id: UUID) -> None:
    """End a share; what runs of that project have recorded stays theirs.

    Raises:
        NotFound: it is not shared with that project.
        SensorInUse: a capture session of that project is recording it.
    """
    async with database.acquire() as connection, connection.transaction():
        await lock_sensor(connection, sensor_id)
        await _check_not_recorded(connection, sensor_id, project_id)
        now = await select_now(connection)
        if not await update_share_ended(
            connection, sensor_id=sensor_id, project_id=project_id, at=now
        ):
            raise NotFound
        await update_sensor_touched(connection, sensor_id=sensor_id, at=now)
        sensor = await answer_sensor(connection, sensor_id)
        await _note(connection, SENSOR_UNSHARED, ShareData(with_project_id=project_id), sensor)


@asynccontextmanager
async def changing_sensor(
    database: Database, sensor_id: UUID
) -> AsyncGenerator[tuple[Connection, datetime]]:
    """A transaction in which nobody else changes the sensor, and the time at it.

    Raises:
        NotFound: there is none.
        SensorDecommissioned: it takes no changes.
    """
    async with database.acquire() as connection, connection.transaction():
        status = await lock_sensor(connection, sensor_id)
        if status is None:
            raise NotFound
        if status == "decommissioned":
            raise SensorDecommissioned
        yield connection, await select_now(connection)


def signal_of(sensor: Sensor, name: str) -> Signal:
    """The signal of that name.

    Raises:
        NotFound: the sensor has none.
    """
    for signal in sensor.signals:
        if signal.name == name:
            return signal
    raise NotFound


async def _tell[D: BaseModel](
    connection: Connection, kind: EventKind[D], data: D, sensor: Sensor, *, at: datetime
) -> None:
    event = kind.event(
        data, project_id=sensor.project_id, subject_id=sensor.id, subject_name=sensor.name, at=at
    )
    await tell(connection, [event])


async def _note[D: BaseModel](
    connection: Connection, kind: EventKind[D], data: D, sensor: Sensor
) -> None:
    """Tell the audit trail alone."""
    event = kind.event(
        data, project_id=sensor.project_id, subject_id=sensor.id, subject_name=sensor.name
    )
    await note(connection, [event])


def _edited(before: Sensor, given: dict[str, Any]) -> Sensor:
    changes = {name: given[name] for name in ("name", "type") if name in given}
    if "description" in given:
        changes["description"] = given["description"] or ""
    if "tags" in given:
        changes["tags"] = merge_tags(before.tags, given["tags"])
        if len(changes["tags"]) > MAX_TAGS:
            raise too_many_tags("#/tags")
    return before.model_copy(update=changes)


async def _check_room(connection: Connection, project_id: UUID) -> None:
    await lock_sensors_of_project(connection, project_id)
    if await count_sensors(connection, project_id=project_id) >= MAX_SENSORS:
        msg = f"A project may have at most {MAX_SENSORS} sensors, those that it had included."
        raise LimitExceeded(msg)


async def _check_not_recorded(
    connection: Connection, sensor_id: UUID, project_id: UUID | None
) -> None:
    run_id = await select_recording_run(connection, sensor_id=sensor_id, project_id=project_id)
    if run_id:
        msg = f"A capture session of the run {run_id} is recording the sensor; stop that first."
        raise SensorInUse(msg)


@contextmanager
def _name_free(name: str) -> Generator[None]:
    taken = SensorNameTaken(f"There is a sensor {name!r} already.")
    with constraint("sensors_name_key", otherwise=taken):
        yield

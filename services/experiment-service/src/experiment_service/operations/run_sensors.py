"""The sensors of a run: what its capture sessions record unless they name others."""

from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.identity import Principal
from servicekit.pagination import Page
from servicekit.problems import NotFound

from experiment_service.errors import LimitExceeded, RunArchived, SensorDecommissioned
from experiment_service.models.captures import MAX_SENSORS_RECORDED
from experiment_service.models.sensors import Sensor
from experiment_service.operations.changing import changing
from experiment_service.operations.run_reading import stored_run
from experiment_service.operations.sensor_reading import answer_sensor, read_activity
from experiment_service.queries.captures import update_run_told
from experiment_service.queries.run_sensors import (
    delete_run_sensor,
    insert_run_sensor,
    lock_usable_sensors,
    select_sensor_ids_of_run,
)
from experiment_service.queries.sensors import select_sensors_of_run


async def list_run_sensors(database: Database, run_id: UUID) -> Page[Sensor]:
    """All sensors of a run, in the order in which they were attached."""
    async with database.acquire() as connection:
        sensor_ids = await select_sensor_ids_of_run(connection, run_id=run_id)
        activity = await read_activity(connection, sensor_ids)
        sensors = await select_sensors_of_run(connection, run_id=run_id, activity=activity)
    return Page(items=sensors)


async def attach_sensor(
    database: Database, principal: Principal, run_id: UUID, project_id: UUID, sensor_id: UUID
) -> Sensor:
    """Attach a sensor of the project to a run; a recording that runs is not changed by it.

    Raises:
        NotFound: the project has no such sensor, nor shares one.
        SensorDecommissioned: it sends no more.
        RunArchived: an archived run takes no changes.
        LimitExceeded: the run has as many as it may.
    """
    async with changing(database, project_id) as now:
        run = await stored_run(now.connection, run_id)
        if run.status == "archived":
            raise RunArchived
        await check_usable(now.connection, project_id, sensor_id)
        if await insert_run_sensor(
            now.connection,
            run_id=run_id,
            project_id=project_id,
            sensor_id=sensor_id,
            user_id=principal.user_id,
            at=now.turn.at,
        ):
            attached = await select_sensor_ids_of_run(now.connection, run_id=run_id)
            if len(attached) > MAX_SENSORS_RECORDED:
                raise too_many_sensors()
            await update_run_told(
                now.connection, run_id=run_id, at=now.turn.at, change=now.turn.change
            )
        return await answer_sensor(now.connection, sensor_id)


async def detach_sensor(
    database: Database, run_id: UUID, project_id: UUID, sensor_id: UUID
) -> None:
    """Detach a sensor from a run; what was recorded stays.

    Raises:
        NotFound: it is not attached.
        RunArchived: an archived run takes no changes.
    """
    async with changing(database, project_id) as now:
        run = await stored_run(now.connection, run_id)
        if run.status == "archived":
            raise RunArchived
        if not await delete_run_sensor(now.connection, run_id=run_id, sensor_id=sensor_id):
            raise NotFound
        await update_run_told(now.connection, run_id=run_id, at=now.turn.at, change=now.turn.change)


async def check_usable(connection: Connection, project_id: UUID, sensor_id: UUID) -> None:
    """Check that the project may use the sensor, and that it is in use.

    Raises:
        NotFound: the project has no such sensor, nor shares one.
        SensorDecommissioned: it sends no more.
    """
    found = await lock_usable_sensors(connection, project_id=project_id, sensor_ids=[sensor_id])
    if sensor_id not in found:
        raise NotFound
    if found[sensor_id] != "active":
        raise SensorDecommissioned


def too_many_sensors() -> LimitExceeded:
    """What is said when a run would record more sensors than it may."""
    return LimitExceeded(f"A run may record at most {MAX_SENSORS_RECORDED} sensors.")

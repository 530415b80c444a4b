"""Reading sensors with their health, which telemetry-ingest-service knows."""

from collections.abc import Sequence
from uuid import UUID

from servicekit.database import Connection, Database
from servicekit.pagination import Cursor, Page, page_of
from servicekit.problems import NotFound

from experiment_service.models.sensors import Sensor, SensorQuery
from experiment_service.models.values import name_key
from experiment_service.queries.activity import (
    Activity,
    select_activity,
    select_activity_published,
)
from experiment_service.queries.sensors import select_sensor, select_sensor_ids, select_sensors


async def list_sensors(database: Database, project_id: UUID, query: SensorQuery) -> Page[Sensor]:
    """One page of the sensors that the project has or may use."""
    after: tuple[str, UUID] | None = None
    if query.cursor:
        cursor = Cursor.decode(query.cursor, sort=query.sort)
        after = cursor.value_as(str), cursor.row_id
    async with database.acquire() as connection:
        sensor_ids = await select_sensor_ids(connection, project_id=project_id)
        found = await select_sensors(
            connection,
            sensor_ids=sensor_ids,
            activity=await read_activity(connection, sensor_ids),
            part=name_key(query.q) if query.q else None,
            status=query.status,
            health=query.health,
            order=query.sort.removeprefix("-"),
            descending=query.sort.startswith("-"),
            after=after,
            limit=query.limit + 1,
        )
    places = {sensor.id: place for place, sensor in found}
    return page_of(
        [sensor for _, sensor in found],
        limit=query.limit,
        cursor=lambda sensor: Cursor(sort=query.sort, value=places[sensor.id], id=sensor.id),
    )


async def get_sensor(database: Database, sensor_id: UUID) -> Sensor:
    """One sensor."""
    async with database.acquire() as connection:
        return await answer_sensor(connection, sensor_id)


async def answer_sensor(connection: Connection, sensor_id: UUID) -> Sensor:
    """A sensor as it is answered.

    Raises:
        NotFound: there is none.
    """
    activity = await read_activity(connection, [sensor_id])
    sensor = await select_sensor(connection, sensor_id=sensor_id, activity=activity)
    if sensor is None:
        raise NotFound
    return sensor


async def read_activity(connection: Connection, sensor_ids: Sequence[UUID]) -> Activity:
    """What sensors did so far; nothing where nobody publishes it."""
    if not await select_activity_published(connection):
        return Activity()
    return await select_activity(connection, sensor_ids)

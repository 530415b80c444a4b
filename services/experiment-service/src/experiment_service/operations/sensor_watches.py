"""Limits on signals: set by people, watched where readings are stored, told of from here."""

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from servicekit.database import Connection, Database
from servicekit.events import Event, EventKind
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.outbox import note
from servicekit.pagination import Cursor, Page, PageQuery, page_of
from servicekit.problems import Invalid, NotFound

from experiment_service.errors import LimitExceeded
from experiment_service.models.audited import (
    SENSOR_WATCH_CREATED,
    SENSOR_WATCH_REMOVED,
    WatchData,
)
from experiment_service.models.events import SENSOR_CROSSED, SensorCrossingData
from experiment_service.models.sensor_watches import (
    MAX_SENSOR_WATCHES,
    NewSensorWatch,
    SensorCrossing,
    SensorWatch,
)
from experiment_service.operations.telling import tell
from experiment_service.queries.sensor_watches import (
    count_sensor_watches,
    delete_sensor_watch,
    insert_sensor_watch,
    lock_crossings_told,
    select_crossings_published,
    select_sensor_crossings,
    select_sensor_watches,
    update_crossings_told,
)
from experiment_service.queries.sensors import lock_sensor, select_sensor_projects

AT_ONCE = 500


async def list_sensor_watches(
    database: Database, sensor_id: UUID, query: PageQuery
) -> Page[SensorWatch]:
    """One page of a sensor's limits in the order in which they were set."""
    after = Cursor.decode(query.cursor, sort="id").row_id if query.cursor else None
    async with database.acquire() as connection:
        found = await select_sensor_watches(
            connection, sensor_id=sensor_id, after=after, limit=query.limit + 1
        )
    return page_of(found, limit=query.limit, cursor=lambda one: Cursor(sort="id", id=one.id))


async def add_sensor_watch(
    database: Database, principal: Principal, sensor_id: UUID, new: NewSensorWatch
) -> SensorWatch:
    """Set a limit on a signal.

    Raises:
        Invalid: the sensor has no such signal.
        LimitExceeded: there are as many as there may be.
    """
    watch = SensorWatch(
        id=uuid7(),
        sensor_id=sensor_id,
        **new.model_dump(),
        created_by=principal.user_id,
        created_at=datetime.now(UTC),
    )
    async with database.acquire() as connection, connection.transaction():
        await lock_sensor(connection, sensor_id)
        count = await count_sensor_watches(connection, sensor_id=sensor_id)
        if count >= MAX_SENSOR_WATCHES:
            msg = f"There are {count} limits, which is the most a sensor may have."
            raise LimitExceeded(msg)
        try:
            await insert_sensor_watch(connection, watch)
        except asyncpg.ForeignKeyViolationError as exc:
            detail = "The sensor has no such signal."
            raise Invalid(errors=[{"pointer": "#/signal", "detail": detail}]) from exc
        await _note(connection, SENSOR_WATCH_CREATED, watch)
    return watch


async def remove_sensor_watch(database: Database, sensor_id: UUID, watch_id: UUID) -> None:
    """Forget a limit.

    Raises:
        NotFound: the sensor has none of that id.
    """
    async with database.acquire() as connection, connection.transaction():
        watch = await delete_sensor_watch(connection, sensor_id=sensor_id, watch_id=watch_id)
        if watch is None:
            raise NotFound
        await _note(connection, SENSOR_WATCH_REMOVED, watch)


async def tell_of_sensor_crossings(database: Database) -> int:
    """Tell every project that sees a sensor of limits that its readings crossed; how many events.

    Of many processes one tells; how far it is changes in the transaction in which it tells.
    """
    async with database.acquire() as connection:
        if not await select_crossings_published(connection):
            return 0
        async with connection.transaction():
            after = await lock_crossings_told(connection)
            if after is None:
                return 0
            upto = await update_crossings_told(connection, after=after, limit=AT_ONCE)
            crossings = await select_sensor_crossings(connection, after=after, upto=upto)
            await tell(connection, [_event(crossing) for crossing in crossings])
    return len(crossings)


async def _note(connection: Connection, kind: EventKind[WatchData], watch: SensorWatch) -> None:
    home, *_ = await select_sensor_projects(connection, watch.sensor_id)
    data = WatchData(
        on=watch.signal,
        direction=watch.direction,
        threshold=watch.threshold,
        sensor_id=watch.sensor_id,
    )
    await note(connection, [kind.event(data, project_id=home, subject_id=watch.id)])


def _event(crossing: SensorCrossing) -> Event:
    return SENSOR_CROSSED.event(
        SensorCrossingData(
            watch_id=crossing.watch_id,
            signal=crossing.signal,
            direction=crossing.direction,
            threshold=crossing.threshold,
            value=crossing.value,
            most=crossing.most,
            unit=crossing.unit,
            taken_at=crossing.taken_at,
        ),
        project_id=crossing.project_id,
        subject_id=crossing.sensor_id,
        subject_name=crossing.sensor_name,
        at=crossing.found_at,
    )

"""Limits on metrics: set by people, watched by the service, told by webhooks."""

from datetime import UTC, datetime
from uuid import UUID

from servicekit.database import Database
from servicekit.events import Event, EventKind
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.outbox import note
from servicekit.pagination import Cursor, Page, PageQuery, page_of

from experiment_service.errors import LimitExceeded
from experiment_service.models.audited import (
    METRIC_WATCH_CREATED,
    METRIC_WATCH_REMOVED,
    WatchData,
)
from experiment_service.models.events import THRESHOLD_CROSSED, CrossingData
from experiment_service.models.metric_watches import (
    MAX_WATCHES,
    Crossing,
    MetricWatch,
    NewMetricWatch,
)
from experiment_service.operations.telling import tell
from experiment_service.queries.metric_watches import (
    count_watches,
    delete_watch,
    insert_crossings,
    insert_watch,
    lock_watches,
    select_watched,
    select_watches,
)
from experiment_service.queries.metrics import select_metrics_published


async def list_watches(database: Database, project_id: UUID, query: PageQuery) -> Page[MetricWatch]:
    """One page of a project's limits in the order in which they were set."""
    after = Cursor.decode(query.cursor, sort="id").row_id if query.cursor else None
    async with database.acquire() as connection:
        found = await select_watches(
            connection, project_id=project_id, after=after, limit=query.limit + 1
        )
    return page_of(found, limit=query.limit, cursor=lambda one: Cursor(sort="id", id=one.id))


async def add_watch(
    database: Database, principal: Principal, project_id: UUID, new: NewMetricWatch
) -> MetricWatch:
    """Set a limit.

    Raises:
        LimitExceeded: there are as many as there may be.
    """
    watch = MetricWatch(
        id=uuid7(),
        project_id=project_id,
        key=new.key,
        direction=new.direction,
        threshold=new.threshold,
        created_by=principal.user_id,
        created_at=datetime.now(UTC),
    )
    async with database.acquire() as connection, connection.transaction():
        await lock_watches(connection, project_id)
        count = await count_watches(connection, project_id=project_id)
        if count >= MAX_WATCHES:
            msg = f"There are {count} limits, which is the most a project may have."
            raise LimitExceeded(msg)
        await insert_watch(connection, watch)
        await note(connection, [_noted(METRIC_WATCH_CREATED, watch)])
    return watch


async def remove_watch(database: Database, watch_id: UUID) -> None:
    """Forget a limit."""
    async with database.acquire() as connection, connection.transaction():
        watch = await delete_watch(connection, watch_id)
        if watch:
            await note(connection, [_noted(METRIC_WATCH_REMOVED, watch)])


async def tell_of_crossings(database: Database) -> int:
    """Tell of runs that are beyond a limit and were not told of before; how many.

    Any number of processes may do so: a run is noted for a limit once, in the transaction in
    which what is told of it is queued.
    """
    async with database.acquire() as connection:
        if not await select_watched(connection) or not await select_metrics_published(connection):
            return 0
        async with connection.transaction():
            crossings = await insert_crossings(connection)
            await tell(connection, [_event(crossing) for crossing in crossings])
    return len(crossings)


def _noted(kind: EventKind[WatchData], watch: MetricWatch) -> Event:
    data = WatchData(on=watch.key, direction=watch.direction, threshold=watch.threshold)
    return kind.event(data, project_id=watch.project_id, subject_id=watch.id)


def _event(crossing: Crossing) -> Event:
    return THRESHOLD_CROSSED.event(
        CrossingData(
            watch_id=crossing.watch_id,
            key=crossing.key,
            direction=crossing.direction,
            threshold=crossing.threshold,
            value=crossing.value,
            step=crossing.step,
            experiment_id=crossing.experiment_id,
            experiment_name=crossing.experiment_name,
        ),
        project_id=crossing.project_id,
        subject_id=crossing.run_id,
        subject_name=crossing.run_name,
        at=crossing.at,
    )

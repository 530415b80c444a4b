"""Telling of sensors that went silent, and that are back."""

from servicekit.database import Database
from servicekit.events import Event

from experiment_service.models.events import SENSOR_OFFLINE, SENSOR_ONLINE, PresenceData
from experiment_service.models.presence import PresenceChange
from experiment_service.operations.telling import tell
from experiment_service.queries.activity import select_activity_published
from experiment_service.queries.presence import lock_presence, upsert_presence


async def tell_of_presence(database: Database) -> int:
    """Tell every project that sees a sensor that it is offline, or heard again; how many events.

    Of many processes one looks; a change is noted in the transaction in which it is told of.
    """
    async with database.acquire() as connection:
        if not await select_activity_published(connection):
            return 0
        async with connection.transaction():
            if not await lock_presence(connection):
                return 0
            changes = await upsert_presence(connection)
            await tell(connection, [_event(change) for change in changes])
    return len(changes)


def _event(change: PresenceChange) -> Event:
    kind = SENSOR_OFFLINE if change.offline else SENSOR_ONLINE
    return kind.event(
        PresenceData(last_received_at=change.last_received_at, offline_since=change.offline_since),
        project_id=change.project_id,
        subject_id=change.sensor_id,
        subject_name=change.sensor_name,
        at=change.at,
    )

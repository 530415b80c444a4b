"""What a sensor has sent lately, and what of it was refused."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from servicekit.database import Database

from telemetry_ingest_service.models.activity import HeartbeatQuery, Heartbeats, SensorErrors
from telemetry_ingest_service.queries.activity import select_errors, select_heartbeats

MOST_HEARTBEATS = 10_080  # a week of minutes


async def list_errors(database: Database, sensor_id: UUID) -> SensorErrors:
    """The last kinds of mistakes, minute by minute."""
    async with database.acquire() as connection:
        return SensorErrors(items=await select_errors(connection, sensor_id=sensor_id))


async def list_heartbeats(database: Database, sensor_id: UUID, query: HeartbeatQuery) -> Heartbeats:
    """The minutes of the span in which the sensor sent; a time without a zone is UTC."""
    until = _utc(query.until or datetime.now(UTC) + timedelta(minutes=1))
    since = _utc(query.since) if query.since else _hour_before(until)
    async with database.acquire() as connection:
        items = await select_heartbeats(
            connection, sensor_id=sensor_id, since=since, until=until, most=MOST_HEARTBEATS
        )
    return Heartbeats(items=items)


def _hour_before(time: datetime) -> datetime:
    try:
        return time - timedelta(hours=1)
    except OverflowError:  # there is no time before it, and nobody sent in the year 1
        return time


def _utc(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)

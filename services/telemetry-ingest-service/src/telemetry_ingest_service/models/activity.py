"""What is known of a sensor by what it sent."""

from datetime import datetime

from pydantic import Field
from servicekit.fields import Answer, Query


class SensorError(Answer):
    """Readings of one minute that were refused for one reason."""

    minute: datetime
    signal: str
    reason: str
    count: int = Field(description="How many readings it cost.")
    example: str
    last_at: datetime


class SensorErrors(Answer):
    """The latest of what was refused, the last first."""

    items: list[SensorError]


class Heartbeat(Answer):
    """A minute, by the server's clock, in which a sensor sent."""

    minute: datetime
    readings: int
    batches: int
    max_latency_us: int = Field(description="The longest time from a reading to its receipt, µs.")


class Heartbeats(Answer):
    """The minutes in which a sensor sent, the earliest first."""

    items: list[Heartbeat]


class HeartbeatQuery(Query):
    """A span of time; the hour before `to`, which is now, unless it says otherwise."""

    since: datetime | None = Field(default=None, alias="from")
    until: datetime | None = Field(default=None, alias="to")

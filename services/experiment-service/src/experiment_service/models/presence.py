"""Sensors that went silent, or are back."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel


class PresenceChange(BaseModel, frozen=True):
    """A sensor that was found offline, or heard again, as one of its projects is told of it."""

    sensor_id: UUID
    sensor_name: str
    project_id: UUID
    offline: bool
    last_received_at: datetime
    offline_since: datetime
    at: datetime

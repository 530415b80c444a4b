"""Sensors as experiment-service publishes them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel


class SensorToken(BaseModel, frozen=True):
    """A token that is valid now, and its sensor."""

    sensor_id: UUID
    secret_hash: bytes
    expires_at: datetime | None


class KnownSensor(BaseModel, frozen=True):
    """A sensor: its project, and the signals that it has."""

    sensor_id: UUID
    project_id: UUID
    status: str
    signals: frozenset[str]

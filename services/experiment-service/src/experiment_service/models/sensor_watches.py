"""Limits on signals of sensors, as set, stored and answered."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from servicekit.fields import Answer, Body, Timestamp

from experiment_service.models.metric_watches import WatchDirection
from experiment_service.models.sensors import SignalName

MAX_SENSOR_WATCHES = 50


class NewSensorWatch(Body):
    """A limit on a signal, in physical units where it has a published profile, else in raw ones."""

    signal: SignalName
    direction: WatchDirection = Field(description="Beyond which side of the threshold it is told.")
    threshold: float
    rearm_at: float | None = Field(
        default=None,
        description="After it was crossed it is told again only once a value was back here; the"
        " threshold itself where nothing is said.",
    )

    @model_validator(mode="after")
    def _behind(self) -> Self:
        if self.rearm_at is not None and (
            self.rearm_at > self.threshold
            if self.direction == "above"
            else self.rearm_at < self.threshold
        ):
            msg = "rearm_at lies beyond the threshold"
            raise ValueError(msg)
        return self


class SensorWatch(Answer):
    """A limit on a signal: told of whenever a reading crosses it."""

    id: UUID
    sensor_id: UUID
    signal: str
    direction: WatchDirection
    threshold: float
    rearm_at: float | None
    created_by: UUID
    created_at: Timestamp


class SensorCrossing(BaseModel, frozen=True):
    """A reading beyond a limit, as one of the projects that see the sensor is told of it."""

    watch_id: UUID
    sensor_id: UUID
    sensor_name: str
    project_id: UUID
    signal: str
    direction: WatchDirection
    threshold: float
    value: float
    most: float
    unit: str
    taken_at: datetime
    found_at: datetime

"""Limits on metrics, as set, stored and answered."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field
from servicekit.fields import Answer, Body, Key, Timestamp

MAX_WATCHES = 100

type WatchDirection = Literal["above", "below"]


class NewMetricWatch(Body):
    """A limit on a metric of every run of the project."""

    key: Key = Field(description="The metric.")
    direction: WatchDirection = Field(description="Beyond which side of the threshold it is told.")
    threshold: float


class MetricWatch(Answer):
    """A limit on a metric: each run whose latest value is found beyond it is told of once."""

    id: UUID
    project_id: UUID
    key: str
    direction: WatchDirection
    threshold: float
    created_by: UUID
    created_at: Timestamp


class Crossing(BaseModel, frozen=True):
    """A run that was found beyond a limit."""

    watch_id: UUID
    project_id: UUID
    key: str
    direction: WatchDirection
    threshold: float
    run_id: UUID
    run_name: str
    experiment_id: UUID
    experiment_name: str
    value: float
    step: int | None
    at: datetime

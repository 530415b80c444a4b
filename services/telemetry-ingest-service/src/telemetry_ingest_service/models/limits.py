"""Limits on signals, as experiment-service publishes them, and crossings of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel


class SignalLimit(BaseModel, frozen=True):
    """A limit; readings from before it was set are not looked at."""

    watch_id: UUID
    sensor_id: UUID
    signal: str
    direction: Literal["above", "below"]
    threshold: float
    rearm_at: float
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Crossing:
    """The first reading beyond a limit (taken_us: µs since 1970), and the one furthest beyond."""

    watch_id: UUID
    value: float
    most: float
    unit: str
    taken_us: int


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at new readings of a limit found: a crossing, and whether it is past now."""

    crossing: Crossing | None
    crossed: bool

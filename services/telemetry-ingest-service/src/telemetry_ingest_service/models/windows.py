"""Capture sessions and profiles, as experiment-service publishes them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from conversion import Profile
from pydantic import BaseModel


class CaptureWindow(BaseModel, frozen=True):
    """A capture session: its sensors and its time."""

    capture_session_id: UUID
    project_id: UUID
    started_at: datetime
    stopped_at: datetime | None
    sensor_ids: list[UUID]
    profiles: dict[UUID, dict[str, UUID]]


@dataclass(frozen=True, slots=True)
class PublishedProfile:
    """A profile and the time for which it holds: from ≤ t < to, in µs since 1970."""

    profile_id: UUID
    sensor_id: UUID
    signal: str
    profile: Profile
    unit: str
    valid_from: int
    valid_to: int | None

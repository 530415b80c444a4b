"""Exact figures of signals over everything that capture sessions hold of them."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from servicekit.fields import Answer, Body

from telemetry_ingest_service.models.series import SignalName

MAX_READINGS = 10_000_000

type Percentile = Annotated[float, Field(ge=0, le=100)]


class SignalOfSessions(Body):
    """A signal in one or more capture sessions, taken together."""

    capture_session_ids: list[UUID] = Field(min_length=1, max_length=100)
    sensor_id: UUID
    signal: SignalName


class StatisticsQuery(Body):
    """Which signals of which capture sessions."""

    items: list[SignalOfSessions] = Field(min_length=1, max_length=500)
    percentiles: list[Percentile] = Field(default=[], max_length=20)
    values: Literal["raw", "physical"] = Field(
        default="physical",
        description="As they came, or converted; a signal without any profile stays as it came.",
    )


class SignalStatistics(Answer):
    """Figures of the finite values; null where there is none.

    Percentiles lie between neighbours linearly.
    """

    count: int
    finite: int = Field(description="Values that are there, finite, and convert.")
    mean: float | None
    deviation: float | None = Field(description="Of a sample; null for a single value.")
    min: float | None
    max: float | None
    percentiles: list[float | None] = Field(description="In the order asked for.")
    unit: str
    reason: str | None = Field(description="Why there are no figures although there are readings.")


class SignalStatisticsList(Answer):
    """In the order asked for."""

    items: list[SignalStatistics]

"""What this service tells others of."""

from typing import Literal
from uuid import UUID

from pydantic import Field
from servicekit.events import Catalogue, EventKind
from servicekit.fields import Answer, NotFinite, Timestamp

from experiment_service.models.metric_watches import WatchDirection
from experiment_service.models.statuses import RunStatus

type EventType = Literal[
    "run.created",
    "run.started",
    "run.succeeded",
    "run.failed",
    "run.interrupted",
    "run.archived",
    "run.restored",
    "metric.threshold_crossed",
    "sensor.offline",
    "sensor.online",
    "sensor.threshold_crossed",
]
"""What a webhook can be told of."""


class RunData(Answer):
    """The step that a run has taken."""

    status: RunStatus
    experiment_id: UUID
    experiment_name: str
    duration_seconds: float | None = Field(description="Null while it goes on, or never began.")


class CrossingData(Answer):
    """A value of a run beyond a limit that was set on its metric."""

    watch_id: UUID
    key: str
    direction: WatchDirection
    threshold: float
    value: float | NotFinite
    step: int | None
    experiment_id: UUID
    experiment_name: str


class FieldsData(Answer):
    """What was changed; the values stay where they are, since some are nobody else's to know."""

    fields: list[str]


class CaptureData(Answer):
    """A recording of a run's sensors."""

    run_id: UUID
    ordinal: int = Field(description="The how manieth of its run, from 1.")
    sensor_ids: list[UUID]


class CaptureStopData(CaptureData):
    """Why a recording ended: by a person, by its time, or with its run."""

    reason: Literal["person", "time", "run"]


class TokenData(Answer):
    """A token of a sensor; never the token itself."""

    token_id: UUID


class PresenceData(Answer):
    """When a sensor was heard last, by the clock of the server."""

    last_received_at: Timestamp
    offline_since: Timestamp = Field(description="When it was found silent for five minutes.")


class SensorCrossingData(Answer):
    """A reading of a sensor beyond a limit that was set on its signal."""

    watch_id: UUID
    signal: str
    direction: WatchDirection
    threshold: float
    value: float = Field(description="The reading that crossed it.")
    most: float = Field(description="The one that was furthest beyond, of what arrived with it.")
    unit: str
    taken_at: Timestamp


class PauseData(Answer):
    """Why an address is called no more until somebody resumes it."""

    reason: Literal["failing", "gone"]


class NoData(Answer):
    """Nothing beside what every event says."""


def _run(type_: str, about: str) -> EventKind[RunData]:
    return EventKind(type_, about, subject="run", data=RunData)


RUN_STEPS: dict[RunStatus, EventKind[RunData]] = {
    "draft": _run("run.created", "A run was made and has not begun."),
    "running": _run("run.started", "A run began, or goes on after an interruption."),
    "succeeded": _run("run.succeeded", "A run ended well."),
    "failed": _run("run.failed", "A run ended in failure."),
    "interrupted": _run("run.interrupted", "A run stopped giving signs of life."),
    "archived": _run("run.archived", "A run was hidden."),
}
RUN_RESTORED = _run("run.restored", "A hidden run was brought back as it was.")
THRESHOLD_CROSSED = EventKind(
    "metric.threshold_crossed",
    "The latest value of a metric was found beyond a limit; once a run and limit.",
    subject="run",
    data=CrossingData,
)
SENSOR_OFFLINE = EventKind(
    "sensor.offline",
    "Nothing was received of a sensor for five minutes; told to every project that sees it.",
    subject="sensor",
    data=PresenceData,
)
SENSOR_ONLINE = EventKind(
    "sensor.online",
    "A sensor that was offline is heard again.",
    subject="sensor",
    data=PresenceData,
)
SENSOR_CROSSED = EventKind(
    "sensor.threshold_crossed",
    "A reading of a sensor crossed a limit; told to every project that sees the sensor.",
    subject="sensor",
    data=SensorCrossingData,
)
WEBHOOK_TEST = EventKind(
    "webhook.test",
    "Somebody pressed the test button of a webhook.",
    subject="webhook",
    data=NoData,
)
NOTIFICATION_TEST = EventKind(
    "notification.test",
    "Somebody asked for a test mail.",
    subject="user",
    data=NoData,
)


def _of(subject: str, step: str, about: str) -> EventKind[NoData]:
    return EventKind(f"{subject}.{step}", about, subject=subject, data=NoData)


def _changed(subject: str, about: str) -> EventKind[FieldsData]:
    return EventKind(f"{subject}.changed", about, subject=subject, data=FieldsData)


def _token(step: str, about: str) -> EventKind[TokenData]:
    return EventKind(f"sensor.{step}", about, subject="sensor", data=TokenData)


EXPERIMENT_CREATED = _of("experiment", "created", "An experiment was made.")
EXPERIMENT_CHANGED = _changed("experiment", "An experiment was edited.")
EXPERIMENT_ARCHIVED = _of("experiment", "archived", "An experiment was hidden, with its runs.")
EXPERIMENT_RESTORED = _of("experiment", "restored", "A hidden experiment was brought back.")
CAPTURE_STARTED = EventKind(
    "capture.started",
    "A run began to record sensors.",
    subject="capture_session",
    data=CaptureData,
)
CAPTURE_STOPPED = EventKind(
    "capture.stopped",
    "A recording ended: somebody stopped it, its time was over, or its run ended.",
    subject="capture_session",
    data=CaptureStopData,
)
SENSOR_CREATED = _of("sensor", "created", "A sensor was registered.")
SENSOR_CHANGED = _changed("sensor", "A sensor was edited.")
SENSOR_DECOMMISSIONED = _of("sensor", "decommissioned", "A sensor was taken out of use.")
SENSOR_TOKEN_ROTATED = _token("token_rotated", "A sensor got a new token; those before end.")
SENSOR_TOKEN_REVOKED = _token("token_revoked", "A token of a sensor was ended at once.")
WEBHOOK_CREATED = _of("webhook", "created", "An address was added that is told of events.")
WEBHOOK_CHANGED = _changed("webhook", "A webhook was edited, paused or resumed.")
WEBHOOK_PAUSED = EventKind(
    "webhook.paused",
    "The service itself stopped calling an address that fails for days, or says that it is gone.",
    subject="webhook",
    data=PauseData,
)
WEBHOOK_SECRET_ROTATED = _of("webhook", "secret_rotated", "A webhook got a new secret.")
WEBHOOK_REMOVED = _of("webhook", "removed", "A webhook was removed with its log.")

EVENTS = Catalogue(
    *RUN_STEPS.values(),
    RUN_RESTORED,
    THRESHOLD_CROSSED,
    SENSOR_OFFLINE,
    SENSOR_ONLINE,
    SENSOR_CROSSED,
    EXPERIMENT_CREATED,
    EXPERIMENT_CHANGED,
    EXPERIMENT_ARCHIVED,
    EXPERIMENT_RESTORED,
    CAPTURE_STARTED,
    CAPTURE_STOPPED,
    SENSOR_CREATED,
    SENSOR_CHANGED,
    SENSOR_DECOMMISSIONED,
    SENSOR_TOKEN_ROTATED,
    SENSOR_TOKEN_REVOKED,
    WEBHOOK_CREATED,
    WEBHOOK_CHANGED,
    WEBHOOK_PAUSED,
    WEBHOOK_SECRET_ROTATED,
    WEBHOOK_REMOVED,
)

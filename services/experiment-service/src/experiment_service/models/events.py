"""What this service tells others of."""

from typing import Literal
from uuid import UUID

from pydantic import Field
from servicekit.events import Catalogue, EventKind
from servicekit.fields import Answer

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
    value: float
    step: int | None
    experiment_id: UUID
    experiment_name: str


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
WEBHOOK_TEST = EventKind(
    "webhook.test",
    "Somebody pressed the test button of a webhook.",
    subject="webhook",
    data=NoData,
)

EVENTS = Catalogue(*RUN_STEPS.values(), RUN_RESTORED, THRESHOLD_CROSSED)

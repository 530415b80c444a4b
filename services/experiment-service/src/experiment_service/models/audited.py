"""What this service tells the audit trail alone: settings, and who is let at a sensor."""

from uuid import UUID

from pydantic import Field
from servicekit.events import EventKind
from servicekit.fields import Answer

from experiment_service.models.events import FieldsData, NoData
from experiment_service.models.metric_watches import WatchDirection


class WatchData(Answer):
    """A limit that was set, or taken away."""

    on: str = Field(description="The metric, or the signal.")
    direction: WatchDirection
    threshold: float
    sensor_id: UUID | None = None


class ProfileData(Answer):
    """A conversion profile of a signal."""

    sensor_id: UUID
    signal: str
    version: int


class ShareData(Answer):
    """The other project whose members see a sensor, or no longer."""

    with_project_id: UUID


class SignalData(Answer):
    """A signal of a sensor."""

    signal: str
    fields: list[str] = Field(default=[], description="What was changed of it.")


def _watch(subject: str, step: str, about: str) -> EventKind[WatchData]:
    return EventKind(f"{subject}_watch.{step}", about, subject=f"{subject}_watch", data=WatchData)


def _profile(step: str, about: str) -> EventKind[ProfileData]:
    return EventKind(f"profile.{step}", about, subject="profile", data=ProfileData)


def _share(step: str, about: str) -> EventKind[ShareData]:
    return EventKind(f"sensor.{step}", about, subject="sensor", data=ShareData)


def _signal(step: str, about: str) -> EventKind[SignalData]:
    return EventKind(f"sensor.signal_{step}", about, subject="sensor", data=SignalData)


METRIC_WATCH_CREATED = _watch("metric", "created", "A limit was set on a metric.")
METRIC_WATCH_REMOVED = _watch("metric", "removed", "A limit on a metric was taken away.")
SENSOR_WATCH_CREATED = _watch("sensor", "created", "A limit was set on a signal.")
SENSOR_WATCH_REMOVED = _watch("sensor", "removed", "A limit on a signal was taken away.")
RULE_CREATED = EventKind(
    "notification_rule.created",
    "Somebody is told of events by mail from now on.",
    subject="notification_rule",
    data=NoData,
)
RULE_CHANGED = EventKind(
    "notification_rule.changed",
    "Somebody changed what they are told of by mail.",
    subject="notification_rule",
    data=FieldsData,
)
RULE_REMOVED = EventKind(
    "notification_rule.removed",
    "Somebody is no longer told by mail.",
    subject="notification_rule",
    data=NoData,
)
PROFILE_CREATED = _profile("created", "A conversion profile was drafted.")
PROFILE_CHANGED = _profile("changed", "A draft of a conversion profile was edited.")
PROFILE_REMOVED = _profile("removed", "A draft of a conversion profile was deleted.")
PROFILE_PUBLISHED = _profile("published", "A conversion profile holds from a moment on.")
PROFILE_RETIRED = _profile("retired", "A conversion profile holds no longer.")
SENSOR_SHARED = _share("shared", "Members of another project see and record a sensor.")
SENSOR_UNSHARED = _share("unshared", "Members of another project see a sensor no longer.")
SIGNAL_ADDED = _signal("added", "A sensor got a signal.")
SIGNAL_CHANGED = _signal("changed", "A signal of a sensor was edited.")
SIGNAL_REMOVED = _signal("removed", "A signal of a sensor was removed.")
WEBHOOK_TESTED = EventKind(
    "webhook.tested", "Somebody had a webhook called to try it.", subject="webhook", data=NoData
)

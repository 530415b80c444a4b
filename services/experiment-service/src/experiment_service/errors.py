"""What can go wrong here, in the words our users read."""

from servicekit.problems import Conflict, Invalid


class ExperimentNameTaken(Conflict):
    """Another experiment of this project already has that name."""

    code = "experiment-name-taken"


class ExperimentArchived(Conflict):
    """The experiment is archived; restore it first."""

    code = "experiment-archived"


class RunArchived(Conflict):
    """The run is archived; restore it first."""

    code = "run-archived"


class StatusConflict(Conflict):
    """The status changed while this request was on its way."""

    code = "status-conflict"


class TransitionNotAllowed(Conflict):
    """There is no step from the present status to that one."""

    code = "transition-not-allowed"


class NotArchived(Conflict):
    """There is nothing to restore: it is not archived."""

    code = "not-archived"


class ParamAlreadySet(Conflict):
    """A param keeps its first value."""

    code = "param-already-set"


class ViewNameTaken(Conflict):
    """Another view already has that name."""

    code = "view-name-taken"


class WebhooksOff(Conflict):
    """Webhooks are off: the operator has set no WEBHOOK_SECRET_KEY to keep their secrets under."""

    code = "webhooks-off"


class SensorNameTaken(Conflict):
    """Another sensor of this project already has that name."""

    code = "sensor-name-taken"


class SensorDecommissioned(Conflict):
    """The sensor is decommissioned: what it sent stays, and nothing about it changes."""

    code = "sensor-decommissioned"


class SensorInUse(Conflict):
    """A capture session is recording the sensor; stop that first."""

    code = "sensor-in-use"


class SignalNameTaken(Conflict):
    """The sensor already has a signal of that name."""

    code = "signal-name-taken"


class SignalInUse(Conflict):
    """The signal can no longer be removed."""

    code = "signal-in-use"


class ProfilePublished(Conflict):
    """The profile is published: it no longer changes."""

    code = "profile-published"


class ProfileNotPublished(Conflict):
    """The profile is a draft: there is nothing to retire; delete it."""

    code = "profile-not-published"


class ProfileTimeTaken(Conflict):
    """Another profile of the signal begins at that very moment."""

    code = "profile-time-taken"


class RunNotRunning(Conflict):
    """Only a running run can record."""

    code = "run-not-running"


class CaptureSessionActive(Conflict):
    """The run is recording already; stop that capture session first."""

    code = "capture-session-active"


class CaptureSessionStopped(Conflict):
    """The capture session has stopped: what it records no longer changes."""

    code = "capture-session-stopped"


class LimitExceeded(Invalid):
    """That is more than one thing may hold."""

    code = "limit-exceeded"

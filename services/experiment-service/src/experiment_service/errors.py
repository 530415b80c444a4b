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


class LimitExceeded(Invalid):
    """That is more than one run or experiment may hold."""

    code = "limit-exceeded"

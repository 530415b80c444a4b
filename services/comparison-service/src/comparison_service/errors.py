"""Every error of this service that a caller can meet, beside those of the kit."""

from servicekit.problems import Conflict, Problem


class LimitExceeded(Conflict):
    """There are as many as there may be."""

    code = "limit-exceeded"


class RunElsewhere(Problem):
    """The run is none of this experiment's."""

    code, status = "run-elsewhere", 422


class TooMuchToCompare(Problem):
    """What these runs hold is too much to compare at once."""

    code, status = "too-much-to-compare", 422

"""Every error of this service that a caller can meet, beside those of the kit."""

from servicekit.problems import Conflict


class RunArchived(Conflict):
    """The run is archived and takes no more points."""

    code = "run-archived"

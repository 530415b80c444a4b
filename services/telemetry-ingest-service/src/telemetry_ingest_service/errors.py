"""Every error of this service that a caller can meet, beside those of the kit."""

from servicekit.problems import Conflict


class SensorDecommissioned(Conflict):
    """The sensor was decommissioned and sends no more."""

    code = "sensor-decommissioned"


class StillNotStorable(Conflict):
    """The batch cannot be stored as it is; it stays set aside."""

    code = "still-not-storable"

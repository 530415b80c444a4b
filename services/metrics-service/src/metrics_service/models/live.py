"""What viewers of a run are sent."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LiveBatch:
    """Everything logged after one ordinal up to another, as the data of one event."""

    after: int
    ordinal: int
    data: bytes

"""What telemetry-ingest-service reads from its environment."""

from pydantic import Field
from servicekit.settings import ServiceSettings


class Settings(ServiceSettings):
    """What all services have, how much a sensor may send, how long repeats are known."""

    port: int = Field(
        default=8003, ge=0, le=65535, description="Port to listen on; 0 takes a free one."
    )
    batch_ids_kept_days: int = Field(
        default=90,
        ge=1,
        le=36_500,
        description="Days for which a repeat of a batch is known to be one.",
    )
    sensor_readings_per_sec: int = Field(
        default=200_000,
        ge=1,
        le=1_000_000_000,
        description="Readings a second that one sensor may send, on average.",
    )

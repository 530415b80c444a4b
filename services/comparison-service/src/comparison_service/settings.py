"""What comparison-service reads from its environment."""

from pydantic import Field
from servicekit.settings import HttpAddresses, ServiceSettings


class Settings(ServiceSettings):
    """What all services have, where the others are, and how long they have for an answer."""

    port: int = Field(
        default=8006, ge=0, le=65535, description="Port to listen on; 0 takes a free one."
    )
    experiment_service_url: HttpAddresses = Field(
        default="http://127.0.0.1:8002", description="Where runs and capture sessions are read."
    )
    telemetry_service_url: HttpAddresses = Field(
        default="http://127.0.0.1:8003", description="Where readings of sensors are read."
    )
    metrics_service_url: HttpAddresses = Field(
        default="http://127.0.0.1:8004", description="Where metrics are read."
    )
    artifact_service_url: HttpAddresses = Field(
        default="http://127.0.0.1:8005", description="Where files of runs are listed."
    )
    read_timeout_sec: float = Field(
        default=5,
        ge=0.1,
        le=60,
        description="Seconds that another service has for an answer; what is later is missing.",
    )

"""Everything this service reads from its environment."""

from pydantic import Field
from servicekit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of experiment-service."""

    port: int = Field(
        default=8002, ge=0, le=65535, description="Port to listen on; 0 takes a free one."
    )
    run_heartbeat_timeout_sec: float = Field(
        default=60,
        ge=1,
        le=86_400,
        description="Seconds without a heartbeat after which a run counts as interrupted.",
    )
    run_sweep_every_sec: float = Field(
        default=5,
        ge=0.1,
        le=3600,
        description="Seconds between two looks for silent runs and runs to complete.",
    )

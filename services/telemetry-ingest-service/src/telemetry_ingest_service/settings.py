"""What telemetry-ingest-service reads from its environment."""

from typing import Literal, Self

from pydantic import Field, model_validator
from servicekit.settings import ServiceSettings

# The bytes of the largest request, with the longest names.
LARGEST_BATCH = 2 << 20


class Settings(ServiceSettings):
    """What all services have, how much a sensor may send, and what holds it until it is stored."""

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
    telemetry_buffer: Literal["off", "stream"] = Field(
        default="off",
        description="stream answers once Valkey has the readings; off once PostgreSQL has them.",
    )
    telemetry_buffer_max_bytes: int = Field(
        default=128 << 20,
        ge=4 << 20,
        le=1 << 40,
        description="Bytes that may wait in the buffer; what is beyond is answered 429.",
    )
    telemetry_buffer_shards: int = Field(
        default=2,
        ge=1,
        le=64,
        description="Streams that the buffer consists of; each is moved by one process at a time.",
    )

    telemetry_buffer_replicas: int = Field(
        default=0,
        ge=0,
        le=5,
        description="Replicas that have to have the readings before they are answered.",
    )
    telemetry_buffer_moves: bool = Field(
        default=True,
        description="Whether this process moves what the buffer holds, beside taking readings.",
    )

    @property
    def bytes_of_a_shard(self) -> int:
        """What may wait in one stream of the buffer."""
        return self.telemetry_buffer_max_bytes // self.telemetry_buffer_shards

    @model_validator(mode="after")
    def _can_buffer(self) -> Self:
        if self.bytes_of_a_shard < LARGEST_BATCH:
            msg = f"TELEMETRY_BUFFER_MAX_BYTES needs {LARGEST_BATCH} for each of the shards"
            raise ValueError(msg)
        if self.telemetry_buffer == "stream" and not self.telemetry_broker_url:
            msg = "TELEMETRY_BUFFER=stream needs TELEMETRY_BROKER_URL"
            raise ValueError(msg)
        return self

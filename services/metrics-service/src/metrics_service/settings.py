"""What metrics-service reads from its environment."""

from pydantic import Field
from servicekit.settings import HttpAddresses, ServiceSettings


class Settings(ServiceSettings):
    """What all services have, how long repeats are known, and where MLflow's params go."""

    port: int = Field(
        default=8004, ge=0, le=65535, description="Port to listen on; 0 takes a free one."
    )
    batch_ids_kept_days: int = Field(
        default=90,
        ge=1,
        le=36_500,
        description="Days for which a repeat of a batch id is known to be one.",
    )
    experiment_service_url: HttpAddresses = Field(
        default="", description="Where params and tags of a batch of an MLflow client are sent on."
    )

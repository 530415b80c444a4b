"""What metrics-service reads from its environment."""

from pydantic import Field
from servicekit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Nothing beyond what all services have, but a port of its own."""

    port: int = Field(
        default=8004, ge=0, le=65535, description="Port to listen on; 0 takes a free one."
    )

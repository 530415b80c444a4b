"""What artifact-service reads from its environment."""

from aiohttp import web
from pydantic import Field, field_validator
from servicekit.settings import ServiceSettings

from artifact_service.stores.opening import check_address

KEEP_UPLOADS_SEC: web.AppKey[float] = web.AppKey("keep_uploads_sec", float)


class Settings(ServiceSettings):
    """Beyond what all services have: where files are kept, and how long what nobody needs."""

    port: int = Field(
        default=8005, ge=0, le=65535, description="Port to listen on; 0 takes a free one."
    )
    artifact_store_url: str = Field(
        description="Where files are kept: a folder, or s3://bucket/prefix, gs://…, az://…."
    )
    artifact_keep_sec: float = Field(
        default=3600,
        ge=60,
        description="How long content is kept that no file names, and an upload that stands still.",
    )

    artifact_upload_keep_sec: float = Field(
        default=86_400,
        ge=60,
        description="How long an upload in parts is kept that brings no more of them.",
    )

    @field_validator("artifact_store_url")
    @classmethod
    def _can_be_opened(cls, address: str) -> str:
        return check_address(address)

"""The files of several runs at once, for whoever compares them."""

from uuid import UUID

from pydantic import Field
from servicekit.fields import Answer, Body

from artifact_service.models.artifacts import Sha256


class ArtifactLookup(Body):
    """Which runs' files."""

    run_ids: list[UUID] = Field(min_length=1, max_length=101)
    limit: int = Field(default=10_000, ge=1, le=10_000, description="Files at most.")


class RunArtifact(Answer):
    """A file, and the run that it belongs to."""

    id: UUID
    run_id: UUID
    path: str
    size: int = Field(description="Bytes.")
    sha256: Sha256
    media_type: str


class RunArtifactList(Answer):
    """Files by path, those of one path beside each other; `complete` when that is all."""

    items: list[RunArtifact]
    complete: bool

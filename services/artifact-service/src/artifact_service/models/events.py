"""What this service tells others of."""

from typing import Literal
from uuid import UUID

from pydantic import Field
from servicekit.events import Catalogue, EventKind
from servicekit.fields import Answer


class FileData(Answer):
    """A file of a run or of a logged model; the subject's name is its path."""

    holder: Literal["run", "model"]
    holder_id: UUID
    size: int = Field(description="Bytes.")
    sha256: str = Field(description="64 hex digits.")
    media_type: str


class FolderData(Answer):
    """Files that went together."""

    path: str = Field(description="The folder; empty for all files.")
    files: int


def _file(step: str, about: str) -> EventKind[FileData]:
    return EventKind(f"artifact.{step}", about, subject="artifact", data=FileData)


ARTIFACT_STORED = _file("stored", "A file is there, new or in place of the one before.")
ARTIFACT_REMOVED = _file("removed", "A file was removed.")
ARTIFACT_CHANGED = _file("changed", "The description or the metadata of a file was edited.")
ARTIFACT_APPROVED = _file("approved", "An owner said that the content of a file is good.")
ARTIFACT_APPROVAL_WITHDRAWN = _file("approval_withdrawn", "An approval was taken back.")
RUN_FILES_REMOVED = EventKind(
    "artifact.folder_removed",
    "A folder of a run's files was removed.",
    subject="run",
    data=FolderData,
)
MODEL_FILES_REMOVED = EventKind(
    "model.folder_removed",
    "A folder of a logged model's files was removed.",
    subject="model",
    data=FolderData,
)

EVENTS = Catalogue(
    ARTIFACT_STORED,
    ARTIFACT_REMOVED,
    ARTIFACT_CHANGED,
    ARTIFACT_APPROVED,
    ARTIFACT_APPROVAL_WITHDRAWN,
    RUN_FILES_REMOVED,
    MODEL_FILES_REMOVED,
)

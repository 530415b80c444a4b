"""What this service tells the audit trail alone: who read what."""

from typing import Literal

from pydantic import Field
from servicekit.events import EventKind

from artifact_service.models.events import FileData, FolderData

type Way = Literal["download", "preview", "link"]


class ReadData(FileData):
    """A file whose content went out."""

    way: Way = Field(
        description="All of it or a part as a file; what can be shown of it; or an address of five"
        " minutes, which whoever has it may use."
    )


ARTIFACT_READ = EventKind(
    "artifact.read", "The content of a file was read.", subject="artifact", data=ReadData
)
RUN_FILES_EXPORTED = EventKind(
    "artifact.folder_exported",
    "A folder of a run's files was taken as one zip.",
    subject="run",
    data=FolderData,
)

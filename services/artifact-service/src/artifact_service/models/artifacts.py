"""What is known of a file, and what stands in a folder."""

import mimetypes
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, PlainSerializer
from servicekit.fields import Answer, Timestamp
from servicekit.pagination import PageQuery

from artifact_service.models.paths import Prefix

OCTETS = "application/octet-stream"
ANY = "*/*"

# The machine's own table of types is left out: the answer is the same everywhere.
_TYPES = mimetypes.MimeTypes(filenames=())
for _type, _ending in (
    ("application/json", ".jsonl"),
    ("application/x-parquet", ".parquet"),
    ("application/yaml", ".yaml"),
    ("application/yaml", ".yml"),
    ("text/markdown", ".md"),
    ("text/plain", ".log"),
    ("text/plain", ".toml"),
):
    _TYPES.add_type(_type, _ending)

type Sha256 = Annotated[bytes, PlainSerializer(bytes.hex, return_type=str, when_used="json")]
"""SHA-256 of a content; 64 hex digits in JSON."""


@dataclass(frozen=True, slots=True)
class Holder:
    """What a file belongs to."""

    kind: Literal["run", "model"]
    id: UUID


class Artifact(Answer):
    """A file of a run."""

    id: UUID = Field(description="Stays when the content is replaced.")
    path: str
    size: int = Field(description="Bytes.")
    media_type: str = Field(description="By the name's ending.")
    sha256: Sha256
    description: str
    approved: bool = Field(description="Whether an owner approved just this content.")
    created_by: UUID
    created_at: Timestamp


class StoredArtifact(Artifact):
    """A file, with the object that holds its content."""

    object_id: UUID = Field(exclude=True)
    detected_media_type: str | None = Field(exclude=True)


class Entry(Answer):
    """What stands in a folder: a file, or a folder below it, of which nothing but its path is
    known."""

    kind: Literal["file", "folder"]
    id: UUID | None
    path: str
    size: int | None
    media_type: str | None
    sha256: Sha256 | None
    description: str | None
    approved: bool | None
    created_by: UUID | None
    created_at: Timestamp | None

    def seek_next(self) -> str:
        """What every path behind this entry is no less than, in byte order."""
        return self.path + ("0" if self.kind == "folder" else "\x01")


class FolderQuery(PageQuery):
    """Which folder of the run."""

    prefix: Prefix = Field(default="", description="Path of a folder; the topmost if left out.")


def media_type_of(path: str) -> str:
    """The media type that the ending of a name stands for."""
    kind, encoding = _TYPES.guess_type(path.rpartition("/")[2].lower())
    return OCTETS if encoding or not kind else kind

"""What people say of a file: description, metadata, approval; and which runs used it."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import AfterValidator, Field, JsonValue
from servicekit.fields import Answer, Body, Label, Text, Timestamp

from artifact_service.models.artifacts import Artifact, Sha256
from artifact_service.models.previews import PreviewKind

MAX_METADATA_BYTES = 64 << 10
_SHA256_HEX = r"^[0-9a-f]{64}$"


def _storable(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        text = orjson.dumps(value)
    except TypeError as exc:
        msg = "may hold no whole number beyond 64 bits, and must not be nested too deeply"
        raise ValueError(msg) from exc
    if len(text) > MAX_METADATA_BYTES or b"\\u0000" in text:
        msg = "may hold at most 64 KiB of JSON, without the NUL character"
        raise ValueError(msg)
    return value


type Metadata = Annotated[dict[str, JsonValue], AfterValidator(_storable)]
"""Free JSON, at most 64 KiB."""


class Approval(Answer):
    """An owner's word that this content is good."""

    by: UUID
    at: Timestamp
    note: str


class ArtifactDetails(Artifact):
    """A file, with everything that is known of it."""

    run_id: UUID | None = Field(description="Null for a file of a logged model.")
    model_id: UUID | None = Field(description="Null for a file of a run.")
    project_id: UUID
    metadata: dict[str, JsonValue]
    approval: Approval | None
    detected_media_type: str | None = Field(
        description="By the content's first bytes; null where they say nothing."
    )
    previews: PreviewKind = Field(
        description="As what it can be shown, judging by its name and its first bytes."
    )


class ArtifactChange(Body):
    """A merge patch of what is said of a file: what is left out stays; `metadata` is merged."""

    description: Text = ""
    metadata: Metadata = Field(default={})

    @property
    def given(self) -> dict[str, Any]:
        """The fields that the patch names."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class NewApproval(Body):
    """Which content is approved, so that nobody approves what they have not seen."""

    sha256: str = Field(pattern=_SHA256_HEX, description="64 hex digits.")
    note: Text = ""


class Link(Answer):
    """An address in the store that serves the file to anybody who has it, for a few minutes."""

    url: str
    expires_at: Timestamp


class NewInput(Body):
    """What a file is to the run that uses it."""

    role: Label = Field(default="", description="For instance training or validation.")


class Input(Answer):
    """A file that a run used, as it was then."""

    artifact_id: UUID
    run_id: UUID = Field(description="The run that used it.")
    source_run_id: UUID | None = Field(description="The run that made it.")
    project_id: UUID = Field(description="Where the file belongs.")
    path: str
    size: int
    sha256: Sha256
    role: str
    current: bool = Field(description="Whether the file is still there with the same content.")
    created_by: UUID
    created_at: Timestamp


class Use(Answer):
    """A run that used a file."""

    run_id: UUID
    project_id: UUID = Field(description="Where the run belongs.")
    sha256: Sha256
    role: str
    created_by: UUID
    created_at: Timestamp


def merged(target: JsonValue, patch: JsonValue) -> JsonValue:
    """JSON merge patch (RFC 7396, section 2): null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result

"""An upload in parts, as asked for, kept and answered."""

from uuid import UUID

from pydantic import Field
from servicekit.fields import Answer, Body, Timestamp

from artifact_service.models.artifacts import Holder, Sha256
from artifact_service.models.paths import ArtifactPath

LEAST_PART_BYTES = 32 << 20
MAX_PARTS = 10_000
MAX_BYTES = 5 << 40
MAX_LOOSE_BYTES = 5 << 30
_SHA256_HEX = r"^[0-9a-f]{64}$"


class NewUpload(Body):
    """A file to be sent in parts."""

    path: ArtifactPath
    size: int = Field(ge=1, le=MAX_BYTES, description="Bytes; at most 5 TiB.")
    sha256: str | None = Field(
        default=None, pattern=_SHA256_HEX, description="Of the whole, in 64 hex digits."
    )


class Completion(Body):
    """What the parts must make."""

    sha256: str | None = Field(
        default=None, pattern=_SHA256_HEX, description="Of the whole, in 64 hex digits."
    )


class UploadPart(Answer):
    """A part that is in the store, whole."""

    number: int = Field(description="From 1.")
    size: int
    sha256: Sha256

    @property
    def etag(self) -> str:
        """Stands in the answer's head, where MLflow's clients look for it."""
        return self.sha256.hex()


class Upload(Answer):
    """An upload in parts; every part but the last has `part_size` bytes."""

    id: UUID
    run_id: UUID
    path: str
    size: int
    part_size: int
    parts: list[UploadPart] = Field(description="Those that are there, by number.")
    created_at: Timestamp
    expires_at: Timestamp = Field(description="Each part puts it off.")


class StoredUpload(Answer):
    """An upload as it is kept."""

    id: UUID
    holder: str
    holder_id: UUID
    path: str
    size: int
    part_size: int
    loose: bool
    sha256: bytes | None
    object_id: UUID | None
    artifact_id: UUID | None
    created_at: Timestamp
    expires_at: Timestamp

    @property
    def belongs_to(self) -> Holder:
        """What the file will belong to."""
        return Holder("model" if self.holder == "model" else "run", self.holder_id)

    @property
    def count(self) -> int:
        """How many parts there are in all."""
        return -(-self.size // self.part_size)

    def begin_of(self, number: int) -> int | None:
        """Where the part begins in the file; None where only the parts before it say that."""
        return None if self.loose else (number - 1) * self.part_size

    def size_of(self, number: int) -> int | None:
        """How long the part has to be; None where it may be of any length."""
        begin = self.begin_of(number)
        return None if begin is None else min(self.part_size, self.size - begin)

    def answer(self, parts: list[UploadPart]) -> Upload:
        """As it is answered."""
        return Upload(
            id=self.id,
            run_id=self.holder_id,
            path=self.path,
            size=self.size,
            part_size=self.part_size,
            parts=parts,
            created_at=self.created_at,
            expires_at=self.expires_at,
        )


def part_size_for(size: int) -> int:
    """Bytes of each part: 32 MiB, doubled until 10,000 parts are enough."""
    part_size = LEAST_PART_BYTES
    while size > part_size * MAX_PARTS:
        part_size *= 2
    return part_size

"""MLflow's uploads in parts: the client sends them to our own address for parts, then asks to join.

It says how many parts there will be, but neither how long they are nor how long the file is. Logged
models have no uploads in parts here; the client is told so and then sends their files in one piece.
"""

import posixpath
from uuid import UUID

from aiohttp import web
from pydantic import Field
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.identity import PRINCIPAL, bearer_token
from servicekit.mlflow import Calls, DoesNotExist, InvalidParameter, Message
from servicekit.routing import rest_of_path

from artifact_service.mlflow.locations import Location, Unsupported, clean, location
from artifact_service.models.artifacts import OCTETS
from artifact_service.models.uploads import MAX_PARTS, StoredUpload
from artifact_service.operations import joining, parts
from artifact_service.operations.holders import read_holder
from artifact_service.queries.uploads import select_parts, select_upload
from artifact_service.settings import KEEP_UPLOADS_SEC
from artifact_service.stores.contract import STORE

calls = Calls()

_SLASHES_BEFORE = 6  # /api/2.0/mlflow-artifacts/mpu/create/<path>
_REST = "{artifact_path:(?s:.+)}"


class CreateParts(Message):
    """The file as the client has it on its disk, and in how many parts it comes."""

    path: str
    num_parts: int = Field(ge=1, le=MAX_PARTS)


class SentPart(Message):
    """A part, and the ETag that it was answered with."""

    part_number: int
    etag: str = ""


class CompleteParts(Message):
    """Which upload, and all its parts."""

    path: str
    upload_id: str
    parts: list[SentPart] = Field(max_length=MAX_PARTS)


class AbortParts(Message):
    """Which upload."""

    path: str
    upload_id: str


def _location(request: web.Request) -> Location:
    return location(rest_of_path(request, after=_SLASHES_BEFORE))


async def _project(request: web.Request, _message: object) -> UUID | None:
    place = _location(request)
    state = await read_holder(request.app[DATABASE], place.holder)
    if state is None or state.experiment_id != place.experiment_id:
        return None
    return state.project_id


@calls.add(
    "POST",
    f"2.0/mlflow-artifacts/mpu/create/{_REST}",
    policy=policy.editor(),
    project=_project,
    limit="ingest",
)
async def create_parts(request: web.Request, message: CreateParts) -> dict[str, object]:
    """Begin an upload; the file is there when it is completed."""
    place = _location(request)
    if place.holder.kind != "run":
        msg = "Multipart upload is not supported for the current artifact repository"
        raise Unsupported(msg)
    upload_id = await parts.begin_loose_upload(
        request.app[DATABASE],
        request.app[STORE],
        request[PRINCIPAL],
        place.holder,
        _file(place, message.path),
        message.num_parts,
        keep_sec=request.app[KEEP_UPLOADS_SEC],
    )
    # To whoever asks, with what they came with themselves.
    headers = {"Authorization": f"Bearer {bearer_token(request)}", "Content-Type": OCTETS}
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
    address = f"{scheme}://{request.host}/api/v1/uploads/{upload_id}/parts"
    return {
        "upload_id": upload_id.hex,
        "credentials": [
            {"url": f"{address}/{number}", "part_number": number, "headers": headers}
            for number in range(1, message.num_parts + 1)
        ],
    }


@calls.add(
    "POST",
    f"2.0/mlflow-artifacts/mpu/complete/{_REST}",
    policy=policy.editor(),
    project=_project,
    limit="ingest",
)
async def complete_parts(request: web.Request, message: CompleteParts) -> None:
    """Make the file of the parts."""
    upload = await _upload(request, message)
    async with request.app[DATABASE].acquire() as connection:
        there = {part.number: part.etag for part in await select_parts(connection, upload.id)}
    for part in message.parts if upload.artifact_id is None else []:
        if there.get(part.part_number) != part.etag.strip('"'):
            msg = f"Part {part.part_number} is not the one that was sent."
            raise InvalidParameter(msg)
    await joining.complete_upload(
        request.app[DATABASE],
        request.app[STORE],
        request[PRINCIPAL],
        upload.id,
        declared=None,
        keep_sec=request.app[KEEP_UPLOADS_SEC],
    )


@calls.add(
    "POST",
    f"2.0/mlflow-artifacts/mpu/abort/{_REST}",
    policy=policy.editor(),
    project=_project,
    limit="ingest",
)
async def abort_parts(request: web.Request, message: AbortParts) -> None:
    """Give an upload up, with all that was sent of it."""
    upload = await _upload(request, message)
    await parts.abandon_upload(request.app[DATABASE], request.app[STORE], upload.id)


def _file(place: Location, local_path: str) -> str:
    """Where the file stands: in the folder of the address, by its name on the client's disk."""
    name = local_path.replace("\\", "/").rpartition("/")[2]
    return clean(posixpath.join(place.path, name))


async def _upload(request: web.Request, message: CompleteParts | AbortParts) -> StoredUpload:
    """The upload that is meant, which must be for this file.

    Raises:
        DoesNotExist: there is none.
    """
    place = _location(request)
    try:
        upload_id = UUID(message.upload_id)
    except ValueError as exc:
        raise DoesNotExist from exc
    async with request.app[DATABASE].acquire() as connection:
        upload = await select_upload(connection, upload_id)
    if upload is None or (upload.belongs_to, upload.path) != (
        place.holder,
        _file(place, message.path),
    ):
        raise DoesNotExist
    return upload

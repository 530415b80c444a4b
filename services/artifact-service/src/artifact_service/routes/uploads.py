"""/api/v1/runs/{run_id}/uploads and /api/v1/uploads/{upload_id}: files that come in parts."""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.identity import PRINCIPAL
from servicekit.problems import RequestTimeout
from servicekit.routing import Routes

from artifact_service.errors import (
    PartsMissing,
    PathTaken,
    RunArchived,
    StoreFull,
    StoreUnavailable,
    UploadClosed,
    UploadJoining,
    WrongContent,
    WrongPart,
)
from artifact_service.models.artifacts import OCTETS, Artifact, Holder
from artifact_service.models.digests import declared_sha256
from artifact_service.models.uploads import Completion, NewUpload, Upload, UploadPart
from artifact_service.operations import joining, parts
from artifact_service.queries.uploads import select_upload_project
from artifact_service.routes.artifacts import OF_RUN
from artifact_service.routes.bodies import body_of
from artifact_service.settings import KEEP_UPLOADS_SEC
from artifact_service.stores.contract import STORE

routes = Routes("uploads")

OF_UPLOAD = policy.row("upload_id", select_upload_project)
ONE = "/api/v1/uploads/{upload_id}"


@routes.post(
    "/api/v1/runs/{run_id}/uploads",
    policy=policy.editor(OF_RUN),
    raises=(RunArchived, PathTaken, StoreFull, StoreUnavailable),
    limit="ingest",
)
async def begin_upload(request: Request, run_id: UUID, body: NewUpload) -> Upload:
    """Begin an upload in parts; the file is there when the upload is completed."""
    return await parts.begin_upload(
        request.app[DATABASE],
        request.app[STORE],
        request[PRINCIPAL],
        Holder("run", run_id),
        body,
        keep_sec=request.app[KEEP_UPLOADS_SEC],
    )


@routes.get(ONE, policy=policy.editor(OF_UPLOAD), limit="ingest")
async def get_upload(request: Request, upload_id: UUID) -> Upload:
    """What of an upload is there, so that it can be gone on with."""
    return await parts.read_upload(request.app[DATABASE], upload_id)


@routes.delete(ONE, policy=policy.editor(OF_UPLOAD), raises=(UploadClosed,))
async def abandon_upload(request: Request, upload_id: UUID) -> None:
    """Give an upload up, with all that was sent of it."""
    await parts.abandon_upload(request.app[DATABASE], request.app[STORE], upload_id)


@routes.put(
    ONE + "/parts/{number}",
    policy=policy.editor(OF_UPLOAD),
    raises=(UploadClosed, WrongPart, WrongContent, RequestTimeout, StoreFull, StoreUnavailable),
    takes=OCTETS,
    limit="ingest",
)
async def put_part(request: Request, upload_id: UUID, number: int) -> UploadPart:
    """Send a part, in any order and several at once; a part that is sent again is replaced.

    The body is bytes of the file, from `(number - 1) * part_size`. With `Repr-Digest:
    sha-256=:…:` (RFC 9530), which is about the part here, they are checked.
    """
    return await parts.receive_part(
        request.app[DATABASE],
        request.app[STORE],
        upload_id,
        number,
        body_of(request),
        declared=declared_sha256(
            request.headers.get("Repr-Digest") or request.headers.get("Content-Digest")
        ),
        keep_sec=request.app[KEEP_UPLOADS_SEC],
    )


@routes.post(
    ONE + "/complete",
    policy=policy.editor(OF_UPLOAD),
    raises=(
        RunArchived,
        PathTaken,
        PartsMissing,
        WrongContent,
        UploadJoining,
        StoreFull,
        StoreUnavailable,
    ),
    status=200,
    limit="ingest",
)
async def complete_upload(request: Request, upload_id: UUID, body: Completion | None) -> Artifact:
    """Make the file of its parts, all of which are read once more and checked.

    Asked again, it answers the same. Where that takes long it answers 503 with Retry-After and goes
    on meanwhile.
    """
    return await joining.complete_upload(
        request.app[DATABASE],
        request.app[STORE],
        request[PRINCIPAL],
        upload_id,
        declared=bytes.fromhex(body.sha256) if body and body.sha256 else None,
        keep_sec=request.app[KEEP_UPLOADS_SEC],
    )

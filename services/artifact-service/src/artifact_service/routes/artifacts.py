"""/api/v1/runs/{run_id}/artifacts"""

from uuid import UUID

from aiohttp.web import Request, StreamResponse
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.identity import PRINCIPAL
from servicekit.pagination import Page
from servicekit.problems import RequestTimeout
from servicekit.routing import Routes

from artifact_service.errors import (
    PathTaken,
    RangeNotSatisfiable,
    RunArchived,
    StoreFull,
    StoreUnavailable,
    WrongContent,
)
from artifact_service.models.artifacts import ANY, OCTETS, Artifact, Entry, FolderQuery, Holder
from artifact_service.models.digests import declared_sha256
from artifact_service.models.paths import ArtifactPath
from artifact_service.operations import artifacts as operations
from artifact_service.operations.uploads import store_artifact
from artifact_service.queries.runs import select_project
from artifact_service.routes.bodies import body_of
from artifact_service.routes.files import send_file, send_head
from artifact_service.stores.contract import STORE

routes = Routes("artifacts")

OF_RUN = policy.row("run_id", select_project)
PATH = "/api/v1/runs/{run_id}/artifacts/{path...}"


@routes.get("/api/v1/runs/{run_id}/artifacts", policy=policy.viewer(OF_RUN))
async def list_artifacts(request: Request, run_id: UUID, query: FolderQuery) -> Page[Entry]:
    """List what stands in a folder of a run's files, by name in byte order."""
    return await operations.list_folder(request.app[DATABASE], run_id, query)


@routes.put(
    PATH,
    policy=policy.editor(OF_RUN),
    raises=(RunArchived, PathTaken, WrongContent, RequestTimeout, StoreFull, StoreUnavailable),
    takes=OCTETS,
    limit="ingest",
)
async def put_artifact(request: Request, run_id: UUID, path: ArtifactPath) -> Artifact:
    """Store a file of any size under a path of the run, in place of the one that was there.

    The body is the content. It is there when this answers, and nothing of it before. With
    `Repr-Digest: sha-256=:…:` (RFC 9530) the content is checked. An upload has to bring 64 KiB
    in each 15 seconds.
    """
    return await store_artifact(
        request.app[DATABASE],
        request.app[STORE],
        request[PRINCIPAL],
        Holder("run", run_id),
        path,
        body_of(request),
        declared=declared_sha256(
            request.headers.get("Repr-Digest") or request.headers.get("Content-Digest")
        ),
        expected=request.content_length or 0,
    )


@routes.get(
    PATH,
    policy=policy.viewer(OF_RUN),
    raises=(RangeNotSatisfiable, StoreUnavailable),
    sends=(OCTETS, ANY),
)
async def get_artifact(request: Request, run_id: UUID, path: ArtifactPath) -> StreamResponse:
    """Download a file, or with `Range` a part of it; its ETag is its SHA-256."""
    artifact = await operations.read_artifact(request.app[DATABASE], run_id, path)
    return await send_file(request, request.app[STORE], artifact, Holder("run", run_id))


@routes.head(PATH, policy=policy.viewer(OF_RUN))
async def head_artifact(request: Request, run_id: UUID, path: ArtifactPath) -> StreamResponse:
    """Ask for a file's size, type and digest."""
    artifact = await operations.read_artifact(request.app[DATABASE], run_id, path)
    return await send_head(request, artifact)


@routes.delete(PATH, policy=policy.editor(OF_RUN), raises=(RunArchived,))
async def delete_artifact(request: Request, run_id: UUID, path: ArtifactPath) -> None:
    """Remove a file of a run."""
    await operations.remove_artifact(request.app[DATABASE], Holder("run", run_id), path)

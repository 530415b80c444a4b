"""/api/v1/artifacts/{artifact_id}: what is said of a file, what it shows, who used it."""

from uuid import UUID

from aiohttp.web import Request, StreamResponse
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.identity import PRINCIPAL
from servicekit.pagination import Page
from servicekit.problems import Invalid
from servicekit.routing import Routes

from artifact_service.errors import (
    NoPresignedLinks,
    OtherContent,
    RangeNotSatisfiable,
    RunArchived,
    StoreUnavailable,
)
from artifact_service.models.artifacts import ANY, OCTETS
from artifact_service.models.details import (
    ArtifactChange,
    ArtifactDetails,
    Input,
    Link,
    NewApproval,
    NewInput,
    Use,
)
from artifact_service.models.previews import Preview, PreviewQuery
from artifact_service.operations import details, inputs, links
from artifact_service.operations import previews as showing
from artifact_service.queries.details import select_artifact_project
from artifact_service.routes.access import access_to, reader_of
from artifact_service.routes.artifacts import OF_RUN
from artifact_service.routes.files import send_file
from artifact_service.stores.contract import STORE

routes = Routes("artifacts")

OF_ARTIFACT = policy.row("artifact_id", select_artifact_project)
ONE = "/api/v1/artifacts/{artifact_id}"


@routes.get(ONE, policy=policy.viewer(OF_ARTIFACT))
async def get_artifact_details(request: Request, artifact_id: UUID) -> ArtifactDetails:
    """Everything that is known of a file."""
    return await details.read_details(request.app[DATABASE], artifact_id)


@routes.patch(ONE, policy=policy.editor(OF_ARTIFACT), raises=(RunArchived,))
async def change_artifact(
    request: Request, artifact_id: UUID, body: ArtifactChange
) -> ArtifactDetails:
    """Change the description of a file, or merge into its metadata; null removes a key."""
    return await details.change_artifact(request.app[DATABASE], artifact_id, body)


@routes.put(ONE + "/approval", policy=policy.owner(OF_ARTIFACT), raises=(RunArchived, OtherContent))
async def approve_artifact(
    request: Request, artifact_id: UUID, body: NewApproval
) -> ArtifactDetails:
    """Approve the content of a file; the approval ends when the content is replaced."""
    return await details.approve_artifact(
        request.app[DATABASE], request[PRINCIPAL], artifact_id, body
    )


@routes.delete(ONE + "/approval", policy=policy.owner(OF_ARTIFACT), raises=(RunArchived,))
async def withdraw_approval(request: Request, artifact_id: UUID) -> None:
    """Take the approval of a file back."""
    await details.withdraw_approval(request.app[DATABASE], artifact_id)


@routes.get(ONE + "/preview", policy=policy.viewer(OF_ARTIFACT), raises=(StoreUnavailable,))
async def preview_artifact(request: Request, artifact_id: UUID, query: PreviewQuery) -> Preview:
    """What can be shown of a file: its text, rows of its table, or that a page may embed it."""
    return await showing.preview(
        request.app[DATABASE], request.app[STORE], reader_of(request), artifact_id, query
    )


@routes.get(
    ONE + "/content",
    policy=policy.viewer(OF_ARTIFACT),
    raises=(RangeNotSatisfiable, StoreUnavailable),
    sends=(OCTETS, ANY),
)
async def get_artifact_content(request: Request, artifact_id: UUID) -> StreamResponse:
    """The file for a page to embed: in place where it is of a kind that runs nothing, sandboxed.

    `Range` and ETag as for a download. Files of other kinds are sent as for saving.
    """
    artifact = await details.read_by_id(request.app[DATABASE], artifact_id)
    return await send_file(
        request, request.app[STORE], artifact, details.holder_of(artifact), in_place=True
    )


@routes.post(
    ONE + "/link",
    policy=policy.viewer(OF_ARTIFACT),
    raises=(NoPresignedLinks, StoreUnavailable),
    status=200,
)
async def link_artifact(request: Request, artifact_id: UUID) -> Link:
    """An address in the store itself that serves the file for five minutes to whoever has it."""
    return await links.link(
        request.app[DATABASE], request.app[STORE], reader_of(request), artifact_id
    )


@routes.get(ONE + "/uses", policy=policy.viewer(OF_ARTIFACT))
async def list_uses(request: Request, artifact_id: UUID) -> Page[Use]:
    """The runs that used a file, the latest first, as far as the caller may see them."""
    return Page(
        items=await inputs.list_uses(request.app[DATABASE], artifact_id, access_to(request))
    )


@routes.get("/api/v1/runs/{run_id}/inputs", policy=policy.viewer(OF_RUN))
async def list_inputs(request: Request, run_id: UUID) -> Page[Input]:
    """The files that a run used, as far as the caller may see them."""
    return Page(items=await inputs.list_inputs(request.app[DATABASE], run_id, access_to(request)))


@routes.put(
    "/api/v1/runs/{run_id}/inputs/{artifact_id}",
    policy=policy.editor(OF_RUN),
    raises=(RunArchived, Invalid),
)
async def note_input(request: Request, run_id: UUID, artifact_id: UUID, body: NewInput) -> Input:
    """Note that a run uses a file of another run, as the file is now."""
    return await inputs.note_input(
        request.app[DATABASE],
        request[PRINCIPAL],
        run_id,
        artifact_id,
        body,
        access_to(request),
    )

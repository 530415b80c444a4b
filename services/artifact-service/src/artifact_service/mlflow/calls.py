"""The artifact calls of MLflow's tracking client: its proxy, and the list of a run's files.

What the client names `mlflow-artifacts:/<experiment id>/<run id>/artifacts/…` are the files of a
run here, under the same rules as at our own address. Uploads in parts are in `multipart`.
"""

from uuid import UUID

from aiohttp import web
from pydantic import AliasChoices, Field
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.identity import PRINCIPAL
from servicekit.mlflow import Calls, DoesNotExist, Id, Message
from servicekit.routing import rest_of_path

from artifact_service.mlflow.locations import (
    Location,
    Unsupported,
    clean_folder,
    location,
)
from artifact_service.models.artifacts import Entry, Holder
from artifact_service.models.digests import declared_sha256
from artifact_service.operations.artifacts import list_whole_folder, read_artifact, remove_all
from artifact_service.operations.holders import read_holder
from artifact_service.operations.uploads import store_artifact
from artifact_service.routes.bodies import body_of
from artifact_service.routes.files import send_file
from artifact_service.stores.contract import STORE

calls = Calls()

PROXY = "2.0/mlflow-artifacts/artifacts"
ONE = f"{PROXY}/{{artifact_path:(?s:.+)}}"
_SLASHES_BEFORE = 5  # /api/2.0/mlflow-artifacts/artifacts/<path>


class ListRun(Message):
    """Which run, and which of its folders."""

    run_id: Id = Field(validation_alias=AliasChoices("run_id", "run_uuid"))
    path: str = ""


class ListProxy(Message):
    """Which folder, as an address of the proxy."""

    path: str = ""


def _location(request: web.Request) -> Location:
    return location(rest_of_path(request, after=_SLASHES_BEFORE))


async def _project_of(request: web.Request, place: Location) -> UUID | None:
    state = await read_holder(request.app[DATABASE], place.holder)
    if state is None or state.experiment_id != place.experiment_id:
        return None
    return state.project_id


async def _project_of_address(request: web.Request, _message: None) -> UUID | None:
    return await _project_of(request, _location(request))


async def _project_of_folder(request: web.Request, message: ListProxy) -> UUID | None:
    return await _project_of(request, location(message.path))


async def _project_of_run(request: web.Request, message: ListRun) -> UUID | None:
    state = await read_holder(request.app[DATABASE], Holder("run", message.run_id))
    return state.project_id if state else None


@calls.add("PUT", ONE, policy=policy.editor(), project=_project_of_address, limit="ingest")
async def upload_artifact(request: web.Request) -> None:
    """Store a file."""
    place = _location(request)
    await store_artifact(
        request.app[DATABASE],
        request.app[STORE],
        request[PRINCIPAL],
        place.holder,
        place.path,
        body_of(request),
        declared=declared_sha256(request.headers.get("Repr-Digest")),
    )


@calls.add("GET", ONE, policy=policy.viewer(), project=_project_of_address)
async def download_artifact(request: web.Request) -> web.StreamResponse:
    """Send a file."""
    place = _location(request)
    artifact = await read_artifact(request.app[DATABASE], place.holder.id, place.path)
    return await send_file(request, request.app[STORE], artifact, place.holder)


@calls.add("DELETE", ONE, policy=policy.editor(), project=_project_of_address)
async def delete_artifacts(request: web.Request) -> None:
    """Remove a file, or a folder with everything in it."""
    place = _location(request)
    await remove_all(request.app[DATABASE], place.holder, place.path)


@calls.add("GET", PROXY, policy=policy.viewer(), project=_project_of_folder)
async def list_proxy(request: web.Request, message: ListProxy) -> dict[str, object]:
    """What stands in a folder, by name."""
    place = location(message.path)
    found = await list_whole_folder(request.app[DATABASE], place.holder.id, place.path)
    return _files(found, begin=len(place.path) + 1 if place.path else 0)


@calls.add("GET", "2.0/mlflow/artifacts/list", policy=policy.viewer(), project=_project_of_run)
async def list_run(request: web.Request, message: ListRun) -> dict[str, object]:
    """What stands in a folder of a run, by path."""
    state = await read_holder(request.app[DATABASE], Holder("run", message.run_id))
    if state is None:
        raise DoesNotExist
    folder = clean_folder(message.path)
    found = await list_whole_folder(request.app[DATABASE], message.run_id, folder)
    root = f"mlflow-artifacts:/{state.experiment_id.hex}/{message.run_id.hex}/artifacts"
    return {"root_uri": root} | _files(found, begin=0)


@calls.add(
    "GET", "2.0/mlflow-artifacts/presigned/{artifact_path:(?s:.+)}", policy=policy.signed_in()
)
async def presigned(_request: web.Request) -> None:
    """Decline an address for downloading past the service; clients then download from it."""
    msg = "Presigned downloads are not supported for the current artifact repository"
    raise Unsupported(msg)


def _files(entries: list[Entry], *, begin: int) -> dict[str, object]:
    """The entries in MLflow's words; where there are none, it leaves the list out.

    Its client refuses a whole list for one name with `#`, so that such a file is shown at our own
    address alone.
    """
    files = [
        {"path": entry.path[begin:], "is_dir": True}
        if entry.kind == "folder"
        else {"path": entry.path[begin:], "is_dir": False, "file_size": entry.size}
        for entry in entries
        if "#" not in entry.path
    ]
    return {"files": files} if files else {}

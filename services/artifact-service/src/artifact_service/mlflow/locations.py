"""Addresses of MLflow's artifact proxy, as places of ours.

A run's files are at `<experiment id>/<run id>/artifacts/…`, as experiment-service says in every
run's `artifact_uri`; those of a logged model at `<experiment id>/models/<model id>/artifacts/…`.
"""

from dataclasses import dataclass
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from servicekit.mlflow import NOBODYS, DoesNotExist, Id, InvalidParameter, MlflowError

from artifact_service.models.artifacts import Holder
from artifact_service.models.paths import clean_path


class Unsupported(MlflowError):
    """Runbench does not keep this kind of files."""

    code, status, error_code = "unsupported", 501, "NOT_IMPLEMENTED"


@dataclass(frozen=True, slots=True)
class Location:
    """A path of a run or of a model; empty for all of it."""

    experiment_id: UUID
    holder: Holder
    path: str


def location(address: str) -> Location:
    """The place that an address of the artifact proxy means.

    Raises:
        InvalidParameter: its path is none that we store.
        DoesNotExist: it is of another shape.
        Unsupported: it is the place of a trace.
    """
    parts = clean(address.removesuffix("/")).split("/")
    match parts:
        case [experiment, "models", model, "artifacts", *rest]:
            return Location(
                _id(experiment), Holder("model", _id(model.removeprefix("m-"))), "/".join(rest)
            )
        case [_, "traces", _, "artifacts", *_]:
            msg = "Runbench does not keep traces."
            raise Unsupported(msg)
        case [experiment, run, "artifacts", *rest]:
            return Location(_id(experiment), Holder("run", _id(run)), "/".join(rest))
        case _:
            msg = "Files stand at <experiment id>/<run id>/artifacts/<path>."
            raise DoesNotExist(msg)


def clean(path: str) -> str:
    """The path, checked by the one rule for paths, with MLflow's error."""
    try:
        return clean_path(path)
    except ValueError as exc:
        msg = f"Invalid path: {exc}."
        raise InvalidParameter(msg) from exc


def clean_folder(path: str) -> str:
    """The path of a folder; empty for the topmost."""
    return clean(path.removesuffix("/")) if path else ""


def _id(text: str) -> UUID:
    try:
        return TypeAdapter(Id).validate_python(text)
    except ValidationError:
        return NOBODYS
